"""Whole-numbered values, all of which are counted: letters, days, injections."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ape_jupyter.results.summary import Distribution
from ape_jupyter.results.summary.axis import Ints
from ape_jupyter.services.compare.inference.distributions import Numbers
from ape_jupyter.services.compare.inference.intervals import t_interval
from ape_jupyter.services.compare.inference.means import Moments, welch, welch_outcome
from ape_jupyter.services.compare.inference.outcome import Contrast, TestOutcome
from ape_jupyter.services.compare.inference.ranks import (
    CountedPair,
    kolmogorov_smirnov,
    mann_whitney,
)
from ape_jupyter.services.compare.measured.measured import QUANTILES, Columns

__all__ = ["Values", "contrast_of_means", "mean_columns", "welch_columns"]


@dataclass(frozen=True, slots=True)
class Values:
    """Distributions by time bin."""

    distribution: Distribution

    @property
    def keys(self) -> Ints:
        """Bins with values."""
        return self.distribution.bins

    @property
    def n(self) -> Ints:
        """Number of values."""
        return self.distribution.n

    @property
    def _moments(self) -> Moments:
        own = self.distribution
        return Moments(own.n, own.mean, own.variance)

    def estimates(self, confidence: float) -> Columns:
        """Return means with t intervals, and quantiles."""
        quantiles = {name: self.distribution.quantile(share) for name, share in QUANTILES.items()}
        return {**mean_columns(self._moments, confidence), **quantiles}

    def differences(self, reference: Values, own: Ints, its: Ints, confidence: float) -> Columns:
        """Return differences of means with Welch's interval and test."""
        return welch_columns(reference._moments, self._moments, its, own, confidence)

    def outcomes(
        self, reference: Values, own: int, its: int, confidence: float
    ) -> list[TestOutcome]:
        """Return Welch's, Mann and Whitney's, and Kolmogorov and Smirnov's tests."""
        a, b = reference.distribution, self.distribution
        pair = CountedPair.of(a.values, a.counts[its], b.values, b.counts[own])
        return [
            welch_outcome(reference._moments.row(its), self._moments.row(own), confidence),
            mann_whitney(pair, confidence),
            kolmogorov_smirnov(pair),
        ]

    def contrast(self, reference: Values, own: int, its: int) -> Contrast:
        """Return the difference of means."""
        return contrast_of_means(reference._moments.row(its), self._moments.row(own))


def contrast_of_means(reference: Moments, comparator: Moments) -> Contrast:
    """Return the difference of two means, with variances that need not be equal."""
    return Contrast(
        float(comparator.mean - reference.mean),
        float(comparator.variance / comparator.n + reference.variance / reference.n),
    )


def mean_columns(moments: Moments, confidence: float) -> dict[str, Numbers]:
    """Return mean, sd and t interval."""
    sd = np.sqrt(moments.variance)
    low, high = t_interval(moments.mean, sd, moments.n, confidence)
    return {"mean": moments.mean, "sd": sd, "ci_low": low, "ci_high": high}


def welch_columns(
    reference: Moments, comparator: Moments, its: Ints, own: Ints, confidence: float
) -> Columns:
    """Return Welch's comparison of chosen rows."""
    found = welch(reference.row(its), comparator.row(own), confidence)
    return {
        "difference": found.difference,
        "ci_low": found.low,
        "ci_high": found.high,
        "p_value": found.p_value,
    }
