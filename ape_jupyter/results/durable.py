"""Writes that survive a power cut, or did not happen."""

from __future__ import annotations

import errno
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ape_jupyter.errors import OutOfSpaceError

__all__ = ["fsync_directory", "fsync_file", "replace_file", "reporting_full_disk", "settle"]


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


def settle(directory: Path) -> None:
    """Let nobody write to the files of a directory, and wait until they are on the disk."""
    for file in directory.iterdir():
        file.chmod(0o440)
        fsync_file(file)
    fsync_directory(directory)


def replace_file(path: Path, content: bytes, *, durably: bool = True) -> None:
    """Give a file new content such that readers find the old or the new, and nothing between.

    Parameters
    ----------
    durably : bool
        Whether to wait until the new content survives a power cut.
    """
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}.partial")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    try:
        with os.fdopen(os.open(partial, flags, 0o600), "wb") as file:
            file.write(content)
            if durably:
                file.flush()
                os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    if durably:
        fsync_directory(path.parent)


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
