"""Leases: by them the evictor sees which runs are mapped somewhere, and lets those be.

A lease is a shared ``flock`` on a small file beside the mapped files. It ends with its
process, however that ends. It is a courtesy: a mapped file stays readable after it was
unlinked, so where there are no leases (no ``fcntl``, no descriptors left) nothing breaks.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from ape_jupyter.errors import LibraryBusyError

try:
    import fcntl
    import resource
except ImportError:  # Windows
    HAS_LEASES = False
else:
    HAS_LEASES = True

__all__ = ["HAS_LEASES", "LEASE_FILE", "Lease", "exclusive", "held_leases", "holders", "leased"]

T = TypeVar("T")

LEASE_FILE = ".lease"
"""Its modification time is the last use of the run, for all processes and over restarts."""

_ATTEMPTS = 6
_ATTEMPT_SECONDS = 0.02
_WAIT_SECONDS = 1.0
_PAUSE_SECONDS = 0.002
_READ_FLAGS = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
_MODE = 0o600


class Lease:
    """A claim on the files of some directories; given up by :meth:`release` or with the object.

    Parameters
    ----------
    directories : iterable of Path
        Those that hold the files to be mapped.
    create : bool
        Whether to make the small files. Readers do not: where to read, a server tells them,
        and no server should make them write.
    """

    def __init__(self, directories: Iterable[Path] = (), *, create: bool = False) -> None:
        self._descriptors: list[int] = []
        for directory in sorted(set(directories)):
            descriptor = _shared(directory / LEASE_FILE, create)
            if descriptor is not None:
                self._descriptors.append(descriptor)

    @property
    def is_held(self) -> bool:
        """Whether any directory is claimed."""
        return bool(self._descriptors)

    def release(self) -> None:
        """Give the claim up, and note that the files were in use until now."""
        while self._descriptors:
            descriptor = self._descriptors.pop()
            _note_use(descriptor)
            # Closed, not unlocked: a forked child shares the lock, and may still use the maps.
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def __reduce__(self) -> tuple[type[Lease], tuple[()]]:
        # Descriptors mean nothing in another process, or in a copy.
        return Lease, ()

    def __enter__(self) -> Lease:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def __del__(self) -> None:
        # During the interpreter's end, the modules that release() needs may be gone.
        with contextlib.suppress(Exception):
            self.release()


def _shared(path: Path, create: bool) -> int | None:
    if not HAS_LEASES:
        return None
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        try:
            descriptor = _opened(path, create)
        except OSError:
            return None
        if _is_scarce(descriptor):
            os.close(descriptor)
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            locked = False
        else:
            locked = True
            if _is_current(descriptor, path):
                _note_use(descriptor)
                return descriptor
        os.close(descriptor)
        # An evictor holds a run for as long as it unlinks a few files; one that was stopped
        # in the middle must not hold up readers.
        if time.monotonic() > deadline:
            return None
        if not locked:
            time.sleep(_PAUSE_SECONDS)


def _note_use(descriptor: int) -> None:
    # Not every system sets times by descriptor (NotImplementedError, TypeError), nor on a file
    # of somebody else's (OSError); the run is then merely evicted sooner.
    with contextlib.suppress(OSError, NotImplementedError, TypeError):
        os.utime(descriptor)


def _opened(path: Path, create: bool) -> int:
    return os.open(path, _READ_FLAGS | (os.O_CREAT if create else 0), _MODE)


def _is_scarce(descriptor: int) -> bool:
    # The lowest free number is given out, so a high one says that many are in use. The other
    # half is for the user's own files.
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return soft != resource.RLIM_INFINITY and descriptor > soft // 2


def _is_current(descriptor: int, path: Path) -> bool:
    """Tell whether the file is still the one of that name: the directory may be deleted."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except OSError:
        return False


def leased(
    find: Callable[[], Mapping[str, Path]], use: Callable[[Mapping[str, Path], Lease], T]
) -> T:
    """Return ``use(files, lease)`` for the files that ``find`` makes sure are there.

    What was evicted in between is found again, and then can not be evicted. The lease is the
    caller's to keep or to drop.

    Raises
    ------
    LibraryBusyError
        If the files vanish again and again.
    """
    lease = Lease()
    for attempt in range(_ATTEMPTS):
        try:
            files = find()
            # The lease before is held until there is a new one: it may be on other files.
            with lease:
                lease = Lease(path.parent for path in files.values())
            return use(files, lease)
        except FileNotFoundError as error:
            if error.filename and not lease.is_held:
                lease = Lease([Path(os.fsdecode(error.filename)).parent])
            time.sleep(_ATTEMPT_SECONDS * attempt)
    raise LibraryBusyError("The cache of the library is being deleted; try again.")


@contextmanager
def exclusive(directory: Path) -> Iterator[bool]:
    """Give True while nobody holds a lease on ``directory`` nor can get one; does not wait."""
    if not HAS_LEASES:
        yield True
        return
    path = directory / LEASE_FILE
    try:
        descriptor = _opened(path, create=True)
    except OSError:
        yield False
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            yield _is_current(descriptor, path)
    finally:
        os.close(descriptor)


def holders(directory: Path) -> list[int]:
    """Return the processes that hold a lease on ``directory``, as far as the system tells."""
    return held_leases([directory]).get(directory, [])


def held_leases(directories: Iterable[Path]) -> dict[Path, list[int]]:
    """Return the holders of leases by directory, with one look at the system's locks."""
    by_inode: dict[str, Path] = {}
    for directory in directories:
        with contextlib.suppress(OSError):
            status = (directory / LEASE_FILE).stat()
            device = status.st_dev
            key = f"{os.major(device):02x}:{os.minor(device):02x}:{status.st_ino}"
            by_inode[key] = directory
    try:
        lines = Path("/proc/locks").read_text("ascii").splitlines()
    except OSError:
        return {}
    found: dict[Path, list[int]] = {}
    for line in lines:
        # "1: FLOCK ADVISORY READ 4711 fe:00:1234 0 EOF"; one that waits has "->" after "1:".
        fields = line.split()
        if len(fields) < 6 or fields[1] != "FLOCK":  # noqa: PLR2004
            continue
        owner = by_inode.get(fields[5])
        # Processes of other containers have no number here.
        if owner is not None and int(fields[4]) > 0:
            found.setdefault(owner, []).append(int(fields[4]))
    return {directory: sorted(set(pids)) for directory, pids in found.items()}
