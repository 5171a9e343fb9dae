"""Finding runs below a path."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ape_jupyter.errors import InvalidArgumentError

__all__ = ["find_runs", "is_package"]

_MARKS = ("metadata.json", "patients.parquet", "visits.parquet")
MAX_DEPTH = 6


def is_package(path: Path) -> bool:
    """Tell whether a path is a file that should be an APE package."""
    return path.suffix.lower() == ".zip" and path.is_file()


def find_runs(path: Path) -> list[Path]:
    """Return the results directories and packages at or below a path, in order of name.

    A directory counts as a run when it holds one of a run's files or has a run's name, so
    that a run whose files are missing is reported and not overlooked.
    """
    return list(_walk(path, MAX_DEPTH))


def _walk(path: Path, depth: int) -> Iterator[Path]:
    try:
        is_run = is_package(path) or (path.is_dir() and _looks_like_run(path))
    except PermissionError:
        is_run = True  # so that it is named as one that can not be read
    if is_run:
        yield path
    elif path.is_dir() and depth > 0:
        for child in _children(path):
            # A link can lead out of the folder that was named, or round in circles.
            if not child.is_symlink() and not child.name.startswith("."):
                yield from _walk(child, depth - 1)


def _children(path: Path) -> list[Path]:
    try:
        return sorted(path.iterdir())
    except PermissionError as error:
        raise InvalidArgumentError(f"The folder {path} can not be read.") from error


def _looks_like_run(path: Path) -> bool:
    return path.name.startswith("sim_") or any((path / mark).exists() for mark in _MARKS)
