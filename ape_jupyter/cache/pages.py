"""Which pages of mapped files are in memory, and whose they are.

A MB in a process's own count (RSS) may be shared by ten; only the system knows the shares.
Everything here is None where it does not tell.
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import os
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

__all__ = ["FilePages", "ProcessPages", "drop_pages", "family", "process_pages", "resident_bytes"]

_KIB = 1024
_MAPPED_FILE = re.compile(
    rb"^[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \d+ +(/.*\.arrow)(?: \(deleted\))?((?:\n[A-Z]\w+:.*)+)",
    re.MULTILINE,
)
_FIGURE = re.compile(rb"^(\w+): +(\d+) kB", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePages:
    """A file as one process has it mapped, in bytes."""

    path: Path
    mapped: int
    resident: int
    share: int
    private_clean: int
    private_copies: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessPages:
    """The memory of a process in bytes; ``private`` does not count its mapped files.

    Attributes
    ----------
    files : tuple of FilePages or None
        Its mapped Arrow files, one for each map.
    """

    pid: int
    private: int | None
    share: int | None
    files: tuple[FilePages, ...] | None


def process_pages(pid: int) -> ProcessPages | None:
    """Return the memory of a process; None when there is no such process.

    Takes milliseconds in which the process is not stopped; not for an event loop.
    """
    if not psutil.pid_exists(pid):
        return None
    try:
        rollup = _figures(Path(f"/proc/{pid}/smaps_rollup").read_bytes())
        files = _mapped_files(Path(f"/proc/{pid}/smaps").read_bytes())
    except ProcessLookupError:
        return None
    except OSError:
        return _without_proc(pid)
    private = rollup["Private_Clean"] + rollup["Private_Dirty"]
    # What only one kernel maps now is counted as its own, but the next kernel will share it.
    private -= sum(file.private_clean for file in files)
    return ProcessPages(pid=pid, private=max(private, 0), share=rollup["Pss"], files=files)


def _without_proc(pid: int) -> ProcessPages | None:
    private = None
    try:
        # Not ours to read, or another system, where psutil knows the way.
        private = int(psutil.Process(pid).memory_full_info().uss)
    except psutil.NoSuchProcess:
        return None
    except (psutil.Error, AttributeError, OSError):
        pass
    return ProcessPages(pid=pid, private=private, share=None, files=None)


def _figures(text: bytes) -> dict[str, int]:
    figures = {"Pss": 0, "Rss": 0, "Size": 0, "Private_Clean": 0, "Private_Dirty": 0}
    for name, value in _FIGURE.findall(text):
        key = name.decode("ascii")
        if key in figures:
            figures[key] = int(value) * _KIB
    return figures


def _mapped_files(text: bytes) -> tuple[FilePages, ...]:
    found = []
    for path, figures in _MAPPED_FILE.findall(text):
        pages = _figures(figures)
        found.append(
            FilePages(
                # The only character that the kernel escapes here.
                path=Path(os.fsdecode(path.replace(rb"\012", b"\n"))),
                mapped=pages["Size"],
                resident=pages["Rss"],
                share=pages["Pss"],
                private_clean=pages["Private_Clean"],
                private_copies=pages["Private_Dirty"],
            )
        )
    return tuple(found)


def family(pid: int, others: Collection[int] = ()) -> list[int]:
    """Return a process and its descendants, without those in ``others``."""
    found = [pid]
    with contextlib.suppress(psutil.Error):
        found += [child.pid for child in psutil.Process(pid).children(recursive=True)]
    return [member for member in found if member == pid or member not in others]


def resident_bytes(path: Path) -> int | None:
    """Return how much of a file is in memory, whichever process brought it there.

    Raises
    ------
    FileNotFoundError
        If the file is not there.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if not size:
            return 0
        try:
            mincore = ctypes.CDLL(None, use_errno=True).mincore
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
                view = np.frombuffer(mapped, np.uint8)
                pages = np.zeros(-(-size // mmap.PAGESIZE), np.uint8)
                failed = mincore(
                    ctypes.c_void_p(view.ctypes.data),
                    ctypes.c_size_t(size),
                    ctypes.c_void_p(pages.ctypes.data),
                )
                del view  # the map can not be closed before
        except (AttributeError, OSError, TypeError):
            return None
    return None if failed else min(int((pages & 1).sum()) * mmap.PAGESIZE, size)


def drop_pages(path: Path) -> bool:
    """Ask the system to forget the pages of a file that no process maps; False if it can not.

    The file stays, and pages that some process uses stay in memory.
    """
    try:
        with path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    except (AttributeError, OSError):
        return False
    return True
