"""Directories in which results wait until they are complete, and who they belong to."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import BaseFileLock

from ape_jupyter.results.claims import claimed

__all__ = ["OWNER_SUFFIX", "discard_abandoned", "staged_directory"]

OWNER_SUFFIX = ".owner"
"""A directory has a file of its name and this suffix, locked as long as its process lives."""


@contextmanager
def staged_directory(staging: Path) -> Iterator[Path]:
    """Give a private directory; it is gone afterwards.

    Should the process die before, :func:`discard_abandoned` removes it.
    """
    path, owner = _owned_name(staging)
    try:
        path.mkdir(mode=0o700)
        yield path
    finally:
        _discard(path, owner)


def _owned_name(staging: Path) -> tuple[Path, BaseFileLock]:
    while True:
        path = staging / uuid.uuid4().hex
        owner = claimed(path.with_suffix(OWNER_SUFFIX))
        # Between creation and claim, somebody may have taken it for a dead owner's.
        if owner is not None and path.with_suffix(OWNER_SUFFIX).exists():
            return path, owner


def discard_abandoned(staging: Path) -> None:
    """Remove the staged directories whose processes are dead."""
    for marker in staging.glob(f"*{OWNER_SUFFIX}"):
        owner = claimed(marker)
        if owner is not None:
            _discard(marker.with_suffix(""), owner)


def _discard(path: Path, owner: BaseFileLock) -> None:
    shutil.rmtree(path, ignore_errors=True)
    owner.release()
    # Windows deletes no file that somebody else just tries to claim; the next one does.
    with suppress(OSError):
        path.with_suffix(OWNER_SUFFIX).unlink(missing_ok=True)
