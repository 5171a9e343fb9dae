"""What patients cost, and the work they make."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from ape_jupyter.model.comparison import TimeAlignment
from ape_jupyter.results.schema import COSTS
from ape_jupyter.results.summary.axis import MAX_DAYS, Ints, TimeAxes
from ape_jupyter.results.summary.counts import CountTable
from ape_jupyter.results.summary.followup import follow_up
from ape_jupyter.results.summary.keys import Kind, Method, TableKey
from ape_jupyter.results.summary.moments import Floats, MomentTable
from ape_jupyter.results.summary.sketch import buckets
from ape_jupyter.results.summary.steps import Coded, Steps
from ape_jupyter.results.summary.visits import patient_rows

__all__ = ["MAX_DAILY", "count_costs", "count_resources"]

MAX_DAILY = 32_767
"""More patients of one role on one day count as so many; the sums stay exact."""


def count_costs(
    axes: TimeAxes, patients: pa.Table, costs: pa.Table, first_patient: int = 0
) -> dict[TableKey, CountTable | MomentTable]:
    """Summarise costs: ``cost`` in total, and ``cost_<component>`` for each component.

    ``observed`` are the amounts of single rows, ``locf`` what each patient in follow-up has
    cost since enrolment, beginning with 0; an amount that is missing is none. Follow-up is
    that of :func:`~ape_jupyter.results.summary.followup.follow_up`, and reaches at least to the
    patient's last row here.

    Parameters
    ----------
    axes : TimeAxes
        Time axes of the run.
    patients, costs : pyarrow.Table
        Canonical tables: some patients of the run with all that they cost.
    first_patient : int
        What the code of ``patient_id`` in costs is for the first row of patients.

    Raises
    ------
    ValueError
        If a row is not of one of these patients, or rows are not sorted.
    """
    rows = patient_rows(patients, costs, first_patient)
    follow = follow_up(patients, axes)
    moments = costs["date"].cast(pa.int64()).to_numpy().astype(np.int64)
    since_start = axes.days_since_start(moments)
    since_enrolment = np.maximum(since_start - follow.enrolled[rows], 0)
    if ((np.diff(since_start) < 0) & (np.diff(rows) == 0)).any():
        raise ValueError("the costs are not sorted by time")
    first = np.flatnonzero(np.diff(rows, prepend=-1))
    last = np.append(first[1:], len(rows))[: len(first)] - 1
    last_cost = np.full(patients.num_rows, -1)
    last_cost[rows[first]] = since_enrolment[last]
    end = follow.until_seen(last_cost)

    result: dict[TableKey, CountTable | MomentTable] = {}
    for alignment in TimeAlignment:
        bins = axes.bins(alignment, since_enrolment, since_start)
        enrolled = axes.bins(alignment, np.zeros_like(follow.enrolled), follow.enrolled)
        last_bin = axes.bins(alignment, end, np.minimum(follow.enrolled + end, MAX_DAYS))
        steps = _steps(rows, first, last, bins, enrolled, last_bin)
        for metric, amounts in _amounts(costs):
            seen = ~np.isnan(amounts)
            result[TableKey(Kind.MOMENTS, metric, Method.OBSERVED, alignment)] = (
                MomentTable.of_observations(bins[seen], amounts[seen])
            )
            total = np.cumsum(np.nan_to_num(amounts, nan=0.0))
            before = np.append(0.0, total)[first]
            own = total - np.repeat(before, last - first + 1)
            spent = np.concatenate([np.zeros(len(enrolled)), own])
            carried, ended = steps.carried_moments(spent)
            result[TableKey(Kind.MOMENTS, metric, Method.LOCF, alignment)] = carried
            result[TableKey(Kind.MOMENTS, metric, Method.ENDED, alignment)] = ended
            _, carried_counts, ended_counts = steps.counted(Coded.of(buckets(spent))).tables()
            result[TableKey(Kind.SKETCH, metric, Method.LOCF, alignment)] = carried_counts
            result[TableKey(Kind.SKETCH, metric, Method.ENDED, alignment)] = ended_counts
    return {key: table for key, table in result.items() if len(table)}


def _amounts(costs: pa.Table) -> Iterator[tuple[str, Floats]]:
    own = {spec.name for spec in COSTS.columns}
    yield "cost", np.asarray(costs["total_cost"].to_numpy())
    for name in costs.column_names:
        if name not in own and pa.types.is_floating(costs[name].type):
            column = costs[name].fill_null(np.nan)
            yield f"cost_{name}", np.asarray(column.to_numpy())


def _steps(
    rows: Ints, first: Ints, last: Ints, bins: Ints, enrolled: Ints, last_bin: Ints
) -> Steps:
    visited = rows[first]
    over = np.empty_like(bins)
    over[:-1] = bins[1:]
    over[last] = np.maximum(last_bin[visited], bins[last]) + 1
    over_first = np.maximum(last_bin, enrolled) + 1
    over_first[visited] = bins[first]
    without = np.ones(len(enrolled), np.bool_)
    without[visited] = False
    return Steps(
        np.concatenate([np.minimum(enrolled, over_first), bins]),
        np.concatenate([over_first, over]),
        np.concatenate([np.flatnonzero(without), last + len(enrolled)]),
    )


def count_resources(
    axes: TimeAxes, resources: pa.Table
) -> dict[TableKey, CountTable | MomentTable]:
    """Summarise by bin how many patients a role saw on each day: ``workload_<role>``.

    Counts of days by number of patients, from which the sessions needed follow for any number
    of patients in a session; and moments, whose sums are exact also where the counts take more
    than :data:`MAX_DAILY` patients as so many. A role that is missing on a day of the table saw
    nobody. There is no ``relative`` alignment: a clinic's day is no patient's.
    """
    moments = resources["date"].cast(pa.int64()).to_numpy().astype(np.int64)
    days = axes.days_since_start(moments)
    result: dict[TableKey, CountTable | MomentTable] = {}
    for alignment in (TimeAlignment.ABSOLUTE, TimeAlignment.NORMALIZED):
        bins = axes.bins(alignment, days, days)
        for name in resources.column_names:
            if name == "date":
                continue
            seen = resources[name].fill_null(0).to_numpy().astype(np.int64)
            key = TableKey(Kind.COUNTS, f"workload_{name}", Method.OBSERVED, alignment)
            result[key] = CountTable.of_cells(bins, np.minimum(seen, MAX_DAILY), np.ones_like(bins))
            result[key._replace(kind=Kind.MOMENTS)] = MomentTable.of_observations(
                bins, seen.astype(np.float64)
            )
    return result
