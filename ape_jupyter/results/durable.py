"""Writes that survive a power cut, or did not happen."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ape_jupyter.errors import OutOfSpaceError

__all__ = ["fsync_directory", "fsync_file", "reporting_full_disk"]


def fsync_file(path: Path) -> None:
    """Wait until the content of a file is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def fsync_directory(path: Path) -> None:
    """Wait until the names in a directory are on the disk."""
    if os.name == "nt":  # Windows opens no directories, and journals their entries itself
        return
    fsync_file(path)


@contextmanager
def reporting_full_disk(place: Path) -> Iterator[None]:
    """Turn the operating system's "no space" into :class:`OutOfSpaceError`."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            message = (
                f"The disk that holds {place} is full; nothing was registered. Free some space."
            )
            raise OutOfSpaceError(message) from error
        raise
