"""The vocabulary of comparisons: types, alignments, metrics and the request itself."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = [
    "MIN_VISITS_TO_MENTION",
    "ComparisonRequest",
    "ComparisonType",
    "Metric",
    "MissingMetric",
    "Observations",
    "PatientCriterion",
    "PatientGrouping",
    "TimeAlignment",
]


class ComparisonType(StrEnum):
    """What is computed about two or more runs.

    ``OVERLAY`` and ``SIDE_BY_SIDE`` are two views of the same series; ``DIFFERENCE`` adds what
    each run has more than the reference, bin by bin; ``STATISTICAL`` adds tests and effect sizes
    at given times.
    """

    OVERLAY = "overlay"
    SIDE_BY_SIDE = "side_by_side"
    DIFFERENCE = "difference"
    STATISTICAL = "statistical"


class TimeAlignment(StrEnum):
    """What the time axis means.

    ``ABSOLUTE`` is the calendar, ``RELATIVE`` days since each patient's enrolment,
    ``NORMALIZED`` the share of the run's duration.
    """

    ABSOLUTE = "absolute"
    RELATIVE = "relative"
    NORMALIZED = "normalized"


class Observations(StrEnum):
    """Which values count in a time bin.

    ``OBSERVED``: those of the visits in the bin, so that a patient can count more than once, or
    not at all. ``LOCF``: of each patient in follow-up the last one observed, once.
    """

    OBSERVED = "observed"
    LOCF = "locf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A quantity that runs are compared by.

    Attributes
    ----------
    higher_is_better : bool or None
        None where neither direction is.
    """

    id: str
    label: str
    unit: str
    higher_is_better: bool | None


MIN_VISITS_TO_MENTION = 30
"""The mean of fewer visits says more about who still comes than about the treatment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingMetric:
    """That a run is left out of the comparison of a metric, and why.

    Attributes
    ----------
    by : str
        The column of whose subgroups it is left out; empty when it is left out of everything.
    """

    sim_id: str
    metric: str
    reason: str
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientCriterion:
    """What patients must have in a column: one of some values, or a number within a range.

    Attributes
    ----------
    minimum, maximum : float or None
        Both belong to the range; None for an open end.
    values : tuple of str
        As text, also of numbers; empty for a range.
    """

    column: str
    minimum: float | None = None
    maximum: float | None = None
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientGrouping:
    """Subgroups of patients by one column of their table.

    Attributes
    ----------
    cuts : tuple of float
        Ascending; each begins a subgroup, and what is below the first is one. Without any, each
        value of the column has its own.
    """

    column: str
    cuts: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonRequest:
    """A comparison, completely stated; equal requests on equal runs give equal results.

    Attributes
    ----------
    bin_width : int
        Days (relative), calendar months (absolute) or fiftieths of the duration (normalized).
    times : tuple of float or None
        When to test, on the scale of ``x``; None for the end of each year, and the end.
    paired : bool
        Whether runs with the same patients are also tested patient by patient.
    pool_replicates : bool
        Whether runs that are equal but for their seed count as one.
    patients : tuple of PatientCriterion
        Which patients are compared: those that meet all; without any, all patients.
    subgroups : tuple of PatientGrouping
        By what these are also compared in parts, by one column at a time.
    cost_effectiveness : bool
        Whether costs are set against letters gained, patient by patient.
    distributions : bool
        Whether counts by value are given at the times that are tested.
    """

    sim_ids: tuple[str, ...]
    comparison_type: ComparisonType
    metrics: tuple[str, ...]
    time_alignment: TimeAlignment
    reference: str
    confidence: float
    observations: Observations = Observations.OBSERVED
    bin_width: int = 28
    times: tuple[float, ...] | None = None
    paired: bool = False
    pool_replicates: bool = False
    patients: tuple[PatientCriterion, ...] = ()
    subgroups: tuple[PatientGrouping, ...] = ()
    cost_effectiveness: bool = False
    distributions: bool = False

    @property
    def reads_patients(self) -> bool:
        """Whether summaries are not enough, so that it takes longer the more patients there are."""
        return bool(self.patients or self.subgroups or self.paired or self.cost_effectiveness)
