"""Tests of shares and of rates."""

from __future__ import annotations

import math

import numpy as np

from ape_jupyter.services.compare.inference.distributions import (
    Numbers,
    chi_square_tail,
    noncentrality,
    normal_quantile,
    normal_two_sided,
)
from ape_jupyter.services.compare.inference.intervals import wilson_interval
from ape_jupyter.services.compare.inference.outcome import Effect, TestOutcome

__all__ = ["chi_square", "newcombe_difference", "poisson_rates", "two_proportion", "z_of_shares"]


def z_of_shares(
    reference_events: Numbers,
    reference_n: Numbers,
    comparator_events: Numbers,
    comparator_n: Numbers,
) -> Numbers:
    """Return z of the difference of two shares with the pooled variance (Fleiss 1981, 2.2).

    Without events, or with nothing else, there is no variance, and z is NaN.
    """
    share = (reference_events + comparator_events) / (reference_n + comparator_n)
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.sqrt(share * (1 - share) * (1 / reference_n + 1 / comparator_n))
        gap = comparator_events / comparator_n - reference_events / reference_n
        return np.where(error > 0, gap / error, np.nan)


def newcombe_difference(
    reference_events: Numbers,
    reference_n: Numbers,
    comparator_events: Numbers,
    comparator_n: Numbers,
    confidence: float,
) -> tuple[Numbers, Numbers, Numbers]:
    """Return the difference of two shares and its hybrid score interval.

    Newcombe (1998, Stat Med 17:873), method 10.
    """
    p1, p2 = reference_events / reference_n, comparator_events / comparator_n
    low1, high1 = wilson_interval(reference_events, reference_n, confidence)
    low2, high2 = wilson_interval(comparator_events, comparator_n, confidence)
    difference = p2 - p1
    low = difference - np.sqrt((p2 - low2) ** 2 + (high1 - p1) ** 2)
    high = difference + np.sqrt((high2 - p2) ** 2 + (p1 - low1) ** 2)
    return difference, low, high


def two_proportion(
    reference: tuple[int, int], comparator: tuple[int, int], confidence: float
) -> TestOutcome:
    """Test two shares, each given as events and size; the effect is the risk difference."""
    e1, n1, e2, n2 = (np.asarray(cell, float) for cell in (*reference, *comparator))
    z = float(z_of_shares(e1, n1, e2, n2))
    estimate = newcombe_difference(e1, n1, e2, n2, confidence)
    difference, low, high = map(float, estimate)
    return TestOutcome(
        "two_proportion",
        z,
        float(normal_two_sided(z)),
        Effect("risk_difference", difference, low, high),
        Effect("difference", difference, low, high),
    )


def chi_square(reference: Numbers, comparator: Numbers, confidence: float) -> TestOutcome:
    """Test whether two samples fall alike into categories (Pearson 1900).

    A table of two by two has Yates' correction for continuity, as in
    ``scipy.stats.chi2_contingency``. The effect is Cramér's V without the correction; its interval
    holds the values under which the statistic is not extreme (Smithson 2003, section 4).
    Categories that neither sample has are left out.
    """
    table = np.array([reference, comparator], float)
    table = table[:, table.sum(axis=0) > 0]
    freedom = table.shape[1] - 1
    if freedom < 1:
        return TestOutcome("chi_square", math.nan, math.nan, Effect("cramers_v", math.nan))
    n = table.sum()
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / n
    gaps = np.abs(table - expected)
    plain = float((gaps**2 / expected).sum())
    statistic = plain
    if freedom == 1:
        statistic = float(((gaps - np.minimum(0.5, gaps)) ** 2 / expected).sum())
    tail = (1 - confidence) / 2
    # Of two rows, V = √(χ²/n), and the noncentrality is n·V².
    low, high = (
        min(math.sqrt(noncentrality(plain, freedom, share) / n), 1.0) for share in (1 - tail, tail)
    )
    effect = Effect("cramers_v", math.sqrt(plain / n), low, high)
    return TestOutcome("chi_square", statistic, float(chi_square_tail(statistic, freedom)), effect)


def poisson_rates(
    reference: tuple[float, float], comparator: tuple[float, float], confidence: float
) -> TestOutcome:
    """Compare two rates, each given as events and time, as if events were Poisson.

    Score test of equal rates (Ng and Tang 2005, Stat Med 24:955), rate ratio with its interval by
    the logarithm (Rothman 2008, chapter 14), difference with a normal interval.
    """
    (e1, t1), (e2, t2) = reference, comparator
    r1, r2 = e1 / t1, e2 / t2
    pooled = (e1 + e2) / (t1 + t2)
    z = (r2 - r1) / math.sqrt(pooled * (1 / t1 + 1 / t2)) if pooled > 0 else math.nan
    quantile = normal_quantile(confidence)
    effect = Effect("rate_ratio", math.nan)
    if e1 > 0 and e2 > 0:
        spread = math.exp(quantile * math.sqrt(1 / e1 + 1 / e2))
        effect = Effect("rate_ratio", r2 / r1, r2 / r1 / spread, r2 / r1 * spread)
    half = quantile * math.sqrt(e1 / t1**2 + e2 / t2**2)
    return TestOutcome(
        "poisson_rates",
        z,
        float(normal_two_sided(z)),
        effect,
        Effect("difference", r2 - r1, r2 - r1 - half, r2 - r1 + half),
    )
