"""The vocabulary of comparisons: types, alignments, metrics and the request itself."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = [
    "METRICS",
    "MIN_VISITS_TO_MENTION",
    "ComparisonRequest",
    "ComparisonType",
    "Metric",
    "TimeAlignment",
]


class ComparisonType(StrEnum):
    """What is computed about two or more runs."""

    OVERLAY = "overlay"
    DIFFERENCE = "difference"


class TimeAlignment(StrEnum):
    """What the time axis means.

    ``ABSOLUTE`` is the calendar, ``RELATIVE`` days since each patient's enrolment,
    ``NORMALIZED`` the share of the run's duration.
    """

    ABSOLUTE = "absolute"
    RELATIVE = "relative"
    NORMALIZED = "normalized"


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

METRICS: dict[str, Metric] = {
    "vision": Metric(
        id="vision", label="Visual acuity", unit="ETDRS letters", higher_is_better=True
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonRequest:
    """A comparison, completely stated; equal requests on equal runs give equal results."""

    sim_ids: tuple[str, ...]
    comparison_type: ComparisonType
    metrics: tuple[str, ...]
    time_alignment: TimeAlignment
    reference: str
    confidence: float
