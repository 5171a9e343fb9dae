"""Counts that follow from patients and their visits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ape_jupyter.model.comparison import TimeAlignment
from ape_jupyter.results.summary.axis import MAX_DAYS, Ints, TimeAxes
from ape_jupyter.results.summary.counts import CountTable, count_cells
from ape_jupyter.results.summary.followup import CENSORED, FollowUp, follow_up
from ape_jupyter.results.summary.keys import Kind, Method, TableKey
from ape_jupyter.results.summary.steps import Coded, Steps
from ape_jupyter.results.summary.treatment import MAX_INTERVAL_DAYS, treatment_states

__all__ = ["MAX_CUMULATIVE", "count_visits", "patient_rows"]

MAX_CUMULATIVE = 5_000
"""More injections or visits of one patient count as this many: 95 years of weekly visits."""

Counts = dict[TableKey, CountTable]


@dataclass(frozen=True, slots=True)
class _Visits:
    """Columns of visits, sorted by patient and time, and where each patient's visits lie."""

    patient: Ints
    since_enrolment: Ints
    since_start: Ints
    injected: npt.NDArray[np.bool_]
    first: Ints
    last: Ints

    @property
    def visited(self) -> Ints:
        """Rows of the patients that have visits, one for each entry of first and last."""
        return self.patient[self.first]

    def per_visit(self, of_first: Ints) -> Ints:
        """Repeat what there is once for each patient with visits, for each of the visits."""
        return np.repeat(of_first, self.last - self.first + 1)


@dataclass(frozen=True, slots=True)
class _Values:
    """Values at each visit, by metric.

    Attributes
    ----------
    at_visits, states : mapping
        What the visits show. States are two, of few values each, and are counted together.
    cumulative : mapping
        What has come together up to the visit, and begins with 0 at enrolment.
    """

    at_visits: Mapping[str, Coded]
    states: Mapping[str, Coded]
    cumulative: Mapping[str, Coded]


def count_visits(
    axes: TimeAxes, patients: pa.Table, visits: pa.Table, first_patient: int = 0
) -> Counts:
    """Count all metrics that follow from patients and visits.

    Parameters
    ----------
    axes : TimeAxes
        Time axes of the run.
    patients, visits : pyarrow.Table
        Canonical tables: some patients of the run with all of their visits.
    first_patient : int
        What the code of ``patient_id`` in visits is for the first row of patients.

    Raises
    ------
    ValueError
        If a visit is not of one of these patients, or visits are not sorted.
    """
    seen = _read(axes, patients, visits, first_patient)
    follow = follow_up(patients, axes)
    last_seen = np.full(patients.num_rows, -1)
    last_seen[seen.visited] = seen.since_enrolment[seen.last]
    end = follow.until_seen(last_seen)
    result = _persistence(follow, last_seen)
    values = _values(patients, visits, seen, follow, end)
    for axis in _axes(axes, seen, follow, end):
        result |= _count_along(axis, seen, values, last_seen)
        for alignment in axis.bins:
            days = _patient_days(axes, alignment, follow.enrolled, end)
            result[_key("patient_days", Method.OBSERVED, alignment)] = days
    for key in [key for key in result if key.metric == "treatment_interval"]:
        result[key] = result[key].from_value(0)
    return {key: table for key, table in result.items() if len(table)}


@dataclass(frozen=True, slots=True)
class _Axis:
    """Spans of time of one way to count days, and the bins that they lie in.

    Attributes
    ----------
    enrolled, last : ndarray
        Span of each patient's enrolment and of the last day of follow-up.
    visits : ndarray
        Span of each visit.
    bins : mapping
        For each alignment that counts days in this way, the bin of each span.
    """

    enrolled: Ints
    last: Ints
    visits: Ints
    bins: Mapping[TimeAlignment, Ints]


def _axes(axes: TimeAxes, seen: _Visits, follow: FollowUp, end: Ints) -> Iterator[_Axis]:
    relative = TimeAlignment.RELATIVE
    first, last = np.zeros_like(end), axes.bins(relative, end, end)
    weeks = axes.bins(relative, seen.since_enrolment, seen.since_start)
    n_weeks = int(max(last.max(initial=0), weeks.max(initial=0))) + 1
    yield _Axis(first, last, weeks, {relative: np.arange(n_weeks + 1)})

    last_day = np.minimum(follow.enrolled + end, MAX_DAYS)
    days = (follow.enrolled, last_day, seen.since_start)
    calendar = axes.calendar(
        int(min(own.min(initial=0) for own in days)), int(max(own.max(initial=0) for own in days))
    )
    enrolled, last, visits = map(calendar.spans, days)
    yield _Axis(enrolled, last, visits, calendar.bins)


