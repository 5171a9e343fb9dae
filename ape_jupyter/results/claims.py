"""Claims: by them one process at a time does a piece of work, and others see that it lives."""

from __future__ import annotations

from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

__all__ = ["claimed"]


def claimed(path: Path) -> BaseFileLock | None:
    """Claim a name without waiting; None while anybody else has it, in whatever process.

    The claim ends with :meth:`release`, with the object, or with its process, however that
    ends. It is good for any thread.
    """
    claim = FileLock(path, mode=0o600, thread_local=False)
    try:
        claim.acquire(blocking=False)
    except Timeout:
        return None
    return claim
