"""Points of time at which runs are tested, or their values counted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta

from ape_jupyter.model.comparison import ComparisonRequest, TimeAlignment
from ape_jupyter.model.metrics import MetricDefinition, MetricSource
from ape_jupyter.results.summary.axis import DAYS_PER_YEAR
from ape_jupyter.services.compare.runs import ComparedRun

__all__ = ["END", "Moment", "shared_moments"]

END = "end"
"""The time point at which each patient counts once, as last seen in follow-up."""

_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Moment:
    """A time point, and ``x`` where it lies; at the end, ``x`` is that of the shorter run."""

    name: str
    x: float

    @property
    def is_end(self) -> bool:
        """Whether it is the end."""
        return self.name == END


def shared_moments(
    request: ComparisonRequest,
    definition: MetricDefinition,
    reference: ComparedRun,
    comparator: ComparedRun,
) -> list[Moment]:
    """Return when two runs are tested; a run alone is given twice."""
    alignment = request.time_alignment
    shorter = min(reference.duration_days, comparator.duration_days)
    start = max(reference.start_day, comparator.start_day)
    stop = min(run.start_day + run.duration_days for run in (reference, comparator))
    end = {
        TimeAlignment.RELATIVE: float(int(shorter)),
        TimeAlignment.ABSOLUTE: float(int(stop)),
        TimeAlignment.NORMALIZED: 1.0,
    }[alignment]
    if definition.source is MetricSource.SURVIVAL:
        # The log-rank test is of the whole time.
        return [Moment(END, end)]
    if request.times is not None:
        return [Moment(_named(time, alignment), time) for time in request.times]
    if alignment is TimeAlignment.RELATIVE:
        n_years = math.ceil(shorter / DAYS_PER_YEAR - 1e-9)
        years = [Moment(f"year {k}", k * DAYS_PER_YEAR) for k in range(1, n_years)]
        return [*years, Moment(END, end)]
    if alignment is TimeAlignment.NORMALIZED:
        return [Moment(END, end)]
    if start >= stop:
        return []
    first, last = (_EPOCH + timedelta(days=day) for day in (start, stop))
    last_days = [date(year, 12, 31) for year in range(first.year, last.year)]
    years = [Moment(f"end of {day.year}", float((day - _EPOCH).days)) for day in last_days]
    return [*years, Moment(END, end)]


def _named(time: float, alignment: TimeAlignment) -> str:
    if alignment is TimeAlignment.RELATIVE:
        return f"day {time:g}"
    if alignment is TimeAlignment.NORMALIZED:
        return f"{time:.0%} of the run"
    return (_EPOCH + timedelta(days=time)).isoformat()
