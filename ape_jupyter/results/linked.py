"""Results that stay where they are: how the library knows that they are still the same."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ape_jupyter.errors import CorruptedDataError
from ape_jupyter.results.manifest import LinkedFile
from ape_jupyter.results.sealed import file_sha256

__all__ = ["changed_link", "check_links", "linked_file"]


def linked_file(path: Path) -> LinkedFile:
    """Describe a file as it is now.

    Raises
    ------
    OSError
        If it can not be read.
    """
    before = path.stat()
    return LinkedFile(
        path=str(path.absolute()),
        size_bytes=before.st_size,
        mtime_ns=before.st_mtime_ns,
        sha256=file_sha256(path),
    )


def changed_link(link: LinkedFile, *, read: bool = False) -> str | None:
    """Say what is wrong with a linked file; None for nothing.

    Parameters
    ----------
    read : bool
        Whether to read the bytes even when size and time of the file are as they were.
    """
    path = Path(link.path)
    try:
        status = path.stat()
        same = status.st_size == link.size_bytes
        if same and (read or status.st_mtime_ns != link.mtime_ns):
            same = file_sha256(path) == link.sha256
    except FileNotFoundError:
        return f"The linked file {link.path} is no longer there."
    except OSError as error:
        return f"The linked file {link.path} can not be read: {error.strerror}."
    return None if same else f"The linked file {link.path} has changed since it was linked."


def check_links(links: Mapping[str, LinkedFile], *, read: bool = False) -> None:
    """Check all linked files of a result set.

    Raises
    ------
    CorruptedDataError
        If one has changed or is gone.
    """
    for link in links.values():
        problem = changed_link(link, read=read)
        if problem:
            raise CorruptedDataError(problem)
