"""How alike runs are, and in what."""

from __future__ import annotations

from dataclasses import dataclass

from ape_jupyter.model.parameters import PROTOCOL_DESCRIPTIONS
from ape_jupyter.model.simulation import SimulationMetadata

__all__ = [
    "IGNORED_PARAMETERS",
    "MAX_SIMILAR_RUNS",
    "ParameterDifference",
    "SimilarRun",
]

MAX_SIMILAR_RUNS = 100

IGNORED_PARAMETERS = frozenset(
    {
        *(f"protocol.{name}" for name in PROTOCOL_DESCRIPTIONS),
        # Replicates are what is most alike. The others are compared as what the metadata says.
        *("parameters.seed", "parameters.runtime_seconds", "parameters.n_patients"),
        *("parameters.engine_type", "parameters.model_type", "parameters.duration_years"),
    }
)
"""Paths of parameters that say nothing of what a run simulates, or say it twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterDifference:
    """Something that two runs do not have in common.

    Attributes
    ----------
    name : str
        Path of a parameter, or a field of the metadata.
    reference, other : str or None
        Its values; None where a run does not have it.
    distance : float
        How far apart they are, from 0 to 1: a share of the range in the library for numbers,
        1 for all else.
    """

    name: str
    reference: str | None
    other: str | None
    distance: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarRun:
    """A run that is like another.

    Attributes
    ----------
    distance : float
        From 0, the same in all that is compared, to 1: the mean over all of it.
    agreeing : tuple of str
        What they have in common.
    differing : tuple of ParameterDifference
        What they have not, the furthest apart first.
    """

    metadata: SimulationMetadata
    distance: float
    agreeing: tuple[str, ...]
    differing: tuple[ParameterDifference, ...]
