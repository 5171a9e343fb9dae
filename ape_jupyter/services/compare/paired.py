"""Tests of runs that simulated the same patients with the same random numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from ape_jupyter.model.comparison import ComparisonRequest
from ape_jupyter.model.metrics import metric_definition
from ape_jupyter.services.compare.inference.outcome import TestOutcome
from ape_jupyter.services.compare.inference.pairs import (
    mcnemar,
    paired_t,
    variance_reduction,
    wilcoxon,
)
from ape_jupyter.services.compare.patients import PatientOutcomes
from ape_jupyter.services.compare.runs import ComparedRun
from ape_jupyter.services.compare.statistical import outcome_row
from ape_jupyter.services.compare.time_points import END

__all__ = ["paired_tests", "why_not_paired"]


def why_not_paired(
    reference: ComparedRun,
    comparator: ComparedRun,
    outcomes: Mapping[str, PatientOutcomes],
) -> str | None:
    """Say why two runs have no pairs of patients; None when they have."""
    both = f"{comparator.sim_id} and {reference.sim_id}"
    if reference.seed is None or reference.seed != comparator.seed:
        return f"{both} have no seed in common, so their patients are no pairs."
    if not outcomes[reference.sim_id].has_patients_of(outcomes[comparator.sim_id]):
        return f"{both} have one seed but not the same patients, who so are no pairs."
    return None


def paired_tests(
    request: ComparisonRequest,
    runs: Mapping[str, ComparedRun],
    outcomes: Mapping[str, PatientOutcomes],
) -> tuple[list[dict[str, Any]], list[str]]:
    """Test every run that has the patients of the reference.

    Returns
    -------
    rows : list of dict
        Of ``TESTS_SCHEMA``, without adjusted p-values, at the end.
    notes : list of str
        How much pairing helps, and which runs have no pairs.
    """
    rows: list[dict[str, Any]] = []
    notes: list[str] = []
    reference = runs[request.reference]
    for sim_id, run in runs.items():
        if sim_id == request.reference:
            continue
        reason = why_not_paired(reference, run, outcomes)
        if reason is not None:
            notes.append(reason)
            continue
        end = float(int(min(reference.duration_days, run.duration_days)))
        for metric in request.metrics:
            common = {
                "metric": metric,
                "reference": request.reference,
                "comparator": sim_id,
                "time": end,
                "time_point": END,
            }
            is_priced = metric == "cost" or metric.startswith("cost_")
            if is_priced and run.currency != reference.currency:
                continue
            pair = outcomes[request.reference], outcomes[sim_id]
            for outcome, n, helped in _outcomes(metric, *pair, request.confidence):
                rows.append(common | outcome_row(outcome, "", (n, n)))
                if not math.isnan(helped):
                    notes.append(
                        f"{_label(metric)}: pairing the patients of {sim_id} and those of "
                        f"{request.reference} takes {helped:.0%} off the variance of the "
                        "difference."
                    )
    return rows, notes


def _outcomes(
    metric: str, reference: PatientOutcomes, comparator: PatientOutcomes, confidence: float
) -> Iterator[tuple[TestOutcome, int, float]]:
    one, other = reference.of(metric), comparator.of(metric)
    if one is None or other is None:
        return
    both = reference.counts(metric) & comparator.counts(metric)
    one, other = one[both], other[both]
    n = len(one)
    if n == 0:
        return
    if one.dtype == bool:
        helped = variance_reduction(one.astype(float), other.astype(float))
        yield mcnemar(one, other, confidence), n, helped
        return
    yield paired_t(other - one, confidence), n, variance_reduction(one, other)
    yield wilcoxon(other - one), n, math.nan


def _label(metric: str) -> str:
    definition = metric_definition(metric)
    return definition.metric.label if definition else metric
