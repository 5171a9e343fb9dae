"""How disease and vision move between two visits.

Numbers are made up; they are chosen so that curves look as clinicians expect: a gain of a
few letters during loading, then a slow decline that is faster the longer the eye goes without
drug.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ape_jupyter.demo.spec import DAYS_PER_YEAR

__all__ = [
    "ACTIVE",
    "DISEASE_STATES",
    "HIGHLY_ACTIVE",
    "NAIVE",
    "STABLE",
    "drug_cover",
    "next_disease",
    "next_vision",
]

NAIVE, STABLE, ACTIVE, HIGHLY_ACTIVE = range(4)
DISEASE_STATES = (
    "DiseaseState.NAIVE",
    "DiseaseState.STABLE",
    "DiseaseState.ACTIVE",
    "DiseaseState.HIGHLY_ACTIVE",
)
"""Spelled as the engine's files spell them; the index is the code used here."""

_FULL_EFFECT_DAYS = 42.0
_FADING_DAYS = 45.0
# Changes per year towards a worse and a better state, by disease state.
_WORSENING = np.array([0.0, 1.9, 1.0, 0.0])
_CALMING = np.array([0.0, 0.0, 7.0, 4.5])
_FIRST_STATE = np.array([0.45, 0.88])
_DECLINE_LETTERS_PER_YEAR = np.array([9.0, 1.2, 11.0, 22.0])
_RECOVERY_PER_DAY = 0.016
_PERMANENT_SHARE = 0.6

Floats = NDArray[np.float64]
Codes = NDArray[np.int8]


def drug_cover(days_since_injection: Floats) -> Floats:
    """Return how much of the drug's effect is left, 1 to 0."""
    return np.exp(-np.maximum(days_since_injection - _FULL_EFFECT_DAYS, 0.0) / _FADING_DAYS)


def next_disease(
    disease: Codes, days: Floats, cover: Floats, response: Floats, rng: np.random.Generator
) -> Codes:
    """Return the disease states after ``days``; a naive eye is classified by then."""
    years = days / DAYS_PER_YEAR
    calmer = -np.expm1(-_CALMING[disease] * cover * response * years)
    worse = -np.expm1(-_WORSENING[disease] * (1.6 - cover) / response * years)
    chance = rng.random(len(disease))
    moved = disease + (chance > 1.0 - worse) - (chance < calmer)
    first = (STABLE + np.searchsorted(_FIRST_STATE, chance)).astype(np.int8)
    return np.where(disease == NAIVE, first, moved).astype(np.int8)


def next_vision(
    vision: Floats,
    ceiling: Floats,
    disease: Codes,
    days: Floats,
    cover: Floats,
    rng: np.random.Generator,
) -> tuple[Floats, Floats]:
    """Return the true vision after ``days`` and the new ceiling that drug can bring it back to.

    Fluid that comes back costs letters, and part of them for good.
    """
    recovery = np.maximum(ceiling - vision, 0.0) * -np.expm1(-_RECOVERY_PER_DAY * cover * days)
    decline = _DECLINE_LETTERS_PER_YEAR[disease] * (1.25 - cover) * days / DAYS_PER_YEAR
    drift = rng.standard_normal(len(vision)) * 0.9 * np.sqrt(days / 28.0)
    after = np.clip(vision + recovery - decline + drift, 0.0, 100.0)
    return after, ceiling - _PERMANENT_SHARE * decline
