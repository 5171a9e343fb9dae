"""Folders that are followed, and what came of the runs in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ape_jupyter.errors import Fault
from ape_jupyter.model.listing import ImportStatus

__all__ = ["SETTLE_SECONDS", "WatchState", "WatchedRun"]

SETTLE_SECONDS = 5.0
"""How long the files of a run stay as they are before it is taken in, by default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedRun:
    """What became of one run in a folder that is followed.

    Attributes
    ----------
    number : int
        Grows with every run that was dealt with; also when one is tried again.
    sim_id : str or None
        None when the run was refused; ``faults`` say why.
    """

    number: int
    path: str
    status: ImportStatus
    sim_id: str | None
    at: datetime
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchState:
    """A folder that is followed, and how that goes.

    Attributes
    ----------
    settle_seconds : float
        How long the files of a run must have stayed as they are before it is taken in.
    is_configured : bool
        Whether a server's configuration names the folder; then it can not be stopped here.
    is_followed : bool
        Whether a process follows the folder now.
    last_scan : datetime or None
        When the folder was last looked through.
    n_taken_in : int
        Runs of the folder that are in the library.
    n_waiting : int
        Runs whose files are not complete yet, or changed a moment ago.
    n_broken : int
        Runs that were refused, and have not changed since.
    broken : tuple of WatchedRun
        The latest of these.
    recent : tuple of WatchedRun
        The runs that were dealt with last, the latest at the end.
    problem : str or None
        Why the folder, or a part of it, can not be followed at the moment.
    """

    watch_id: str
    folder: str
    tags: tuple[str, ...]
    copy: bool
    settle_seconds: float
    is_configured: bool
    is_followed: bool
    last_scan: datetime | None = None
    n_taken_in: int = 0
    n_waiting: int = 0
    n_broken: int = 0
    broken: tuple[WatchedRun, ...] = ()
    recent: tuple[WatchedRun, ...] = ()
    problem: str | None = None
