"""Costs of runs set against the letters that their patients gain."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ape_jupyter.model.comparison import ComparisonRequest, MissingMetric
from ape_jupyter.services.compare.inference.cost_effectiveness import Increment, JointMoments
from ape_jupyter.services.compare.inference.distributions import (
    normal_below,
    normal_quantile,
)
from ape_jupyter.services.compare.paired import why_not_paired
from ape_jupyter.services.compare.patients import PatientOutcomes
from ape_jupyter.services.compare.runs import ComparedRun
from ape_jupyter.services.compare.subgroups import Population

__all__ = ["COST_EFFECTIVENESS", "EFFECT", "cost_and_effect", "cost_effectiveness"]

EFFECT = "vision_change"
"""Letters gained, from baseline until last seen."""

COST_EFFECTIVENESS = "cost_effectiveness"
"""Stands for the metric in what is missing."""

Chosen: TypeAlias = npt.NDArray[np.bool_]
"""Which patients are meant."""


def cost_and_effect(outcomes: PatientOutcomes, chosen: Chosen) -> JointMoments | None:
    """Return moments of cost and letters gained, of those chosen who came to a visit.

    Of the others nobody knows the letters, so their costs have nothing to be set against. None
    for a run without costs.
    """
    costs, letters = outcomes.of("cost"), outcomes.of(EFFECT)
    if costs is None or letters is None:
        return None
    known = chosen & outcomes.was_seen
    return JointMoments.of(costs[known], letters[known])


def cost_effectiveness(
    request: ComparisonRequest,
    population: Population,
    outcomes: Mapping[str, PatientOutcomes] | None = None,
) -> tuple[list[dict[str, Any]], list[MissingMetric]]:
    """Set every run that has costs against the reference.

    Parameters
    ----------
    outcomes : mapping, optional
        Of the patients of every run, where pairs of patients are to be used.

    Returns
    -------
    rows : list of dict
        Of ``COST_EFFECTIVENESS_SCHEMA``.
    missing : list of MissingMetric
        Runs that can not be compared, and why.
    """
    runs = {run.sim_id: run for run in population.runs}
    reference = runs.get(request.reference)
    if reference is None:
        return [], []
    lacking = dict(_lacking(runs, reference))
    rows = []
    for sim_id, run in runs.items():
        if sim_id == reference.sim_id or {sim_id, reference.sim_id} & lacking.keys():
            continue
        increment, is_paired = _increment(reference, run, outcomes)
        rows.append(
            _row(reference, run, increment, request.confidence)
            | {"is_paired": is_paired, "by": population.by, "subgroup": population.subgroup}
        )
    missing = [
        MissingMetric(sim_id=s, metric=COST_EFFECTIVENESS, reason=reason, by=population.by)
        for s, reason in lacking.items()
    ]
    return rows, missing


def _lacking(runs: Mapping[str, ComparedRun], reference: ComparedRun) -> Iterator[tuple[str, str]]:
    for sim_id, run in runs.items():
        if run.joint is None:
            yield sim_id, "the run has no costs"
        elif run.joint.n < 2:  # noqa: PLR2004 - a variance needs two
            yield sim_id, "fewer than two patients came to a visit"
        elif run.currency != reference.currency and reference.joint is not None:
            own, other = (r.currency or "an unknown currency" for r in (run, reference))
            yield sim_id, f"its costs are in {own}, those of {reference.sim_id} in {other}"


def _increment(
    reference: ComparedRun,
    comparator: ComparedRun,
    outcomes: Mapping[str, PatientOutcomes] | None,
) -> tuple[Increment, bool]:
    if outcomes is not None and why_not_paired(reference, comparator, outcomes) is None:
        one, other = outcomes[reference.sim_id], outcomes[comparator.sim_id]
        both = one.was_seen & other.was_seen
        gaps = []
        for metric in ("cost", EFFECT):
            its, own = one.of(metric), other.of(metric)
            if its is None or own is None:
                raise AssertionError("runs without costs were left out")
            gaps.append((own - its)[both])
        return Increment.within(JointMoments.of(gaps[0], gaps[1])), True
    if reference.joint is None or comparator.joint is None:
        raise AssertionError("runs without costs were left out")
    return Increment.between(reference.joint, comparator.joint), False


def _row(
    reference: ComparedRun, comparator: ComparedRun, increment: Increment, confidence: float
) -> dict[str, Any]:
    its, own = reference.joint, comparator.joint
    if its is None or own is None:
        raise AssertionError("runs without costs were left out")
    interval = increment.ratio_interval(confidence)
    quantile = normal_quantile(confidence)
    half_cost = quantile * math.sqrt(increment.var_cost)
    half_effect = quantile * math.sqrt(increment.var_effect)
    return {
        "reference": reference.sim_id,
        "comparator": comparator.sim_id,
        "effect": EFFECT,
        "currency": reference.currency or "",
        "n_reference": its.n,
        "n_comparator": own.n,
        "cost_reference": its.cost,
        "cost_comparator": own.cost,
        "effect_reference": its.effect,
        "effect_comparator": own.effect,
        "cost_per_letter_reference": _per_letter(its),
        "cost_per_letter_comparator": _per_letter(own),
        "d_cost": increment.cost,
        "d_cost_low": increment.cost - half_cost,
        "d_cost_high": increment.cost + half_cost,
        "d_effect": increment.effect,
        "d_effect_low": increment.effect - half_effect,
        "d_effect_high": increment.effect + half_effect,
        "var_d_cost": increment.var_cost,
        "var_d_effect": increment.var_effect,
        "cov_d_cost_d_effect": increment.covariance,
        "icer": increment.ratio,
        "icer_low": interval.low,
        "icer_high": interval.high,
        "icer_set": interval.kind,
        "p_less_costly": _probability(-increment.cost, increment.var_cost),
        "p_more_effective": _probability(increment.effect, increment.var_effect),
        "dominance": increment.dominance,
    }


def _per_letter(moments: JointMoments) -> float:
    return moments.cost / moments.effect if moments.effect > 0 else math.nan


def _probability(estimate: float, variance: float) -> float:
    return float(normal_below(estimate / math.sqrt(variance))) if variance > 0 else math.nan
