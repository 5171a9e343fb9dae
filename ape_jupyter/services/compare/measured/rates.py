"""Events by time at risk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ape_jupyter.results.summary.axis import Ints
from ape_jupyter.services.compare.inference.distributions import (
    Numbers,
    normal_quantile,
    normal_two_sided,
)
from ape_jupyter.services.compare.inference.intervals import garwood_interval
from ape_jupyter.services.compare.inference.outcome import Contrast, TestOutcome
from ape_jupyter.services.compare.inference.shares import poisson_rates
from ape_jupyter.services.compare.measured.measured import Columns, no_quantiles

__all__ = ["Rates"]


@dataclass(frozen=True, slots=True)
class Rates:
    """Events and patient-years by bin, the latter more than 0."""

    keys: Ints
    events: Ints
    years: Numbers

    @property
    def n(self) -> Ints:
        """Number of events."""
        return self.events

    def estimates(self, confidence: float) -> Columns:
        """Return rates with Garwood's intervals; one rate has no spread."""
        low, high = garwood_interval(self.events, self.years, confidence)
        return {
            "mean": self.events / self.years,
            "sd": np.full(len(self.keys), np.nan),
            "ci_low": low,
            "ci_high": high,
            **no_quantiles(len(self.keys)),
        }

    def differences(self, reference: Rates, own: Ints, its: Ints, confidence: float) -> Columns:
        """Return differences of rates with normal intervals and the score test."""
        e1, t1 = reference.events[its], reference.years[its]
        e2, t2 = self.events[own], self.years[own]
        difference = e2 / t2 - e1 / t1
        half = normal_quantile(confidence) * np.sqrt(e1 / t1**2 + e2 / t2**2)
        with np.errstate(invalid="ignore", divide="ignore"):
            z = difference / np.sqrt((e1 + e2) / (t1 + t2) * (1 / t1 + 1 / t2))
        return {
            "difference": difference,
            "ci_low": difference - half,
            "ci_high": difference + half,
            "p_value": normal_two_sided(z),
        }

    def outcomes(
        self, reference: Rates, own: int, its: int, confidence: float
    ) -> list[TestOutcome]:
        """Return the score test of two rates."""
        a = float(reference.events[its]), float(reference.years[its])
        b = float(self.events[own]), float(self.years[own])
        return [poisson_rates(a, b, confidence)]

    def contrast(self, reference: Rates, own: int, its: int) -> Contrast:
        """Return the difference of rates."""
        e1, t1 = float(reference.events[its]), float(reference.years[its])
        e2, t2 = float(self.events[own]), float(self.years[own])
        return Contrast(e2 / t2 - e1 / t1, e1 / t1**2 + e2 / t2**2)
