"""Bodies of requests and answers that are not already a concept of the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ape_jupyter.model.file_system import FileSystem
from ape_jupyter.model.listing import ImportOutcome
from ape_jupyter.model.performance import Advice
from ape_jupyter.model.simulation import SimulationMetadata
from ape_jupyter.model.watch import SETTLE_SECONDS, WatchState
from ape_jupyter.wire.errors import ErrorBody

__all__ = [
    "Features",
    "Health",
    "ImportOrder",
    "Job",
    "JobList",
    "JobState",
    "LibraryHealth",
    "OpenedSimulation",
    "OpenedTable",
    "OptimizationOrder",
    "PurgeOrder",
    "SimulationList",
    "SuggestionList",
    "TagChange",
    "VerifyOrder",
    "WatchList",
    "WatchOrder",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryHealth:
    """The library that a server serves; ``revision`` grows with every change of any run.

    Attributes
    ----------
    file_system : FileSystem or None
        What the library's directory is on; None where the server's system does not tell.
    """

    location: str
    n_simulations: int
    revision: int
    file_system: FileSystem | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """Which optional capabilities this server has switched on."""

    kernel_access: bool
    path_imports: bool
    uploads: bool
    shared_cache: bool
    file_watching: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """That the server and its library work; a library that does not is an error, status 503."""

    status: str
    version: str
    api_version: int
    library: LibraryHealth
    features: Features


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationList:
    """Several runs, in the order in which they were asked for."""

    items: tuple[SimulationMetadata, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedTable:
    """A table ready to be mapped: an uncompressed Arrow IPC file on the server's host.

    Attributes
    ----------
    path : str
        Empty when the server shares no files, and the table is to be fetched.
    """

    path: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedSimulation:
    """A run whose tables are ready, by their names."""

    metadata: SimulationMetadata
    tables: Mapping[str, OpenedTable]


@dataclass(frozen=True, slots=True, kw_only=True)
class TagChange:
    """Tags to add to and remove from several runs, all or nothing."""

    sim_ids: tuple[str, ...]
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimizationOrder:
    """What to free: the runs that nobody has used for ``idle_for`` seconds."""

    idle_for: float = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestionList:
    """What would help, the greatest effect first."""

    items: tuple[Advice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyOrder:
    """What to check, how thoroughly, and whether to mend what can be.

    Attributes
    ----------
    sim_id : str or None
        The run; None for the whole library.
    """

    sim_id: str | None = None
    repair: bool = False
    fast: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PurgeOrder:
    """What to remove for good, or with ``dry_run`` only to name.

    Attributes
    ----------
    older_than_seconds : float
        Runs that have been in the trash for that long.
    """

    older_than_seconds: float = 7 * 24 * 3600.0
    dry_run: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOrder:
    """An absolute path on the server's host, and tags for every run found there.

    Attributes
    ----------
    copy : bool
        False leaves the results where they are, and links them.
    """

    path: str
    tags: tuple[str, ...] = ()
    copy: bool = True


class JobState(StrEnum):
    """Where an import job stands; one that waits for its turn is running.

    One is interrupted when its server has ended, and no other may take it up yet.
    """

    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """An import on the server.

    Attributes
    ----------
    path : str
        What is imported.
    done, total : int
        Runs finished and runs to do.
    current : str
        The run being worked on; empty at the end.
    rows_done, rows_total : int
        How many visits of the current run are done, and how many it has; 0 before that is
        known.
    outcomes : tuple of ImportOutcome
        One per run, once the job is finished.
    error : ErrorBody or None
        Why the job failed.
    """

    job_id: str
    path: str
    state: JobState
    started_at: datetime
    done: int = 0
    total: int = 0
    current: str = ""
    rows_done: int = 0
    rows_total: int = 0
    outcomes: tuple[ImportOutcome, ...] = ()
    error: ErrorBody | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobList:
    """Imports that are not over, and the latest of those that are; without their outcomes."""

    items: tuple[Job, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchOrder:
    """A folder to follow: an absolute path on the server's host, and tags for its runs.

    Attributes
    ----------
    settle_seconds : float
        How long the files of a run must have stayed as they are before it is taken in.
    """

    folder: str
    copy: bool = True
    tags: tuple[str, ...] = ()
    settle_seconds: float = SETTLE_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchList:
    """The folders that the library follows."""

    items: tuple[WatchState, ...]
