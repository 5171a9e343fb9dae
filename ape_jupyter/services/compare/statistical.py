"""Tests and effect sizes at points of time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ape_jupyter.model.comparison import ComparisonRequest, MissingMetric
from ape_jupyter.model.metrics import MetricDefinition
from ape_jupyter.services.compare.inference.multiplicity import benjamini_hochberg, holm
from ape_jupyter.services.compare.inference.outcome import Contrast, TestOutcome
from ape_jupyter.services.compare.inference.shares import chi_square
from ape_jupyter.services.compare.measured.shares import Shares
from ape_jupyter.services.compare.measuring import ByState, at_the_end
from ape_jupyter.services.compare.runs import ComparedRun
from ape_jupyter.services.compare.scale import TimeScale
from ape_jupyter.services.compare.time_points import shared_moments

__all__ = ["MetricTests", "outcome_row", "tests_of_metric", "with_adjusted_p_values"]


class MetricTests(NamedTuple):
    """Tests of one metric, of some patients.

    Attributes
    ----------
    rows : list of dict
        Of ``TESTS_SCHEMA``, without adjusted p-values.
    contrasts : dict
        What tells subgroups apart, by comparator, name of the time point, and state; each with
        the row that a test of it has.
    unseen : list of MissingMetric
        Runs that have nothing at a time point.
    """

    rows: list[dict[str, Any]]
    contrasts: dict[tuple[str, str, str], tuple[Contrast, Mapping[str, Any]]]
    unseen: list[MissingMetric]


def tests_of_metric(
    request: ComparisonRequest,
    definition: MetricDefinition,
    scale: TimeScale,
    runs: Mapping[str, ComparedRun],
    measured: Mapping[str, ByState],
) -> MetricTests:
    """Test every run that has the metric against the reference."""
    rows: list[dict[str, Any]] = []
    contrasts: dict[tuple[str, str, str], tuple[Contrast, Mapping[str, Any]]] = {}
    unseen: dict[tuple[str, str], MissingMetric] = {}
    reference = request.reference
    ends = {sim_id: at_the_end(runs[sim_id], definition) for sim_id in measured}
    for sim_id in measured:
        if sim_id == reference:
            continue
        for moment in shared_moments(request, definition, runs[reference], runs[sim_id]):
            key = 0 if moment.is_end else scale.key(moment.x)
            its, own = ((ends if moment.is_end else measured)[s] for s in (reference, sim_id))
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
            for state, one in own.items():
                sizes = {"n_reference": its[state].n[at[0]], "n_comparator": one.n[at[1]]}
                contrast = one.contrast(its[state], at[1], at[0])
                place = common | {"state": state} | {k: int(n) for k, n in sizes.items()}
                contrasts[sim_id, moment.name, state] = contrast, place
    return MetricTests(rows, contrasts, list(unseen.values()))


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


def with_adjusted_p_values(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Adjust p-values over all rows: they are one family, whatever the metric."""
    p_values = np.array([row["p_value"] for row in rows], float)
    adjusted = zip(rows, holm(p_values), benjamini_hochberg(p_values), strict=True)
    return [row | {"p_holm": h, "p_bh": b} for row, h, b in adjusted]
