"""Tests of differences within pairs."""

from __future__ import annotations

import math

import numpy as np

from ape_jupyter.services.compare.inference.distributions import (
    Numbers,
    normal_quantile,
    normal_two_sided,
    t_quantile,
    t_two_sided,
)
from ape_jupyter.services.compare.inference.outcome import Effect, TestOutcome

__all__ = ["mcnemar", "paired_t", "variance_reduction", "wilcoxon"]


def paired_t(differences: Numbers, confidence: float) -> TestOutcome:
    """Test whether differences are 0 on average (Student 1908).

    The effect is their mean in standard deviations, with the normal interval of the variance
    1/n + d²/(2n) (Hedges and Olkin 1985, section 6).
    """
    n = len(differences)
    mean = float(differences.mean())
    if n < 2:  # noqa: PLR2004 - a variance needs two
        nan = math.nan
        return TestOutcome("paired_t", nan, nan, Effect("d_z", nan), Effect("difference", mean))
    sd = float(differences.std(ddof=1))
    with np.errstate(divide="ignore", invalid="ignore"):
        t = float(np.float64(mean) / (sd / math.sqrt(n)))
    half = float(t_quantile(confidence, n - 1)) * sd / math.sqrt(n)
    effect = Effect("d_z", math.nan)
    if sd > 0:
        d = mean / sd
        width = normal_quantile(confidence) * math.sqrt(1 / n + d * d / (2 * n))
        effect = Effect("d_z", d, d - width, d + width)
    return TestOutcome(
        "paired_t",
        t,
        float(t_two_sided(t, n - 1)),
        effect,
        Effect("difference", mean, mean - half, mean + half),
    )


def wilcoxon(differences: Numbers) -> TestOutcome:
    """Test whether differences are as often and as far above 0 as below (Wilcoxon 1945).

    Differences of 0 are left out; normal approximation with the correction for ties, which is
    ``scipy.stats.wilcoxon(method="approx")``. The statistic is the smaller sum of ranks, the
    effect the rank-biserial correlation (Kerby 2014): positive ranks less negative ones, as a
    share of all.
    """
    changed = differences[differences != 0]
    n = len(changed)
    if n == 0:
        return TestOutcome("wilcoxon", math.nan, math.nan, Effect("rank_biserial", math.nan))
    _, position, counts = np.unique(np.abs(changed), return_inverse=True, return_counts=True)
    above = np.cumsum(counts)
    ranks = (above - (counts - 1) / 2)[position.reshape(-1)]
    total = n * (n + 1) / 2
    positive = float(ranks[changed > 0].sum())
    smaller = min(positive, total - positive)
    ties = float((counts.astype(float) ** 3 - counts).sum())
    variance = (n * (n + 1) * (2 * n + 1) - ties / 2) / 24
    z = (smaller - total / 2) / math.sqrt(variance)
    effect = Effect("rank_biserial", (2 * positive - total) / total)
    return TestOutcome("wilcoxon", smaller, float(normal_two_sided(z)), effect)


def mcnemar(reference: Numbers, comparator: Numbers, confidence: float) -> TestOutcome:
    """Test whether a share changes within pairs (McNemar 1947), without continuity correction.

    The effect is the risk difference with Wald's interval for pairs (Fleiss 1981, section 8.2).
    """
    n = len(reference)
    gained = int((~reference & comparator).sum())
    lost = int((reference & ~comparator).sum())
    changed = gained + lost
    statistic = (gained - lost) ** 2 / changed if changed else math.nan
    difference = (gained - lost) / n
    spread = max(changed - (gained - lost) ** 2 / n, 0.0)
    half = normal_quantile(confidence) * math.sqrt(spread) / n
    low, high = difference - half, difference + half
    return TestOutcome(
        "mcnemar",
        statistic,
        float(normal_two_sided(math.sqrt(statistic))),
        Effect("risk_difference", difference, low, high),
        Effect("difference", difference, low, high),
    )


def variance_reduction(reference: Numbers, comparator: Numbers) -> float:
    """Return by which share pairing makes the variance of the difference smaller."""
    if len(reference) < 2:  # noqa: PLR2004 - a variance needs two
        return math.nan
    unpaired = float(reference.var(ddof=1) + comparator.var(ddof=1))
    paired = float((comparator - reference).var(ddof=1))
    return 1 - paired / unpaired if unpaired > 0 else math.nan
