"""The directory of a library: where it is when nobody says, and what is in it."""

from __future__ import annotations

import os
from pathlib import Path

from jupyter_core.paths import jupyter_data_dir

from ape_jupyter.errors import InvalidArgumentError

__all__ = [
    "BACKUPS",
    "BUDGET_SETTING",
    "DATABASE",
    "LIBRARY_VARIABLE",
    "MEASUREMENTS",
    "default_target",
    "prepare_directory",
]

LIBRARY_VARIABLE = "APE_JUPYTER_LIBRARY"
DATABASE = "registry.db"
BACKUPS = "backups"
MEASUREMENTS = "performance.json"
BUDGET_SETTING = "cache_budget_mb"
_DIRECTORIES = ("objects", "runs", "cache", "staging", "jobs", "watches")


def default_target() -> str:
    """Return what ``APE_JUPYTER_LIBRARY`` names, else a directory in Jupyter's own."""
    named = os.environ.get(LIBRARY_VARIABLE)
    return named or str(Path(jupyter_data_dir()) / "ape-jupyter")


def prepare_directory(path: Path) -> None:
    """Make a library's directories, for nobody but their owner.

    Raises
    ------
    InvalidArgumentError
        If the directory holds other things.
    OSError
        If it can not be made.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    names = {entry.name for entry in path.iterdir()}
    if names and not names & {DATABASE, *_DIRECTORIES}:
        message = (
            f"{path} holds other things ({min(names)}, …) and no library. Name an empty or new "
            "directory; to bring results into a library, import them."
        )
        raise InvalidArgumentError(message)
    for name in _DIRECTORIES:
        (path / name).mkdir(mode=0o700, exist_ok=True)
