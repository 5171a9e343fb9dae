"""Bodies of requests and answers that are not already a concept of the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ape_jupyter.model.comparison import ComparisonRequest, ComparisonType, TimeAlignment
from ape_jupyter.model.listing import ImportOutcome
from ape_jupyter.model.simulation import SimulationMetadata
from ape_jupyter.wire.errors import ErrorBody

__all__ = [
    "Comparison",
    "ComparisonOrder",
    "DifferenceColumns",
    "Features",
    "Health",
    "ImportOrder",
    "Job",
    "JobState",
    "LibraryHealth",
    "OpenedSimulation",
    "OpenedTable",
    "OptimizationOrder",
    "SeriesColumns",
    "SimulationList",
    "TagChange",
    "VerifyOrder",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryHealth:
    """The library that a server serves; ``revision`` grows with every change of any run."""

    location: str
    n_simulations: int
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """Which optional capabilities this server has switched on."""

    kernel_access: bool
    path_imports: bool
    uploads: bool


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
    """A table ready to be mapped: an uncompressed Arrow IPC file on the server's host."""

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
class ComparisonOrder:
    """A comparison as asked for; what is left out, the library chooses.

    Attributes
    ----------
    metrics : tuple of str or None
        All metrics when None.
    reference : str or None
        The first run when None.
    """

    sim_ids: tuple[str, ...]
    comparison_type: ComparisonType = ComparisonType.OVERLAY
    metrics: tuple[str, ...] | None = None
    time_alignment: TimeAlignment = TimeAlignment.ABSOLUTE
    reference: str | None = None
    confidence: float = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesColumns:
    """One row per run, metric and time bin, as columns of equal length.

    Attributes
    ----------
    x : tuple of float or tuple of str
        Left edge of the bin: days (relative), share of the duration 0 to 1 (normalized),
        or ISO date (absolute).
    """

    sim_id: tuple[str, ...]
    metric: tuple[str, ...]
    x: tuple[float, ...] | tuple[str, ...]
    n: tuple[int, ...]
    mean: tuple[float | None, ...]
    sd: tuple[float | None, ...]
    ci_low: tuple[float | None, ...]
    ci_high: tuple[float | None, ...]
    p10: tuple[float | None, ...]
    p25: tuple[float | None, ...]
    p50: tuple[float | None, ...]
    p75: tuple[float | None, ...]
    p90: tuple[float | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceColumns:
    """One row per metric, comparator and time bin; difference = comparator - reference."""

    metric: tuple[str, ...]
    reference: tuple[str, ...]
    comparator: tuple[str, ...]
    x: tuple[float, ...] | tuple[str, ...]
    difference: tuple[float | None, ...]
    ci_low: tuple[float | None, ...]
    ci_high: tuple[float | None, ...]
    p_value: tuple[float | None, ...]
    n_reference: tuple[int, ...]
    n_comparator: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The result of a comparison; ``request`` is what was computed, nothing left out."""

    request: ComparisonRequest
    runs: tuple[SimulationMetadata, ...]
    series: SeriesColumns
    differences: DifferenceColumns
    provenance: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimizationOrder:
    """What to free: the runs that nobody has used for ``idle_for`` seconds."""

    idle_for: float = 3600.0


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
    """Where an import job stands; one that waits for its turn is running."""

    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """An import on the server.

    Attributes
    ----------
    done, total : int
        Runs finished and runs to do.
    current : str
        The run being worked on; empty at the end.
    outcomes : tuple of ImportOutcome
        One per run, once the job is finished.
    error : ErrorBody or None
        Why the job failed.
    """

    job_id: str
    state: JobState
    done: int
    total: int
    current: str
    outcomes: tuple[ImportOutcome, ...]
    error: ErrorBody | None
