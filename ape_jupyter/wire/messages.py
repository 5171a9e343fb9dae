"""Bodies of requests and answers that are not already a concept of the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from ape_jupyter.model.comparison import (
    ComparisonRequest,
    ComparisonType,
    Metric,
    MissingMetric,
    Observations,
    PatientCriterion,
    TimeAlignment,
)
from ape_jupyter.model.file_system import FileSystem
from ape_jupyter.model.listing import ImportOutcome
from ape_jupyter.model.performance import Advice
from ape_jupyter.model.simulation import SimulationMetadata
from ape_jupyter.model.watch import SETTLE_SECONDS, WatchState
from ape_jupyter.wire.errors import ErrorBody

__all__ = [
    "Comparison",
    "ComparisonOrder",
    "DifferenceColumns",
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
    "ProtocolDiffColumns",
    "PurgeOrder",
    "SeriesColumns",
    "SimulationList",
    "SuggestionList",
    "TagChange",
    "TestColumns",
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
class ComparisonOrder:
    """A comparison as asked for; what is left out, the library chooses.

    Attributes
    ----------
    metrics : tuple of str or None
        Ids, also `cost_<component>` and `workload_<role>`; `all` alone for whatever the runs
        have. Only vision when None.
    reference : str or None
        The first run when None.
    observations : Observations or None
        `locf` for tests and `observed` else when None.
    bin_width : int or None
        Days (relative), calendar months (absolute) or fiftieths of the duration (normalized);
        28, 1 and 1 when None.
    times : tuple of float or tuple of str or None
        When to test: days, shares or ISO dates; the end of each year and the end when None.
    paired : bool
        Whether runs with the same patients are also tested patient by patient.
    pool_replicates : bool
        Whether runs that are equal but for their seed count as one.
    patients : tuple of PatientCriterion
        Which patients are compared: those that meet all; all patients when there is none.
    """

    sim_ids: tuple[str, ...]
    comparison_type: ComparisonType = ComparisonType.OVERLAY
    metrics: tuple[str, ...] | None = None
    time_alignment: TimeAlignment = TimeAlignment.ABSOLUTE
    reference: str | None = None
    confidence: float = 0.95
    observations: Observations | None = None
    bin_width: int | None = None
    times: tuple[float, ...] | tuple[str, ...] | None = None
    paired: bool = False
    pool_replicates: bool = False
    patients: tuple[PatientCriterion, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesColumns:
    """One row per run, metric, state and time bin, as columns of equal length.

    Attributes
    ----------
    x : tuple of float or tuple of str
        Left edge of the bin: days (relative), share of the duration 0 to 1 (normalized),
        or ISO date (absolute).
    state : tuple of str
        Empty for a metric that has no states.
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
    state: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceColumns:
    """One row per metric, state, comparator and bin; difference = comparator - reference."""

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
    state: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TestColumns:
    """One row per test: comparator against reference, of a metric at a time point.

    Attributes
    ----------
    time : tuple of float or tuple of str
        As `x` of the series.
    p_holm, p_bh : tuple of float or None
        Adjusted over all rows, by Holm and by Benjamini and Hochberg.
    effect : tuple of str
        Which effect size it is.
    difference, difference_low, difference_high : tuple of float or None
        In the unit of the metric, where the test is of a difference.
    """

    __test__ = False  # not a test case, whatever pytest takes its name for

    metric: tuple[str, ...]
    reference: tuple[str, ...]
    comparator: tuple[str, ...]
    time: tuple[float, ...] | tuple[str, ...]
    test: tuple[str, ...]
    statistic: tuple[float | None, ...]
    p_value: tuple[float | None, ...]
    p_holm: tuple[float | None, ...]
    p_bh: tuple[float | None, ...]
    effect: tuple[str, ...]
    effect_size: tuple[float | None, ...]
    effect_low: tuple[float | None, ...]
    effect_high: tuple[float | None, ...]
    state: tuple[str, ...]
    time_point: tuple[str, ...]
    n_reference: tuple[int, ...]
    n_comparator: tuple[int, ...]
    difference: tuple[float | None, ...]
    difference_low: tuple[float | None, ...]
    difference_high: tuple[float | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtocolDiffColumns:
    """One row per parameter that a run has otherwise than the reference.

    Attributes
    ----------
    path : tuple of str
        Names from the outside in, with dots between them.
    old, new : tuple of str or None
        What the reference and the comparator have, as JSON; null for none.
    unit : tuple of str
        Empty where the parameter's name does not tell it.
    """

    reference: tuple[str, ...]
    comparator: tuple[str, ...]
    path: tuple[str, ...]
    old: tuple[str | None, ...]
    new: tuple[str | None, ...]
    unit: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The result of a comparison; ``request`` is what was computed, nothing left out.

    Attributes
    ----------
    missing : tuple of MissingMetric
        Runs that are left out of a metric, and why.
    notes : tuple of str
        What a reader should know of how the numbers were made.
    """

    request: ComparisonRequest
    runs: tuple[SimulationMetadata, ...]
    metrics: tuple[Metric, ...]
    series: SeriesColumns
    differences: DifferenceColumns
    tests: TestColumns
    protocol_diff: ProtocolDiffColumns
    missing: tuple[MissingMetric, ...]
    notes: tuple[str, ...]
    provenance: Mapping[str, Any]


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
