"""Comparing runs by their summaries.

Everything here follows from counts by time bin and value; the patients are not read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from ape_jupyter.model.comparison import (
    ComparisonRequest,
    ComparisonType,
    Metric,
    MissingMetric,
    Observations,
    PatientCriterion,
    TimeAlignment,
)
from ape_jupyter.model.metrics import MetricDefinition, MetricSource, metric_definition
from ape_jupyter.services.compare.arms import between_replicates, pooled
from ape_jupyter.services.compare.measured.measured import Measured
from ape_jupyter.services.compare.measuring import ByState, by_bin, reason_missing
from ape_jupyter.services.compare.paired import paired_tests
from ape_jupyter.services.compare.patients import PatientOutcomes
from ape_jupyter.services.compare.runs import ComparedRun
from ape_jupyter.services.compare.scale import TimeScale
from ape_jupyter.services.compare.statistical import tests_of_metric, with_adjusted_p_values
from ape_jupyter.services.compare.tables import (
    DIFFERENCES_SCHEMA,
    SERIES_SCHEMA,
    TESTS_SCHEMA,
    joined,
)

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
    missing: tuple[MissingMetric, ...]
    notes: tuple[str, ...]


def compare_runs(
    request: ComparisonRequest,
    runs: Sequence[ComparedRun],
    outcomes: Mapping[str, PatientOutcomes] | None = None,
) -> Findings:
    """Compute the series of every run and, if asked for, differences and tests.

    Parameters
    ----------
    outcomes : mapping, optional
        Of the patients of every run; needed for a paired request, and only then.
    """
    scale = TimeScale(request.time_alignment, request.bin_width)
    notes: list[str] = []
    if request.pool_replicates:
        arms = pooled(runs)
        request = replace(
            request,
            sim_ids=tuple(arm.sim_id for arm in arms),
            reference=_arm_with(arms, request.reference),
        )
        notes = [*_notes_on_arms(arms)]
        runs = arms
    ordered = {run.sim_id: run for run in runs}
    series: list[Mapping[str, Any]] = []
    differences: list[Mapping[str, Any]] = []
    tests: list[dict[str, Any]] = []
    missing: list[MissingMetric] = []
    metrics: list[Metric] = []
    for name in request.metrics:
        definition = metric_definition(name)
        if definition is None:
            raise AssertionError(f"{name} was checked when the request was made")
        lacking = dict(_lacking(request, definition, scale, ordered))
        missing += [MissingMetric(sim_id=s, metric=name, reason=r) for s, r in lacking.items()]
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
            series += _series(sim_id, name, (states, replicates), scale, request.confidence)
        if request.comparison_type not in _WITH_DIFFERENCES or request.reference not in measured:
            continue
        for sim_id, states in measured.items():
            if sim_id != request.reference:
                pair = (request.reference, sim_id)
                its = measured[request.reference]
                differences += _differences(name, pair, its, states, scale, request.confidence)
        if request.comparison_type is ComparisonType.STATISTICAL:
            found, unseen = tests_of_metric(request, definition, scale, ordered, measured)
            tests += found
            missing += unseen
    if request.paired:
        found, helped = paired_tests(request, ordered, outcomes or {})
        tests += found
        notes += helped
    return Findings(
        request=request,
        metrics=tuple(metrics),
        series=joined(series, SERIES_SCHEMA),
        differences=joined(differences, DIFFERENCES_SCHEMA),
        tests=pa.Table.from_pylist(with_adjusted_p_values(tests), TESTS_SCHEMA),
        missing=tuple(missing),
        notes=(*_notes(request, ordered), *notes),
    )


def _lacking(
    request: ComparisonRequest,
    definition: MetricDefinition,
    scale: TimeScale,
    runs: Mapping[str, ComparedRun],
) -> Iterator[tuple[str, str]]:
    """Yield the runs that are left out of a metric, with the reason."""
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


def _series(
    sim_id: str,
    metric: str,
    found: tuple[ByState, Sequence[ByState]],
    scale: TimeScale,
    confidence: float,
) -> Iterator[Mapping[str, Any]]:
    states, replicates = found
    for state, measured in states.items():
        estimates = (
            between_replicates(measured, [own[state] for own in replicates], confidence)
            if replicates
            else measured.estimates(confidence)
        )
        yield {
            "sim_id": sim_id,
            "metric": metric,
            "x": scale.x(measured.keys),
            "n": measured.n,
            **estimates,
            "state": state,
        }


def _differences(
    metric: str,
    pair: tuple[str, str],
    reference: ByState,
    comparator: ByState,
    scale: TimeScale,
    confidence: float,
) -> Iterator[Mapping[str, Any]]:
    """Yield comparator − reference where both have a bin."""
    for state, own in comparator.items():
        its: Measured = reference[state]
        keys, r, c = np.intersect1d(its.keys, own.keys, return_indices=True)
        yield {
            "metric": metric,
            "reference": pair[0],
            "comparator": pair[1],
            "x": scale.x(keys),
            **own.differences(its, c, r, confidence),
            "n_reference": its.n[r],
            "n_comparator": own.n[c],
            "state": state,
        }


def _arm_with(arms: Sequence[ComparedRun], sim_id: str) -> str:
    return next(
        arm.sim_id
        for arm in arms
        if sim_id in (arm.sim_id, *(run.sim_id for run in arm.replicates))
    )


def _notes_on_arms(arms: Sequence[ComparedRun]) -> Iterator[str]:
    for arm in arms:
        if arm.replicates:
            members = ", ".join(run.sim_id for run in arm.replicates)
            yield (
                f"{arm.sim_id} stands for an arm of {len(arm.replicates)} replicates ({members}): "
                "its curves have the interval of the mean between replicates, differences and "
                "tests take all of their patients together."
            )


def _notes(request: ComparisonRequest, runs: Mapping[str, ComparedRun]) -> Iterator[str]:
    if request.observations is Observations.OBSERVED:
        yield (
            "Observed values are counted by visit: intervals treat the visits of a patient as "
            "independent, and who stays away is not seen. Injections, visits and costs so far are "
            "of all patients in follow-up."
        )
    if request.patients:
        yield f"Compared are the patients with {' and '.join(map(_criterion, request.patients))}."
    lengths = [run.duration_days for run in runs.values()]
    if request.comparison_type is ComparisonType.STATISTICAL and max(lengths) - min(lengths) > 1:
        yield (
            "The runs are of different length: at the end, patients count as last seen after "
            "different times."
        )
    if "persistence" in request.metrics:
        yield "Persistence is that of patients who came to a visit; every discontinuation counts."
    if request.time_alignment is TimeAlignment.ABSOLUTE:
        reference = runs[request.reference]
        for sim_id, run in runs.items():
            if not _overlap(reference, run):
                yield (
                    f"{sim_id} ({_period(run)}) and {request.reference} ({_period(reference)}) "
                    "share no calendar time."
                )


def _criterion(criterion: PatientCriterion) -> str:
    if criterion.values:
        return f"{criterion.column} {' or '.join(criterion.values)}"
    if criterion.minimum is None:
        return f"{criterion.column} up to {criterion.maximum:g}"
    if criterion.maximum is None:
        return f"{criterion.column} of at least {criterion.minimum:g}"
    return f"{criterion.column} from {criterion.minimum:g} to {criterion.maximum:g}"


def _overlap(a: ComparedRun, b: ComparedRun) -> bool:
    starts = max(a.start_day, b.start_day)
    return starts < min(a.start_day + a.duration_days, b.start_day + b.duration_days)


def _period(run: ComparedRun) -> str:
    first = date(1970, 1, 1) + timedelta(days=run.start_day)
    last = first + timedelta(days=run.duration_days)
    return f"{first:%B %Y} to {last:%B %Y}"