def _count_along(axis: _Axis, seen: _Visits, values: _Values, last_seen: Ints) -> Counts:
    """Count visits by span, once, and join the counts for each alignment."""
    steps = _steps(seen, axis.visits, axis.last)
    counted = {metric: steps.counted(coded) for metric, coded in values.at_visits.items()}
    pair = steps.counted_together(*values.states.values())
    counted |= zip(values.states, pair, strict=True)
    totals = {metric: steps.counted(coded) for metric, coded in values.cumulative.items()}
    nothing = Coded.of(np.zeros(len(axis.enrolled), np.int64))
    before = _before_visits(seen, steps, axis.enrolled, axis.last).counted(nothing)
    injected = count_cells(axis.visits, seen.injected.astype(np.int64))
    enrolled = count_cells(axis.enrolled, (last_seen >= 0).astype(np.int64))
    moved = {}
    if steps.start is not axis.visits:
        moved = {
            metric: count_cells(axis.visits, coded.codes + coded.first)
            for metric, coded in {**values.at_visits, **values.states}.items()
        }
    result = {}
    for alignment, bin_of in axis.bins.items():
        for metric, own in counted.items():
            begun, carried, ended = own.joined(bin_of).tables()
            if metric in moved:
                begun = moved[metric].rebinned(bin_of)
            result[_key(metric, Method.OBSERVED, alignment)] = begun
            result[_key(metric, Method.LOCF, alignment)] = carried
            result[_key(metric, Method.ENDED, alignment)] = ended
        _, waiting, left = before.joined(bin_of).tables()
        for metric, own in totals.items():
            _, carried, ended = own.joined(bin_of).tables()
            result[_key(metric, Method.LOCF, alignment)] = carried + waiting
            result[_key(metric, Method.ENDED, alignment)] = ended + left
        result[_key("injection_rate", Method.OBSERVED, alignment)] = injected.rebinned(bin_of)
        result[_key("enrolment", Method.OBSERVED, alignment)] = enrolled.rebinned(bin_of)
    return result


def _key(metric: str, method: Method, alignment: TimeAlignment) -> TableKey:
    return TableKey(Kind.COUNTS, metric, method, alignment)


def patient_rows(patients: pa.Table, table: pa.Table, first_patient: int) -> Ints:
    """Return the row in patients of each row of a table that is sorted by patient.

    Raises
    ------
    ValueError
        If a row is not of one of these patients, or rows are not sorted.
    """
    column = table["patient_id"]
    if column.num_chunks != 1:
        column = column.unify_dictionaries().combine_chunks()
        codes = column.chunk(0) if isinstance(column, pa.ChunkedArray) else column
    else:
        codes = column.chunk(0)
    rows: Ints = codes.indices.to_numpy().astype(np.int64)
    rows -= first_patient
    if len(rows) and (rows[0] < 0 or rows[-1] >= patients.num_rows or (np.diff(rows) < 0).any()):
        raise ValueError("the rows are not of these patients, or not sorted by patient")
    return rows


def _read(axes: TimeAxes, patients: pa.Table, visits: pa.Table, first_patient: int) -> _Visits:
    rows = patient_rows(patients, visits, first_patient)
    since_enrolment = np.minimum(_integers(visits["time_days"]), MAX_DAYS)
    is_first = np.diff(rows, prepend=-1) != 0
    if (np.diff(since_enrolment)[~is_first[1:]] < 0).any():
        raise ValueError("the visits are not sorted by time")
    first = np.flatnonzero(is_first)
    return _Visits(
        patient=rows,
        since_enrolment=since_enrolment,
        since_start=axes.days_since_start(_integers(visits["date"].cast(pa.int64()))),
        injected=visits["injected"].to_numpy(),
        first=first,
        last=np.append(first[1:], len(rows))[: len(first)] - 1,
    )


def _integers(column: pa.ChunkedArray) -> Ints:
    return np.asarray(column.to_numpy()).astype(np.int64)


