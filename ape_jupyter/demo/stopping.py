"""Why and when treatment ends."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ape_jupyter.demo.protocols import TreatmentProtocol
from ape_jupyter.demo.spec import DAYS_PER_YEAR

__all__ = ["NOT_STOPPED", "STOP_KINDS", "UNRELATED", "planned_stops", "stops_between_visits"]

NOT_STOPPED = -1
STOP_KINDS = (
    "administrative",
    "attrition",
    "death",
    "deterioration",
    "poor_vision",
    "treatment_decision_stable",
    "treatment_decision_no_improvement",
    "planned",
)
UNRELATED = (0, 1, 2)
"""Kinds that have nothing to do with the eye, as positions in ``STOP_KINDS``."""

_PLANNED = STOP_KINDS.index("planned")
_DEATHS_PER_YEAR = 0.025
_LONG_DRY_DAYS = 365
_DETERIORATION_LETTERS = -10
_POOR_VISION_LETTERS = 30

Ints = NDArray[np.int64]
Stops = tuple[NDArray[np.int8], Ints]


def planned_stops(protocol: TreatmentProtocol, dry_days: Ints, rng: np.random.Generator) -> Stops:
    """Return kind of stop and days from now, as visit-based engines know it: planned, or none."""
    stops = (dry_days >= _LONG_DRY_DAYS) & (rng.random(len(dry_days)) < protocol.planned_stop_share)
    kind = np.where(stops, _PLANNED, NOT_STOPPED).astype(np.int8)
    return kind, np.zeros(len(dry_days), dtype=np.int64)


def stops_between_visits(
    protocol: TreatmentProtocol,
    *,
    letters_change: NDArray[np.float64],
    vision: Ints,
    is_active: NDArray[np.bool_],
    is_loaded: bool,
    dry_days: Ints,
    days: Ints,
    rng: np.random.Generator,
) -> Stops:
    """Return kind of stop and days from now, as time-based engines know it.

    Seven causes compete until the next visit, each with a rate per year.
    """
    n = len(vision)
    rates = np.zeros((n, len(STOP_KINDS) - 1))
    rates[:, 0] = 0.25 * protocol.dropout_per_year
    rates[:, 1] = 0.75 * protocol.dropout_per_year
    rates[:, 2] = _DEATHS_PER_YEAR
    rates[:, 3] = np.where(letters_change <= _DETERIORATION_LETTERS, 0.6, 0.0)
    rates[:, 4] = np.where(vision < _POOR_VISION_LETTERS, 0.8, 0.0)
    rates[:, 5] = np.where(dry_days >= _LONG_DRY_DAYS, 5.0 * protocol.planned_stop_share, 0.0)
    if is_loaded:
        rates[:, 6] = np.where(is_active & (letters_change < 0), 0.15, 0.0)
    cumulative = np.cumsum(rates, axis=1)
    total = cumulative[:, -1]
    years = -np.log1p(-rng.random(n)) / total
    after = np.floor(years * DAYS_PER_YEAR)
    kind = (rng.random(n)[:, None] * total[:, None] >= cumulative).sum(axis=1)
    stops = after < days
    return (
        np.where(stops, kind, NOT_STOPPED).astype(np.int8),
        np.where(stops, after, 0).astype(np.int64),
    )
