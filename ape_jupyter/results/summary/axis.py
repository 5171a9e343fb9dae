"""The three time axes: from days to bins that add up to coarser ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from ape_jupyter.model.comparison import TimeAlignment

__all__ = [
    "DAYS_PER_YEAR",
    "MAX_DAYS",
    "NORMALIZED_BINS",
    "RELATIVE_BIN_DAYS",
    "Calendar",
    "Ints",
    "TimeAxes",
]

Ints = npt.NDArray[np.int64]

RELATIVE_BIN_DAYS = 7
NORMALIZED_BINS = 50
DAYS_PER_YEAR = 365.25

MAX_DAYS = 36_525
"""Days further than a century from the start are counted at a century: a table has one row for
each bin, and one absurd date must not make it as large as the memory."""

_MICROSECONDS_PER_DAY = 86_400_000_000
_EPOCH_MONTH = 1970 * 12


class TimeAxes:
    """Bins of one run's days, by alignment.

    ========== ======================================================================
    relative   weeks since the patient's enrolment: ``days // 7``
    absolute   calendar months in UTC: ``year * 12 + month - 1``
    normalized fiftieths of the run's duration, the first and last taking what lies
               outside; a year has 365.25 days
    ========== ======================================================================

    Parameters
    ----------
    start_date : datetime
        The run's start, the earliest enrolment; taken as UTC when it has no zone.
    duration_years : float
        The run's duration; less than a day counts as a day.
    """

    def __init__(self, start_date: datetime, duration_years: float) -> None:
        if start_date.tzinfo is not None:
            start_date = start_date.astimezone(UTC).replace(tzinfo=None)
        self.start_day = int(np.datetime64(start_date, "D").astype(np.int64))
        self.duration_days = max(duration_years * DAYS_PER_YEAR, 1.0)

    @property
    def run_end(self) -> int:
        """The last whole day of the run, in days since its start."""
        return min(int(self.duration_days), MAX_DAYS)

    def days_since_start(self, microseconds: Ints) -> Ints:
        """Return whole days since the run's start of timestamps in µs since 1970."""
        days = microseconds // _MICROSECONDS_PER_DAY
        days -= self.start_day
        return np.clip(days, -MAX_DAYS, MAX_DAYS, out=days)

    def bins(self, alignment: TimeAlignment, since_enrolment: Ints, since_start: Ints) -> Ints:
        """Return the bin of each day, which is given in both ways of counting."""
        if alignment is TimeAlignment.RELATIVE:
            return since_enrolment // RELATIVE_BIN_DAYS
        if alignment is TimeAlignment.ABSOLUTE:
            return _by_day(since_start, self._month)
        return _by_day(since_start, self._share)

    def calendar(self, first_day: int, last_day: int) -> Calendar:
        """Cut days since the run's start into spans that lie in one bin of every alignment."""
        days = np.arange(first_day, last_day + 1)
        month, share = self._month(days), self._share(days)
        # A run of less than 50 days has bins without a day; they get spans, which stay empty.
        spans = np.cumsum(
            np.maximum(np.diff(month, prepend=month[0]), np.diff(share, prepend=share[0]))
        )
        n_spans = int(spans[-1]) + 1
        day = np.searchsorted(spans, np.arange(n_spans), side="right") - 1
        following = np.minimum(day + 1, len(days) - 1)
        shares = np.minimum(share[day] + np.arange(n_spans) - spans[day], share[following])
        # One bin more: where steps are over.
        bins = {
            alignment: np.append(own, own[-1] + 1)
            for alignment, own in (
                (TimeAlignment.ABSOLUTE, month[day]),
                (TimeAlignment.NORMALIZED, shares),
            )
        }
        return Calendar(first_day, spans, bins)

    def _month(self, days: Ints) -> Ints:
        months = (days + self.start_day).astype("datetime64[D]").astype("datetime64[M]")
        return months.astype(np.int64) + _EPOCH_MONTH

    def _share(self, days: Ints) -> Ints:
        bins = np.floor(days / self.duration_days * NORMALIZED_BINS).astype(np.int64)
        return np.clip(bins, 0, NORMALIZED_BINS - 1)


@dataclass(frozen=True, slots=True)
class Calendar:
    """Spans of days since the run's start, numbered from 0.

    Months and shares of the run are different bins of the same days: what is counted by span, in
    one pass over the visits, adds up to both.

    Attributes
    ----------
    bins : mapping
        By alignment the bin of each span, and of what follows the last.
    """

    first_day: int
    span_of_day: Ints
    bins: Mapping[TimeAlignment, Ints]

    def spans(self, days: Ints) -> Ints:
        """Return the span of each day."""
        return self.span_of_day[days - self.first_day]


def _by_day(days: Ints, bin_of: Callable[[Ints], Ints]) -> Ints:
    """Bin each of a few thousand days once, and look the millions of visits up."""
    if not len(days):
        return days
    first = int(days.min())
    return np.asarray(bin_of(np.arange(first, int(days.max()) + 1))[days - first])
