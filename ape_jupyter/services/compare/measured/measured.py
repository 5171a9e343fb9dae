"""What all kinds of measurement can do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, Self

import numpy as np

from ape_jupyter.results.summary.axis import Ints
from ape_jupyter.services.compare.inference.distributions import Numbers
from ape_jupyter.services.compare.inference.outcome import Contrast, TestOutcome

__all__ = ["QUANTILES", "Columns", "Measured", "no_quantiles"]

QUANTILES = {"p10": 0.10, "p25": 0.25, "p50": 0.50, "p75": 0.75, "p90": 0.90}

Columns = Mapping[str, Numbers]


class Measured(Protocol):
    """Estimates of one metric by time bin."""

    @property
    def keys(self) -> Ints:
        """Numbers of the bins that have any, sorted."""

    @property
    def n(self) -> Ints:
        """Visits, patients, injections or days that each estimate rests on."""

    def estimates(self, confidence: float) -> Columns:
        """Return mean, sd, ci_low, ci_high and the quantiles; NaN where there is none."""

    def differences(self, reference: Self, own: Ints, its: Ints, confidence: float) -> Columns:
        """Return difference, ci_low, ci_high and p_value of rows ``own`` to rows ``its``."""

    def outcomes(self, reference: Self, own: int, its: int, confidence: float) -> list[TestOutcome]:
        """Test row ``own`` against row ``its`` of the reference."""

    def contrast(self, reference: Self, own: int, its: int) -> Contrast:
        """Return how far row ``own`` is from row ``its``, to be set against other contrasts."""


def no_quantiles(n: int) -> dict[str, Numbers]:
    """Return quantiles of what has none."""
    return {name: np.full(n, np.nan) for name in QUANTILES}
