"""Seals: by them the library knows the Arrow files that it wrote itself, and that are whole.

Arrow trusts the offsets in a file. A wrong one kills whatever process touches it, and a wrong
value is simply believed; so a file is mapped only when its seal fits. A seal is a small file
beside it, with the version of this library, the size, the time of the last change and the
sha256 of the bytes. Bytes that decay on the disk change neither size nor time: they are read
again once after each start of the machine, when nothing of them is in memory anyway.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import uuid
from pathlib import Path
from typing import IO, Any

import psutil

from ape_jupyter.model.version import package_version

__all__ = [
    "HashedWriter",
    "holds_what_was_sealed",
    "is_sealed",
    "look_up_what_seals_say",
    "problem_of",
    "seal",
    "seal_path",
]

READ_AGAIN_BYTES = 256 * 2**20
"""Larger files are not read again before they are mapped, only by ``verify``: a second of
waiting for every 1.4 GB would be more than opening a run may take."""
ALWAYS_READ_BYTES = 2**20
"""Smaller files, such as summaries, are read again before each use."""


class HashedWriter:
    """A file to write to that knows the sha256 of what was written."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self.closed = False

    def write(self, data: Any) -> int:
        """Write bytes."""
        self._digest.update(data)
        return self._file.write(data)

    def tell(self) -> int:
        """Return how many bytes were written."""
        return self._file.tell()

    def flush(self) -> None:
        """Do nothing: who opened the file decides when it is written."""

    def hexdigest(self) -> str:
        """Return the sha256 so far."""
        return self._digest.hexdigest()


def seal_path(path: Path) -> Path:
    """Return where the seal of a file is."""
    return path.with_name(f".{path.name}.seal")


def seal(path: Path, sha256: str) -> None:
    """State that the bytes of a file are its own, and have this digest."""
    target = seal_path(path)
    partial = target.with_name(f"{target.name}.{uuid.uuid4().hex}.partial")
    try:
        partial.write_text(json.dumps({**_identity(path), "sha256": sha256}), encoding="ascii")
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def is_sealed(path: Path) -> bool:
    """Tell whether a file may be mapped: cheap, but for the first time after a start."""
    stated = _stated(path)
    if stated is None:
        return False
    size_bytes = stated["size_bytes"]
    if size_bytes > READ_AGAIN_BYTES:
        return True
    if size_bytes > ALWAYS_READ_BYTES and _is_read_since_start(path):
        return True
    return holds_what_was_sealed(path)


def holds_what_was_sealed(path: Path) -> bool:
    """Tell whether a file has a seal that fits, and every byte as when it was sealed."""
    stated = _stated(path)
    if stated is None:
        return False
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return False
    if digest != stated["sha256"]:
        return False
    # The time of the seal is when the bytes were last found to be good.
    with contextlib.suppress(OSError):
        os.utime(seal_path(path))
    return True


def problem_of(path: Path, *, read: bool) -> str | None:
    """Say what is wrong with a file of the cache; None for nothing.

    A file that another version wrote is not wrong; it is made again when it is needed.

    Parameters
    ----------
    read : bool
        Whether to read all bytes.
    """
    if _stated(path) is None:
        try:
            with seal_path(path).open("rb") as file:
                of_this_version = json.load(file)["version"] == _version()
        except FileNotFoundError:
            of_this_version = False
        except (OSError, ValueError, KeyError, TypeError):
            of_this_version = True
        return "was changed after it was written" if of_this_version else None
    if read and not holds_what_was_sealed(path):
        return "holds other bytes than were written"
    return None


def look_up_what_seals_say() -> None:
    """Look up what every seal is compared with: the first run to be opened need not wait."""
    _version()
    _started()


def _stated(path: Path) -> dict[str, Any] | None:
    """Return what the seal of a file says, if it is about this file as it is now."""
    try:
        with seal_path(path).open("rb") as file:
            stated = json.load(file)
        identity = _identity(path)
        if {name: stated[name] for name in identity} == identity and "sha256" in stated:
            return dict(stated)
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return None


def _identity(path: Path) -> dict[str, Any]:
    status = path.stat()
    return {
        "version": _version(),
        "size_bytes": status.st_size,
        "mtime_ns": status.st_mtime_ns,
    }


def _is_read_since_start(path: Path) -> bool:
    try:
        return seal_path(path).stat().st_mtime > _started()
    except OSError:
        return False


@functools.cache
def _version() -> str:
    # Looking it up takes longer than opening a run.
    return package_version()


@functools.cache
def _started() -> float:
    """Return when the machine started."""
    return float(psutil.boot_time())
