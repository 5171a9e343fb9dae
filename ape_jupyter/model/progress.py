"""How long work tells how far it is, and learns that it should stop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Progress", "ProgressCallback"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A step of an import, a generation or a comparison.

    Attributes
    ----------
    done, total : int
        Runs finished and runs to do; of a comparison, steps.
    current : str
        What is being worked on; empty at the end.
    rows_done, rows_total : int
        How many visits of the current run are done, and how many it has; 0 before that is
        known.
    """

    done: int
    total: int
    current: str = ""
    rows_done: int = 0
    rows_total: int = 0


ProgressCallback = Callable[[Progress], None]
"""Called before each run, within long ones, and at the end.

Raising from it cancels the rest of the work; of the current run nothing stays."""
