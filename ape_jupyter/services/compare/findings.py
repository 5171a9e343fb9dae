"""Comparing runs by their summaries.

Everything here follows from counts by time bin and value; the patients are not read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa

from ape_jupyter.model.comparison import (
    ComparisonRequest,
    ComparisonType,
    Metric,
    MissingMetric,
)
from ape_jupyter.model.metrics import MetricDefinition, MetricSource, metric_definition
from ape_jupyter.services.compare.arms import pooled
from ape_jupyter.services.compare.cost_effectiveness import cost_effectiveness
from ape_jupyter.services.compare.curves import curves_of, differences_of
from ape_jupyter.services.compare.inference.heterogeneity import interaction
from ape_jupyter.services.compare.inference.outcome import Contrast
from ape_jupyter.services.compare.measuring import by_bin, reason_missing
from ape_jupyter.services.compare.notes import notes_on_arms, notes_on_method, notes_on_subgroups
from ape_jupyter.services.compare.paired import paired_tests
from ape_jupyter.services.compare.patients import PatientOutcomes
from ape_jupyter.services.compare.runs import ComparedRun
from ape_jupyter.services.compare.scale import TimeScale
from ape_jupyter.services.compare.statistical import (
    outcome_row,
    tests_of_metric,
    with_adjusted_p_values,
)
from ape_jupyter.services.compare.subgroups import Population
from ape_jupyter.services.compare.tables import (
    COST_EFFECTIVENESS_SCHEMA,
    DIFFERENCES_SCHEMA,
    DISTRIBUTIONS_SCHEMA,
    SERIES_SCHEMA,
    TESTS_SCHEMA,
    joined,
)
from ape_jupyter.services.compare.value_counts import value_counts

__all__ = ["Findings", "compare_runs"]

_WITH_DIFFERENCES = (ComparisonType.DIFFERENCE, ComparisonType.STATISTICAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What follows from summaries.

    Attributes
    ----------
    request : ComparisonRequest
        As it was carried out: of pooled replicates, with the ids of arms.
    metrics : tuple of Metric
        Those compared, with the units of these runs.
    series, differences, tests : pyarrow.Table
        With ``SERIES_SCHEMA``, ``DIFFERENCES_SCHEMA`` and ``TESTS_SCHEMA``. ``x`` is the left edge
        of the bin: days since enrolment, days since 1970-01-01, or share of the duration.
    distributions, cost_effectiveness : pyarrow.Table
        With ``DISTRIBUTIONS_SCHEMA`` and ``COST_EFFECTIVENESS_SCHEMA``; empty unless asked for.
    missing : tuple of MissingMetric
        What could not be compared, and why.
    notes : tuple of str
        What a reader should know of how the numbers were made.
    """

    request: ComparisonRequest
    metrics: tuple[Metric, ...]
    series: pa.Table
    differences: pa.Table
    tests: pa.Table
    distributions: pa.Table
    cost_effectiveness: pa.Table
    missing: tuple[MissingMetric, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Rows:
    """What is found, table by table, while population after population is compared."""

    series: list[Mapping[str, Any]] = field(default_factory=list)
    differences: list[Mapping[str, Any]] = field(default_factory=list)
    distributions: list[Mapping[str, Any]] = field(default_factory=list)
    tests: list[dict[str, Any]] = field(default_factory=list)
    cost_effectiveness: list[dict[str, Any]] = field(default_factory=list)
    missing: list[MissingMetric] = field(default_factory=list)
    contrasts: dict[tuple[str, ...], list[tuple[Contrast, Mapping[str, Any]]]] = field(
        default_factory=lambda: defaultdict(list)
    )


def compare_runs(
    request: ComparisonRequest,
    runs: Sequence[ComparedRun],
    outcomes: Mapping[str, PatientOutcomes] | None = None,
    subgroups: Iterable[Population] = (),
    missing: Sequence[MissingMetric] = (),
    tell: Callable[[str], None] = lambda _: None,
) -> Findings:
    """Compute the series of every run and, if asked for, differences and tests.

    Parameters
    ----------
    outcomes : mapping, optional
        Of the patients of every run; needed for a paired request, and only then.
    subgroups : iterable of Population
        Parts of the patients, each compared as all of them are.
    missing : sequence of MissingMetric
        What is known to be missing before.
    tell : callable
        Called with what is worked on, before each step. What it raises ends the comparison.
    """
    scale = TimeScale(request.time_alignment, request.bin_width)
    notes: list[str] = []
    arm_of = {run.sim_id: run.sim_id for run in runs}
    if request.pool_replicates:
        runs = pooled(runs)
        arm_of = {own.sim_id: arm.sim_id for arm in runs for own in arm.replicates or (arm,)}
        request = replace(
            request,
            sim_ids=tuple(arm.sim_id for arm in runs),
            reference=arm_of[request.reference],
        )
        notes = [*notes_on_arms(runs)]
    rows = _Rows(missing=[*missing])
    everybody = Population(runs=tuple(runs))
    metrics = _compare(request, everybody, scale, rows, tell)
    if request.cost_effectiveness:
        tell("cost-effectiveness")
        _weigh(request, everybody, outcomes if request.paired else None, rows)
    for part in subgroups:
        own = part
        if request.pool_replicates:
            arms = (replace(arm, sim_id=arm_of[arm.sim_id]) for arm in pooled(part.runs))
            own = replace(part, runs=tuple(arms))
        _compare(request, own, scale, rows, tell)
        if request.cost_effectiveness:
            _weigh(request, own, None, rows)
    rows.tests.extend(_interactions(rows.contrasts, request.confidence))
    ordered = {run.sim_id: run for run in runs}
    if request.paired:
        tell("pairs of patients")
        found, helped = paired_tests(request, ordered, outcomes or {})
        rows.tests.extend(found)
        notes += helped
    tests = [{"by": "", "subgroup": ""} | row for row in rows.tests]
    notes += notes_on_subgroups(request, tests)
    return Findings(
        request=request,
        metrics=metrics,
        series=joined(rows.series, SERIES_SCHEMA),
        differences=joined(rows.differences, DIFFERENCES_SCHEMA),
        tests=pa.Table.from_pylist(with_adjusted_p_values(tests), TESTS_SCHEMA),
        distributions=joined(rows.distributions, DISTRIBUTIONS_SCHEMA),
        cost_effectiveness=pa.Table.from_pylist(rows.cost_effectiveness, COST_EFFECTIVENESS_SCHEMA),
        missing=tuple(dict.fromkeys(rows.missing)),
        notes=(*notes_on_method(request, ordered), *notes),
    )


def _compare(
    request: ComparisonRequest,
    population: Population,
    scale: TimeScale,
    rows: _Rows,
    tell: Callable[[str], None],
) -> tuple[Metric, ...]:
    """Add what there is of some patients; return the metrics, with the units of their runs."""
    ordered = {run.sim_id: run for run in population.runs}
    place = {"by": population.by, "subgroup": population.subgroup}
    is_part = bool(population.by or request.patients)
    metrics: list[Metric] = []
    for name in request.metrics:
        tell(f"{name} of {population.subgroup}" if population.by else name)
        definition = metric_definition(name)
        if definition is None:
            raise AssertionError(f"{name} was checked when the request was made")
        lacking = dict(_lacking(request, definition, scale, ordered, is_part))
        rows.missing.extend(
            MissingMetric(sim_id=s, metric=name, reason=_among(r, population), by=population.by)
            for s, r in lacking.items()
            if MissingMetric(sim_id=s, metric=name, reason=r) not in rows.missing
        )
        metrics.append(_with_unit(definition, [r for s, r in ordered.items() if s not in lacking]))
        measured = {
            sim_id: by_bin(run, definition, scale, request.observations)
            for sim_id, run in ordered.items()
            if sim_id not in lacking
        }
        for sim_id, states in measured.items():
            replicates = [
                by_bin(run, definition, scale, request.observations)
                for run in ordered[sim_id].replicates
            ]
            found = curves_of(sim_id, name, (states, replicates), scale, request.confidence)
            rows.series.extend(part | place for part in found)
            if request.distributions:
                counts = value_counts(request, definition, scale, ordered[sim_id], states)
                rows.distributions.extend({**part, **place} for part in counts)
        if request.comparison_type not in _WITH_DIFFERENCES or request.reference not in measured:
            continue
        for sim_id, states in measured.items():
            if sim_id != request.reference:
                pair = (request.reference, sim_id)
                its = measured[request.reference]
                gaps = differences_of(name, pair, its, states, scale, request.confidence)
                rows.differences.extend(part | place for part in gaps)
        if request.comparison_type is not ComparisonType.STATISTICAL:
            continue
        tested = tests_of_metric(request, definition, scale, ordered, measured)
        rows.tests.extend(row | place for row in tested.rows)
        rows.missing.extend(
            replace(item, reason=_among(item.reason, population), by=population.by)
            for item in tested.unseen
        )
        if population.by:
            for key, found_there in tested.contrasts.items():
                rows.contrasts[population.by, name, *key].append(found_there)
    return tuple(metrics)


def _among(reason: str, population: Population) -> str:
    return f"{reason} (of {population.by} {population.subgroup})" if population.by else reason


def _weigh(
    request: ComparisonRequest,
    population: Population,
    outcomes: Mapping[str, PatientOutcomes] | None,
    rows: _Rows,
) -> None:
    found, lacking = cost_effectiveness(request, population, outcomes)
    rows.cost_effectiveness.extend(found)
    rows.missing.extend(item for item in lacking if replace(item, by="") not in rows.missing)


def _interactions(
    contrasts: Mapping[tuple[str, ...], Sequence[tuple[Contrast, Mapping[str, Any]]]],
    confidence: float,
) -> Iterator[dict[str, Any]]:
    """Yield tests of whether a difference is the same in all subgroups that have it."""
    for (by, *_), found in contrasts.items():
        if len(found) > 1:
            places = [place for _, place in found]
            outcome = interaction([contrast for contrast, _ in found], confidence)
            sizes = (
                sum(place["n_reference"] for place in places),
                sum(place["n_comparator"] for place in places),
            )
            row = outcome_row(outcome, places[0]["state"], sizes)
            yield {**places[0], **row, "by": by, "subgroup": ""}


def _lacking(
    request: ComparisonRequest,
    definition: MetricDefinition,
    scale: TimeScale,
    runs: Mapping[str, ComparedRun],
    is_part: bool,
) -> Iterator[tuple[str, str]]:
    """Yield the runs that are left out of a metric, with the reason."""
    if definition.source is MetricSource.WORK and is_part:
        for sim_id in runs:
            yield sim_id, "a clinic's work is that of all its patients"
        return
    able = []
    for sim_id, run in runs.items():
        reason = reason_missing(run, definition, scale)
        if reason is None:
            able.append(run)
        else:
            yield sim_id, reason
    if definition.source is not MetricSource.MONEY or not able:
        return
    # Two currencies in one axis would be compared by the eye, whatever the legend says.
    standard = next((run for run in able if run.sim_id == request.reference), able[0])
    for run in able:
        if run.currency != standard.currency:
            own, other = (r.currency or "an unknown currency" for r in (run, standard))
            yield run.sim_id, f"its costs are in {own}, those of {standard.sim_id} in {other}"


def _with_unit(definition: MetricDefinition, runs: Sequence[ComparedRun]) -> Metric:
    currency = next((run.currency for run in runs), None)
    if definition.source is MetricSource.MONEY and currency:
        return replace(definition.metric, unit=f"{currency} per patient")
    return definition.metric
