"""Estimates by time bin, and how far they are from those of the reference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ape_jupyter.services.compare.arms import between_replicates
from ape_jupyter.services.compare.measured.measured import Measured
from ape_jupyter.services.compare.measuring import ByState
from ape_jupyter.services.compare.scale import TimeScale

__all__ = ["curves_of", "differences_of"]


def curves_of(
    sim_id: str,
    metric: str,
    found: tuple[ByState, Sequence[ByState]],
    scale: TimeScale,
    confidence: float,
) -> Iterator[dict[str, Any]]:
    """Yield the estimates of a run, or of an arm with those of its replicates, by state."""
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


def differences_of(
    metric: str,
    pair: tuple[str, str],
    reference: ByState,
    comparator: ByState,
    scale: TimeScale,
    confidence: float,
) -> Iterator[dict[str, Any]]:
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
