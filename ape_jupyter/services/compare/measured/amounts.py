"""Amounts of money, of which moments and a sketch are known."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from ape_jupyter.results.summary import Distribution, MomentTable
from ape_jupyter.results.summary.axis import Ints
from ape_jupyter.results.summary.sketch import bucket_estimates
from ape_jupyter.services.compare.inference.distributions import Numbers
from ape_jupyter.services.compare.inference.means import Moments, welch_outcome
from ape_jupyter.services.compare.inference.outcome import Contrast, TestOutcome
from ape_jupyter.services.compare.measured.measured import QUANTILES, Columns
from ape_jupyter.services.compare.measured.values import (
    contrast_of_means,
    mean_columns,
    welch_columns,
)

__all__ = ["Amounts", "carried_moments"]


@dataclass(frozen=True, slots=True)
class Amounts:
    """Moments by bin, and counts in the buckets of a sketch."""

    moments: MomentTable
    sketch: Distribution

    @property
    def keys(self) -> Ints:
        """Bins with amounts."""
        return self.moments.bins.astype(np.int64)

    @property
    def n(self) -> Ints:
        """Number of patients."""
        return self.moments.counts

    @property
    def _moments(self) -> Moments:
        own, n = self.moments, self.moments.counts
        mean = own.sums / n
        with np.errstate(invalid="ignore", divide="ignore"):
            variance = np.maximum(own.squares - n * mean * mean, 0) / (n - 1)
        return Moments(n, mean, np.where(n > 1, variance, np.nan))

    @property
    def in_money(self) -> Distribution:
        """The sketch, with the amounts that stand for its buckets."""
        own = self.sketch
        return Distribution(own.bins, bucket_estimates(own.values), own.counts)  # type: ignore[arg-type]

    def estimates(self, confidence: float) -> Columns:
        """Return means with t intervals, and quantiles to the accuracy of the sketch."""
        in_money = self.in_money
        quantiles = {name: in_money.quantile(share) for name, share in QUANTILES.items()}
        return {**mean_columns(self._moments, confidence), **quantiles}

    def differences(self, reference: Amounts, own: Ints, its: Ints, confidence: float) -> Columns:
        """Return differences of means with Welch's interval and test."""
        return welch_columns(reference._moments, self._moments, its, own, confidence)

    def outcomes(
        self, reference: Amounts, own: int, its: int, confidence: float
    ) -> list[TestOutcome]:
        """Return Welch's test; ranks of amounts are not known exactly."""
        return [welch_outcome(reference._moments.row(its), self._moments.row(own), confidence)]

    def contrast(self, reference: Amounts, own: int, its: int) -> Contrast:
        """Return the difference of means."""
        return contrast_of_means(reference._moments.row(its), self._moments.row(own))


def carried_moments(carried: MomentTable, ended: MomentTable, width: int) -> MomentTable:
    """Join each ``width`` bins of amounts carried forward, each patient once, with the last."""
    stays = carried.bins % width == width - 1
    leaves = ended.bins % width != width - 1
    parts = []
    for table, kept in ((carried, stays), (ended, leaves)):
        columns: dict[str, Numbers] = {
            field.name: getattr(table, field.name)[kept] for field in fields(MomentTable)
        }
        parts.append(MomentTable(**{**columns, "bins": columns["bins"] // width}))
    return MomentTable.total([*parts])
