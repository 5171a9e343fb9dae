"""Welch's test of two means, and Hedges' g, from counts, means and variances."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ape_jupyter.services.compare.inference.distributions import (
    Number,
    Numbers,
    log_gamma,
    normal_quantile,
    t_quantile,
    t_two_sided,
)
from ape_jupyter.services.compare.inference.outcome import Effect, TestOutcome

__all__ = ["Moments", "hedges_g", "welch", "welch_outcome"]


@dataclass(frozen=True, slots=True)
class Moments:
    """Size, mean and sample variance of a sample, or of one in each bin."""

    n: Numbers
    mean: Numbers
    variance: Numbers

    def row(self, position: Number) -> Moments:
        """Return those of one bin, or of several."""
        return Moments(self.n[position], self.mean[position], self.variance[position])


@dataclass(frozen=True, slots=True)
class WelchResult:
    """Difference of means with interval, statistic and two-sided p-value."""

    difference: Numbers
    low: Numbers
    high: Numbers
    t: Numbers
    p_value: Numbers


def welch(reference: Moments, comparator: Moments, confidence: float) -> WelchResult:
    """Compare means without assuming equal variances (Welch 1947, Biometrika 34:28).

    Degrees of freedom by Welch and Satterthwaite. Two samples without any spread are told apart
    with certainty, or give NaN where they are equal, as in ``scipy.stats.ttest_ind``.
    """
    difference = np.asarray(comparator.mean - reference.mean, float)
    with np.errstate(invalid="ignore", divide="ignore"):
        a = comparator.variance / comparator.n
        b = reference.variance / reference.n
        freedom = (a + b) ** 2 / (a**2 / (comparator.n - 1) + b**2 / (reference.n - 1))
        error = np.sqrt(a + b)
        # Without spread 0/0: any number does, as t is infinite or NaN.
        freedom = np.where((a + b) == 0, 1.0, freedom)
        half = t_quantile(confidence, freedom) * error
        t = difference / error
    return WelchResult(difference, difference - half, difference + half, t, t_two_sided(t, freedom))


def hedges_g(reference: Moments, comparator: Moments, confidence: float) -> Effect:
    """Return the difference of means in pooled standard deviations, unbiased for small samples.

    g = J·(x̄₂ − x̄₁)/s with the exact J of Hedges (1981, J Educ Stat 6:107), and a normal interval
    with the variance (n₁ + n₂)/(n₁n₂) + g²/(2(n₁ + n₂)) of Hedges and Olkin (1985), section 5.
    """
    n1, n2 = float(reference.n), float(comparator.n)
    freedom = n1 + n2 - 2
    if n1 < 2 or n2 < 2:  # noqa: PLR2004 - a variance needs two
        return Effect("hedges_g", math.nan)
    pooled = (
        (n1 - 1) * float(reference.variance) + (n2 - 1) * float(comparator.variance)
    ) / freedom
    if pooled == 0:
        return Effect("hedges_g", math.nan)
    j = math.exp(log_gamma(freedom / 2) - log_gamma((freedom - 1) / 2)) / math.sqrt(freedom / 2)
    g = j * float(comparator.mean - reference.mean) / math.sqrt(pooled)
    error = math.sqrt((n1 + n2) / (n1 * n2) + g * g / (2 * (n1 + n2)))
    half = normal_quantile(confidence) * error
    return Effect("hedges_g", g, g - half, g + half)


def welch_outcome(reference: Moments, comparator: Moments, confidence: float) -> TestOutcome:
    """Return Welch's test of two samples with Hedges' g."""
    found = welch(reference, comparator, confidence)
    return TestOutcome(
        "welch_t",
        float(found.t),
        float(found.p_value),
        hedges_g(reference, comparator, confidence),
        Effect("difference", float(found.difference), float(found.low), float(found.high)),
    )
