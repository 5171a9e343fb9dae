"""Tests and effect sizes at points of time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np

from ape_jupyter.model.comparison import ComparisonRequest, MissingMetric, TimeAlignment
from ape_jupyter.model.metrics import MetricDefinition, MetricSource
from ape_jupyter.results.summary.axis import DAYS_PER_YEAR
from ape_jupyter.services.compare.inference.multiplicity import benjamini_hochberg, holm
from ape_jupyter.services.compare.inference.outcome import TestOutcome
from ape_jupyter.services.compare.inference.shares import chi_square
from ape_jupyter.services.compare.measured.shares import Shares
from ape_jupyter.services.compare.measuring import ByState, at_the_end
from ape_jupyter.services.compare.runs import ComparedRun
from ape_jupyter.services.compare.scale import TimeScale

__all__ = ["END", "outcome_row", "tests_of_metric", "with_adjusted_p_values"]

END = "end"
"""The time point at which each patient counts once, as last seen in follow-up."""

_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class _Moment:
    """A time point, and ``x`` where it lies; at the end, ``x`` is that of the shorter run."""

    name: str
    x: float


def tests_of_metric(
    request: ComparisonRequest,
    definition: MetricDefinition,
    scale: TimeScale,
    runs: Mapping[str, ComparedRun],
    measured: Mapping[str, ByState],
) -> tuple[list[dict[str, Any]], list[MissingMetric]]:
    """Test every run that has the metric against the reference.

    Returns
    -------
    rows : list of dict
        Of ``TESTS_SCHEMA``, without adjusted p-values.
    unseen : list of MissingMetric
        Runs that have nothing at a time point.
    """
    rows: list[dict[str, Any]] = []
    unseen: dict[tuple[str, str], MissingMetric] = {}
    reference = request.reference
    ends = {sim_id: at_the_end(runs[sim_id], definition) for sim_id in measured}
    for sim_id in measured:
        if sim_id == reference:
            continue
        for moment in _moments(request, definition, runs[reference], runs[sim_id]):
            is_end = moment.name == END
            key = 0 if is_end else scale.key(moment.x)
            its, own = ((ends if is_end else measured)[s] for s in (reference, sim_id))
            positions = _position(its, key), _position(own, key)
            for run, position in zip((reference, sim_id), positions, strict=True):
                if position is None:
                    unseen[run, moment.name] = MissingMetric(
                        sim_id=run,
                        metric=definition.metric.id,
                        reason=f"nothing was observed at {moment.name}",
                    )
            if None in positions:
                continue
            common = {
                "metric": definition.metric.id,
                "reference": reference,
                "comparator": sim_id,
                "time": moment.x,
                "time_point": moment.name,
            }
            at = (positions[0] or 0, positions[1] or 0)
            rows += [common | row for row in _rows(its, own, at, request.confidence)]
    return rows, list(unseen.values())


def _position(states: ByState, key: int) -> int | None:
    keys = next(iter(states.values())).keys
    position = int(np.searchsorted(keys, key))
    return position if position < len(keys) and keys[position] == key else None


def _rows(
    reference: ByState, comparator: ByState, at: tuple[int, int], confidence: float
) -> Iterator[dict[str, Any]]:
    its_row, own_row = at
    first = next(iter(comparator))
    if len(comparator) > 1:
        outcome = chi_square(_events(reference, its_row), _events(comparator, own_row), confidence)
        sizes = int(reference[first].n[its_row]), int(comparator[first].n[own_row])
        yield outcome_row(outcome, "", sizes)
    for state, own in comparator.items():
        its = reference[state]
        sizes = int(its.n[its_row]), int(own.n[own_row])
        for outcome in own.outcomes(its, own_row, its_row, confidence):
            yield outcome_row(outcome, state, sizes)


def _events(states: ByState, row: int) -> np.ndarray:
    return np.array([s.events[row] for s in states.values() if isinstance(s, Shares)], float)


def outcome_row(outcome: TestOutcome, state: str, sizes: tuple[int, int]) -> dict[str, Any]:
    """Return the columns of ``TESTS_SCHEMA`` that one test fills."""
    effect, difference = outcome.effect, outcome.difference
    return {
        "test": outcome.test,
        "statistic": outcome.statistic,
        "p_value": outcome.p_value,
        "effect": effect.name,
        "effect_size": effect.size,
        "effect_low": effect.low,
        "effect_high": effect.high,
        "state": state,
        "n_reference": sizes[0],
        "n_comparator": sizes[1],
        "difference": difference.size,
        "difference_low": difference.low,
        "difference_high": difference.high,
    }


def _moments(
    request: ComparisonRequest,
    definition: MetricDefinition,
    reference: ComparedRun,
    comparator: ComparedRun,
) -> list[_Moment]:
    """Return when two runs are tested."""
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
        return [_Moment(END, end)]
    if request.times is not None:
        return [_Moment(_named(time, alignment), time) for time in request.times]
    if alignment is TimeAlignment.RELATIVE:
        n_years = math.ceil(shorter / DAYS_PER_YEAR - 1e-9)
        years = [_Moment(f"year {k}", k * DAYS_PER_YEAR) for k in range(1, n_years)]
        return [*years, _Moment(END, end)]
    if alignment is TimeAlignment.NORMALIZED:
        return [_Moment(END, end)]
    if start >= stop:
        return []
    first, last = (_EPOCH + timedelta(days=day) for day in (start, stop))
    last_days = [date(year, 12, 31) for year in range(first.year, last.year)]
    years = [_Moment(f"end of {day.year}", float((day - _EPOCH).days)) for day in last_days]
    return [*years, _Moment(END, end)]


def _named(time: float, alignment: TimeAlignment) -> str:
    if alignment is TimeAlignment.RELATIVE:
        return f"day {time:g}"
    if alignment is TimeAlignment.NORMALIZED:
        return f"{time:.0%} of the run"
    return (_EPOCH + timedelta(days=time)).isoformat()


def with_adjusted_p_values(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Adjust p-values over all rows: they are one family, whatever the metric."""
    p_values = np.array([row["p_value"] for row in rows], float)
    adjusted = zip(rows, holm(p_values), benjamini_hochberg(p_values), strict=True)
    return [row | {"p_holm": h, "p_bh": b} for row, h, b in adjusted]