def _values(
    patients: pa.Table, visits: pa.Table, seen: _Visits, follow: FollowUp, end: Ints
) -> _Values:
    """Return each metric's value at every visit.

    A first visit has no interval before it: −1, to be left out of what is counted.
    """
    vision = _integers(visits["vision"])
    baseline = _integers(patients["baseline_vision"])
    state = visits["disease_state"]
    codes: Any = state.combine_chunks()
    codes = codes.chunk(0) if isinstance(codes, pa.ChunkedArray) else codes
    disease = codes.indices.to_numpy().astype(np.int64)
    planned = np.zeros(len(seen.last))
    if "next_interval_days" in visits.column_names:
        column = visits["next_interval_days"].take(pa.array(seen.last))
        planned = np.asarray(column.cast(pa.float64()).fill_null(0.0).to_numpy())
    visited = seen.visited
    leaves_run = seen.since_enrolment[seen.last] + planned > end[visited]
    goes_on = leaves_run & (follow.outcome[visited] == CENSORED)
    treatment = treatment_states(
        seen.since_enrolment, seen.last, np.where(goes_on, planned, 0).astype(np.int64)
    )
    interval = np.minimum(np.diff(seen.since_enrolment, prepend=0), MAX_INTERVAL_DAYS)
    interval[seen.first] = -1
    return _Values(
        at_visits={
            "vision": Coded.of(vision),
            "vision_change": Coded.of(vision - seen.per_visit(baseline[visited])),
            "treatment_interval": Coded.of(interval),
        },
        states={"disease_state": Coded.of(disease), "treatment_state": Coded.of(treatment)},
        cumulative={
            "injections": Coded.of(_running_total(seen, np.cumsum(seen.injected))),
            "visits": Coded.of(_running_total(seen, np.arange(1, len(seen.patient) + 1))),
        },
    )


def _steps(seen: _Visits, bins: Ints, last_bin: Ints) -> Steps:
    """Let each visit's value count until the patient's next visit, or the end of follow-up."""
    if len(bins) and (np.diff(bins)[np.diff(seen.patient) == 0] < 0).any():
        # Dates may contradict time_days, by which visits are sorted; a value that a later
        # visit has replaced does not come back.
        span = int(bins.max() - bins.min()) + 1
        raised = np.maximum.accumulate(bins + seen.patient * span)
        bins = raised - seen.patient * span
    over = np.empty_like(bins)
    over[:-1] = bins[1:]
    over[seen.last] = np.maximum(last_bin[seen.visited], bins[seen.last]) + 1
    return Steps(bins, over, seen.last)


def _before_visits(seen: _Visits, steps: Steps, enrolled: Ints, last_bin: Ints) -> Steps:
    """Let a step count from enrolment until the first visit, or without one, the end."""
    over = np.maximum(last_bin, enrolled) + 1
    over[seen.visited] = steps.start[seen.first]
    unvisited = np.ones(len(enrolled), np.bool_)
    unvisited[seen.visited] = False
    return Steps(np.minimum(enrolled, over), over, np.flatnonzero(unvisited))


def _running_total(seen: _Visits, total: Ints) -> Ints:
    before = np.append(0, total)[seen.first]
    return np.asarray(np.minimum(total - seen.per_visit(before), MAX_CUMULATIVE))


def _patient_days(
    axes: TimeAxes, alignment: TimeAlignment, enrolled: Ints, end: Ints
) -> CountTable:
    """Count days at risk by bin, from the day of enrolment until before the last of follow-up."""
    begin = np.zeros_like(enrolled) if alignment is TimeAlignment.RELATIVE else enrolled
    stop = begin + end
    n_days = int(stop.max(initial=0)) + 1
    at_risk = np.bincount(begin, minlength=n_days) - np.bincount(stop, minlength=n_days)
    days = np.arange(n_days)
    bins = axes.bins(alignment, days, days)
    return CountTable.of_cells(bins, np.zeros_like(bins), at_risk.cumsum())


def _persistence(follow: FollowUp, last_seen: Ints) -> Counts:
    """Count by exact day since enrolment, and outcome, how time on treatment ended.

    A patient without visits was never treated, so these are kept apart.
    """
    day, outcome = follow.time_on_treatment(last_seen)
    result = {}
    for method, chosen in (
        (Method.OBSERVED, last_seen >= 0),
        (Method.WITHOUT_VISITS, last_seen < 0),
    ):
        own = chosen & follow.is_known
        key = _key("persistence", method, TimeAlignment.RELATIVE)
        result[key] = count_cells(day[own], outcome[own])
    return result
