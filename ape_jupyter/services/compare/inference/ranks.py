"""Tests of two distributions that need only the order of values, from counts by value."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ape_jupyter.services.compare.inference.distributions import (
    Numbers,
    kolmogorov_tail,
    normal_quantile,
    normal_two_sided,
)
from ape_jupyter.services.compare.inference.outcome import Effect, TestOutcome

_NO_SPREAD = 1e-9

__all__ = ["CountedPair", "kolmogorov_smirnov", "mann_whitney"]


@dataclass(frozen=True, slots=True)
class CountedPair:
    """Counts of the same values, in ascending order, in two samples that are not empty."""

    reference: Numbers
    comparator: Numbers

    @classmethod
    def of(
        cls,
        reference_values: np.ndarray,
        reference_counts: np.ndarray,
        comparator_values: np.ndarray,
        comparator_counts: np.ndarray,
    ) -> CountedPair:
        """Bring two samples to the values of both."""
        values = np.union1d(reference_values, comparator_values)
        reference, comparator = np.zeros(len(values)), np.zeros(len(values))
        reference[np.searchsorted(values, reference_values)] = reference_counts
        comparator[np.searchsorted(values, comparator_values)] = comparator_counts
        return cls(reference, comparator)

    @property
    def sizes(self) -> tuple[float, float]:
        """Sizes of reference and comparator."""
        return float(self.reference.sum()), float(self.comparator.sum())


def mann_whitney(pair: CountedPair, confidence: float) -> TestOutcome:
    """Test whether one sample tends to larger values (Mann and Whitney 1947).

    U counts the pairs in which the comparator's value is larger, ties half. Normal approximation
    with the correction for ties (Lehmann 1975, section 1.2) and for continuity, which is
    ``scipy.stats.mannwhitneyu(method="asymptotic")``; the effect is Cliff's delta.
    """
    n1, n2 = pair.sizes
    below = np.cumsum(pair.reference) - pair.reference
    u = float((pair.comparator * (below + pair.reference / 2)).sum())
    both = pair.reference + pair.comparator
    n = n1 + n2
    ties = float((both * (both * both - 1)).sum())
    variance = n1 * n2 / 12 * ((n + 1) - ties / (n * (n - 1)))
    # All values equal: rounding may leave the variance a little below 0.
    distance = abs(u - n1 * n2 / 2) - 0.5
    z = distance / math.sqrt(variance) if variance > _NO_SPREAD else -math.inf
    p_value = 1.0 if z < 0 else float(normal_two_sided(z))
    return TestOutcome("mann_whitney_u", u, p_value, _cliffs_delta(pair, u, confidence))


def _cliffs_delta(pair: CountedPair, u: float, confidence: float) -> Effect:
    """Return P(comparator larger) − P(reference larger) with its interval.

    Unbiased variance by Cliff (1993, Psychol Bull 114:494), asymmetric interval by Feng and Cliff
    (2004, J Mod Appl Stat Methods 3:322).
    """
    n1, n2 = pair.sizes
    delta = 2 * u / (n1 * n2) - 1
    if n1 < 2 or n2 < 2:  # noqa: PLR2004 - a variance needs two
        return Effect("cliffs_delta", delta)
    z2 = normal_quantile(confidence) ** 2
    if abs(delta) == 1:
        n = min(n1, n2)
        bound = (n - z2) / (n + z2)
        low, high = (bound, 1.0) if delta > 0 else (-1.0, -bound)
        return Effect("cliffs_delta", delta, low, high)
    below_r = np.cumsum(pair.reference) - pair.reference
    above_r = n1 - below_r - pair.reference
    below_c = np.cumsum(pair.comparator) - pair.comparator
    above_c = n2 - below_c - pair.comparator
    of_comparator = (pair.comparator * ((below_r - above_r) / n1 - delta) ** 2).sum()
    of_reference = (pair.reference * ((above_c - below_c) / n2 - delta) ** 2).sum()
    tied = (pair.reference * pair.comparator).sum()
    within = n1 * n2 - tied - n1 * n2 * delta * delta
    variance = (n1 * n1 * of_comparator + n2 * n2 * of_reference - within) / (
        n1 * n2 * (n1 - 1) * (n2 - 1)
    )
    variance = max(float(variance), (1 - delta * delta) / (n1 * n2 - 1))
    spread = math.sqrt(z2 * variance * ((1 - delta * delta) ** 2 + z2 * variance))
    scale = 1 - delta * delta + z2 * variance
    low, high = ((delta - delta**3 + sign * spread) / scale for sign in (-1, 1))
    return Effect("cliffs_delta", delta, max(low, -1.0), min(high, 1.0))


def kolmogorov_smirnov(pair: CountedPair) -> TestOutcome:
    """Test whether two distributions are equal by the largest distance of their ECDFs.

    Smirnov (1939); p-value as ``scipy.stats.ks_2samp(method="asymp")``, which is conservative
    where values are tied. The effect is the distance, negative where the comparator's values
    are the smaller ones.
    """
    n1, n2 = pair.sizes
    gaps = np.cumsum(pair.reference) / n1 - np.cumsum(pair.comparator) / n2
    widest = float(gaps[np.argmax(np.abs(gaps))])
    p_value = kolmogorov_tail(abs(widest), round(n1 * n2 / (n1 + n2)) or 1)
    return TestOutcome(
        "kolmogorov_smirnov", abs(widest), min(max(p_value, 0.0), 1.0), Effect("ecdf_gap", widest)
    )
