"""From a run's summary to what it has of a metric, or why it has nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Protocol

import numpy as np

from ape_jupyter.model.comparison import Observations, TimeAlignment
from ape_jupyter.model.metrics import MetricDefinition, MetricSource
from ape_jupyter.results.schema import DISEASE_STATES
from ape_jupyter.results.summary import (
    CountTable,
    Distribution,
    Kind,
    LifeTable,
    Method,
    MomentTable,
    life_table,
)
from ape_jupyter.results.summary.axis import DAYS_PER_YEAR, Ints, TimeAxes
from ape_jupyter.results.summary.treatment import TREATMENT_STATES
from ape_jupyter.services.compare.measured.amounts import Amounts, carried_moments
from ape_jupyter.services.compare.measured.measured import Measured
from ape_jupyter.services.compare.measured.persistence import Persistence
from ape_jupyter.services.compare.measured.rates import Rates
from ape_jupyter.services.compare.measured.shares import Shares
from ape_jupyter.services.compare.measured.values import Values
from ape_jupyter.services.compare.runs import ComparedRun
from ape_jupyter.services.compare.scale import TimeScale

__all__ = ["ByState", "at_the_end", "by_bin", "reason_missing"]

ByState = Mapping[str, Measured]
"""Measurements by state; one, of state "", for a metric that has no states."""

_CUMULATIVE = ("injections", "visits")
"""What all patients in follow-up have so far; there is nothing to observe at a single visit."""

_STATE_NAMES = {"disease_state": DISEASE_STATES, "treatment_state": TREATMENT_STATES}


def reason_missing(run: ComparedRun, definition: MetricDefinition, scale: TimeScale) -> str | None:
    """Say what a run lacks for a metric on this time axis; None when it lacks nothing."""
    if definition.source is MetricSource.WORK:
        return _no_work(run, definition.table, scale.alignment)
    has_table = definition.table in run.summary.metrics
    if definition.source is MetricSource.MONEY and not has_table:
        if "cost" not in run.summary.metrics:
            return "the run has no costs"
        return f"its costs have no component {definition.metric.id.removeprefix('cost_')!r}"
    if definition.source is MetricSource.SURVIVAL:
        if not len(run.summary.counts("persistence", Method.OBSERVED, TimeAlignment.RELATIVE)):
            return "its tables do not say who discontinued, or nobody had a visit"
        if scale.alignment is not TimeAlignment.RELATIVE:
            return "persistence is a matter of time since enrolment: use relative time"
    if has_table:
        return None
    if definition.table == "treatment_interval":
        return "none of its patients has two visits"
    return "the run has no visits"


def _no_work(run: ComparedRun, table: str, alignment: TimeAlignment) -> str | None:
    role = table.removeprefix("workload_")
    if not any(name.startswith("workload_") for name in run.summary.metrics):
        return "the run has no resource usage"
    if table not in run.summary.metrics:
        return f"its resource usage has no role {role!r}"
    if role not in run.capacities:
        return f"it is not known how many patients a session of {role!r} takes"
    if alignment is TimeAlignment.RELATIVE:
        return "a clinic's work has no time since enrolment: use absolute or normalized time"
    return None


def by_bin(
    run: ComparedRun,
    definition: MetricDefinition,
    scale: TimeScale,
    observations: Observations,
) -> ByState:
    """Measure a metric of a run that lacks nothing for it, in each bin."""
    return _measured(definition, _BinnedTables(run, scale, observations))


def at_the_end(run: ComparedRun, definition: MetricDefinition) -> ByState:
    """Measure a metric over all patients, each once: as last seen in follow-up.

    A rate is that of the whole run. The bin, as there is but one, has number 0.
    """
    return _measured(definition, _FinalTables(run))


class _Tables(Protocol):
    """Where distributions, moments and events come from."""

    def distribution(self, table: str) -> Distribution: ...

    def amounts(self, table: str) -> Amounts: ...

    def rates(self) -> Rates: ...

    def persistence(self) -> Persistence: ...

    def sessions(self, table: str) -> Distribution: ...


def _measured(definition: MetricDefinition, tables: _Tables) -> ByState:
    source, table = definition.source, definition.table
    if source is MetricSource.MONEY:
        return {"": tables.amounts(table)}
    if source is MetricSource.RATE:
        return {"": tables.rates()}
    if source is MetricSource.SURVIVAL:
        return {"": tables.persistence()}
    if source is MetricSource.WORK:
        return {"": Values(tables.sessions(table))}
    values = tables.distribution(table)
    if source is MetricSource.MEAN:
        return {"": Values(values)}
    if source is MetricSource.STATES:
        return {
            name: Shares(values.bins, values.n, _count(values, values.values == code), True)
            for code, name in enumerate(_STATE_NAMES[table])
        }
    threshold = definition.threshold or 0
    at_least = source is MetricSource.SHARE_AT_LEAST
    chosen = values.values >= threshold if at_least else values.values <= threshold
    return {"": Shares(values.bins, values.n, _count(values, chosen))}


def _count(values: Distribution, chosen: np.ndarray) -> Ints:
    return np.asarray(values.counts[:, chosen].sum(axis=1))


@dataclass(frozen=True, slots=True)
class _BinnedTables:
    run: ComparedRun
    scale: TimeScale
    observations: Observations

    def distribution(self, table: str) -> Distribution:
        if self.observations is Observations.LOCF or table in _CUMULATIVE:
            return Distribution.carried(
                self._counts(table, Method.LOCF),
                self._counts(table, Method.ENDED),
                self.scale.fine_bins,
            )
        return Distribution.observed(self._counts(table, Method.OBSERVED), self.scale.fine_bins)

    def _counts(self, table: str, method: Method, kind: Kind = Kind.COUNTS) -> CountTable:
        return self.run.summary.counts(table, method, self.scale.alignment, kind)

    def amounts(self, table: str) -> Amounts:
        width, alignment = self.scale.fine_bins, self.scale.alignment
        moments = self.run.summary.moments
        return Amounts(
            carried_moments(
                moments(table, Method.LOCF, alignment),
                moments(table, Method.ENDED, alignment),
                width,
            ),
            Distribution.carried(
                self._counts(table, Method.LOCF, Kind.SKETCH),
                self._counts(table, Method.ENDED, Kind.SKETCH),
                width,
            ),
        )

    def rates(self) -> Rates:
        return _rates(
            self._counts("injection_rate", Method.OBSERVED),
            self._counts("patient_days", Method.OBSERVED),
            self.scale.fine_bins,
        )

    def persistence(self) -> Persistence:
        return Persistence(_life_table(self.run), self.scale.width)

    def sessions(self, table: str) -> Distribution:
        return Distribution.observed(
            _sessions(self.run, table, self.scale.alignment), self.scale.fine_bins
        )


_WHOLE = 2**31 - 1
"""As a width, one bin for all times."""


@dataclass(frozen=True, slots=True)
class _FinalTables:
    run: ComparedRun

    def distribution(self, table: str) -> Distribution:
        ended = self.run.summary.counts(table, Method.ENDED, TimeAlignment.RELATIVE)
        return Distribution.observed(ended, _WHOLE)

    def amounts(self, table: str) -> Amounts:
        summary = self.run.summary
        ended = summary.moments(table, Method.ENDED, TimeAlignment.RELATIVE)
        sketch = summary.counts(table, Method.ENDED, TimeAlignment.RELATIVE, Kind.SKETCH)
        columns = {field.name: getattr(ended, field.name) for field in fields(MomentTable)}
        whole = MomentTable(**{**columns, "bins": ended.bins // _WHOLE})
        # Adding nothing joins the bins that have become one.
        total = MomentTable.total([whole, MomentTable.empty()])
        return Amounts(total, Distribution.observed(sketch, _WHOLE))

    def rates(self) -> Rates:
        counts = self.run.summary.counts
        return _rates(
            counts("injection_rate", Method.OBSERVED, TimeAlignment.RELATIVE),
            counts("patient_days", Method.OBSERVED, TimeAlignment.RELATIVE),
            _WHOLE,
        )

    def persistence(self) -> Persistence:
        return Persistence(_life_table(self.run), _WHOLE)

    def sessions(self, table: str) -> Distribution:
        return Distribution.observed(_sessions(self.run, table, TimeAlignment.NORMALIZED), _WHOLE)


def _life_table(run: ComparedRun) -> LifeTable:
    # A patient without visits was never treated.
    return life_table(run.summary.counts("persistence", Method.OBSERVED, TimeAlignment.RELATIVE))


def _rates(injections: CountTable, patient_days: CountTable, width: int) -> Rates:
    given = injections.from_value(1)
    keys, row = np.unique(patient_days.bins // width, return_inverse=True)
    years = np.bincount(row, patient_days.counts, len(keys)) / DAYS_PER_YEAR
    # The day on which follow-up ends is no time at risk; an injection on it alone has no rate.
    position = np.searchsorted(keys, given.bins // width)
    known = (position < len(keys)) & (np.append(keys, -1)[position] == given.bins // width)
    events = np.bincount(position[known], given.counts[known], len(keys))
    return Rates(keys.astype(np.int64), events.astype(np.int64), years)


def _sessions(run: ComparedRun, table: str, alignment: TimeAlignment) -> CountTable:
    """Count working days by sessions needed; a working day without patients needs none."""
    seen = run.summary.counts(table, Method.OBSERVED, alignment)
    capacity = run.capacities[table.removeprefix("workload_")]
    needed = CountTable.of_cells(
        seen.bins.astype(np.int64), -(-seen.values.astype(np.int64) // capacity), seen.counts
    )
    axes = TimeAxes(run.start_date, run.duration_years)
    days = np.arange(axes.run_end + 1)
    dates = (days + axes.start_day).astype("datetime64[D]")
    working = days[np.is_busday(dates, weekmask=" ".join(run.working_days))]
    bins, n_days = np.unique(axes.bins(alignment, working, working), return_counts=True)
    counted = np.zeros(len(bins), np.int64)
    position = np.searchsorted(bins, seen.bins)
    inside = (position < len(bins)) & (np.append(bins, -1)[position] == seen.bins)
    np.add.at(counted, position[inside], seen.counts[inside])
    idle = np.maximum(n_days - counted, 0)
    return needed + CountTable.of_cells(bins, np.zeros_like(bins), idle)
