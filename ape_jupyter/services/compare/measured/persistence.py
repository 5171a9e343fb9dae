"""Time on treatment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ape_jupyter.results.summary import LifeTable
from ape_jupyter.results.summary.axis import Ints
from ape_jupyter.services.compare.inference.distributions import (
    Numbers,
    normal_quantile,
    normal_two_sided,
)
from ape_jupyter.services.compare.inference.intervals import log_log_interval
from ape_jupyter.services.compare.inference.outcome import Contrast, TestOutcome
from ape_jupyter.services.compare.inference.survival import log_hazard_ratio, log_rank
from ape_jupyter.services.compare.measured.measured import Columns, no_quantiles

__all__ = ["Persistence"]


@dataclass(frozen=True, slots=True)
class Persistence:
    """A Kaplan–Meier curve, read off at the beginning of each bin.

    Attributes
    ----------
    width_days : int
        Width of the bins.
    """

    life_table: LifeTable
    width_days: int

    @property
    def keys(self) -> Ints:
        """Bins up to that in which the last patient's time ended."""
        return np.arange(int(self.life_table.days[-1]) // self.width_days + 1)

    @property
    def n(self) -> Ints:
        """Patients at risk."""
        position = np.searchsorted(self.life_table.days, self.keys * self.width_days)
        return np.append(self.life_table.at_risk, 0)[position]

    def _curve(self) -> tuple[Numbers, Numbers]:
        """Return survival and its variance at the beginning of each bin."""
        table = self.life_table
        position = np.searchsorted(table.days, self.keys * self.width_days, side="right")
        return (
            np.append(1.0, table.survival)[position],
            np.append(0.0, table.variance)[position],
        )

    def estimates(self, confidence: float) -> Columns:
        """Return probabilities with log(−log) intervals by Greenwood's variance."""
        survival, variance = self._curve()
        low, high = log_log_interval(survival, variance, confidence)
        return {
            "mean": survival,
            "sd": np.full(len(survival), np.nan),
            "ci_low": low,
            "ci_high": high,
            **no_quantiles(len(survival)),
        }

    def differences(
        self, reference: Persistence, own: Ints, its: Ints, confidence: float
    ) -> Columns:
        """Return differences of probabilities with normal intervals by Greenwood's variance."""
        (s1, v1), (s2, v2) = reference._curve(), self._curve()
        difference = s2[own] - s1[its]
        with np.errstate(invalid="ignore", divide="ignore"):
            error = np.sqrt(v1[its] + v2[own])
            z = np.where(error > 0, difference / error, np.nan)
        half = normal_quantile(confidence) * error
        return {
            "difference": difference,
            "ci_low": difference - half,
            "ci_high": difference + half,
            "p_value": normal_two_sided(z),
        }

    def outcomes(
        self,
        reference: Persistence,
        own: int,  # noqa: ARG002 - of the protocol
        its: int,  # noqa: ARG002
        confidence: float,
    ) -> list[TestOutcome]:
        """Return the log-rank test over the whole time; the rows do not matter."""
        return [log_rank(reference.life_table, self.life_table, confidence)]

    def contrast(
        self,
        reference: Persistence,
        own: int,  # noqa: ARG002 - of the protocol
        its: int,  # noqa: ARG002
    ) -> Contrast:
        """Return the logarithm of the hazard ratio."""
        return log_hazard_ratio(reference.life_table, self.life_table)
