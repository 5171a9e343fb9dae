"""Dropping what a process keeps for itself."""

from __future__ import annotations

import os

from ape_jupyter.errors import ConflictError
from ape_jupyter.library.private_memory import release_private_memory
from ape_jupyter.model.performance import Advice, AppliedSuggestion

__all__ = ["drop_copies"]


def drop_copies(advice: Advice) -> AppliedSuggestion:
    """Give back what this process has for itself and no longer needs.

    Raises
    ------
    ConflictError
        If the copies are in another process.
    """
    pid = advice.evidence["pid"]
    if pid != os.getpid():
        raise ConflictError(
            f"The copies are in process {pid}, and only that can drop them: apply the "
            "suggestion in its notebook, `del` the DataFrames there, or restart its kernel."
        )
    freed = release_private_memory()
    done = "Outputs that IPython kept were forgotten and free memory was given back"
    return AppliedSuggestion.of(
        advice, f"{done}." if freed is None else f"{done}: {freed:,.1f} MB."
    )
