"""Shares of visits or patients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ape_jupyter.results.summary.axis import Ints
from ape_jupyter.services.compare.inference.distributions import normal_two_sided
from ape_jupyter.services.compare.inference.intervals import wilson_interval
from ape_jupyter.services.compare.inference.outcome import Contrast, TestOutcome
from ape_jupyter.services.compare.inference.shares import (
    chi_square,
    newcombe_difference,
    two_proportion,
    z_of_shares,
)
from ape_jupyter.services.compare.measured.measured import Columns, no_quantiles

__all__ = ["Shares"]


@dataclass(frozen=True, slots=True)
class Shares:
    """How many of n have something, by bin.

    Attributes
    ----------
    is_state : bool
        Whether it is one of several states, which are tested together as well.
    """

    keys: Ints
    n: Ints
    events: Ints
    is_state: bool = False

    def estimates(self, confidence: float) -> Columns:
        """Return shares with Wilson's intervals; sd is that of a variable which is 0 or 1."""
        share = self.events / self.n
        low, high = wilson_interval(self.events, self.n, confidence)
        with np.errstate(invalid="ignore", divide="ignore"):
            variance = share * (1 - share) * self.n / (self.n - 1)
        return {
            "mean": share,
            "sd": np.sqrt(np.where(self.n > 1, variance, np.nan)),
            "ci_low": low,
            "ci_high": high,
            **no_quantiles(len(share)),
        }

    def differences(self, reference: Shares, own: Ints, its: Ints, confidence: float) -> Columns:
        """Return differences of shares with Newcombe's interval and the pooled z test."""
        cells = (reference.events[its], reference.n[its], self.events[own], self.n[own])
        difference, low, high = newcombe_difference(*cells, confidence)
        p_value = normal_two_sided(z_of_shares(*cells))
        return {"difference": difference, "ci_low": low, "ci_high": high, "p_value": p_value}

    def outcomes(
        self, reference: Shares, own: int, its: int, confidence: float
    ) -> list[TestOutcome]:
        """Return the test of two proportions and, for what is not a state, chi-square."""
        a = int(reference.events[its]), int(reference.n[its])
        b = int(self.events[own]), int(self.n[own])
        found = [two_proportion(a, b, confidence)]
        if not self.is_state:
            first, second = (np.array([events, n - events], float) for events, n in (a, b))
            found.append(chi_square(first, second, confidence))
        return found

    def contrast(self, reference: Shares, own: int, its: int) -> Contrast:
        """Return the difference of shares, with the variance of each."""
        n1, n2 = float(reference.n[its]), float(self.n[own])
        p1, p2 = float(reference.events[its]) / n1, float(self.events[own]) / n2
        return Contrast(p2 - p1, p1 * (1 - p1) / n1 + p2 * (1 - p2) / n2)
