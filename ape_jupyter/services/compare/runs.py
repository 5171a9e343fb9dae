"""A run as comparisons see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from ape_jupyter.results.summary import Summary
from ape_jupyter.results.summary.axis import DAYS_PER_YEAR
from ape_jupyter.services.compare.inference.cost_effectiveness import JointMoments

__all__ = ["WORKING_DAYS", "ComparedRun"]

WORKING_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri")


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedRun:
    """A run, or several pooled into an arm, with what its summary does not say.

    Attributes
    ----------
    currency : str or None
        Of its costs; None when nobody says.
    capacities : mapping
        How many patients one session of each role takes.
    working_days : tuple of str
        Three letters each.
    seed : int or None
        Of the random numbers; runs with one seed may have the same patients.
    design : str or None
        Equal for runs that are equal but for their seed; None when that can not be known.
    joint : JointMoments or None
        Of costs and letters gained; None where they are not asked for, or there are no costs.
    replicates : tuple of ComparedRun
        The runs that were pooled into this arm; none for a single run.
    """

    sim_id: str
    start_date: datetime
    duration_years: float
    summary: Summary = field(default_factory=lambda: Summary({}))
    currency: str | None = None
    capacities: Mapping[str, int] = field(default_factory=dict)
    working_days: tuple[str, ...] = WORKING_DAYS
    seed: int | None = None
    design: str | None = None
    joint: JointMoments | None = None
    replicates: tuple[ComparedRun, ...] = ()

    @property
    def start_day(self) -> int:
        """Days from 1970-01-01 to the run's start."""
        start = self.start_date
        naive = start.astimezone(UTC).replace(tzinfo=None) if start.tzinfo else start
        return (naive - datetime(1970, 1, 1)) // timedelta(days=1)  # noqa: DTZ001 - both in UTC

    @property
    def duration_days(self) -> float:
        """Length of the run."""
        return max(self.duration_years * DAYS_PER_YEAR, 1.0)
