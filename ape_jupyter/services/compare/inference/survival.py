"""Comparing two life tables."""

from __future__ import annotations

import math

import numpy as np

from ape_jupyter.results.summary import LifeTable
from ape_jupyter.services.compare.inference.distributions import (
    chi_square_tail,
    normal_quantile,
)
from ape_jupyter.services.compare.inference.outcome import Effect, TestOutcome

__all__ = ["log_rank"]


def log_rank(reference: LifeTable, comparator: LifeTable, confidence: float) -> TestOutcome:
    """Test whether events come at equal rates (Mantel 1966, Cancer Chemother Rep 50:163).

    Observed less expected events with the hypergeometric variance, unweighted; equal to
    ``scipy.stats.logrank`` squared. The effect is the hazard ratio, comparator to reference, by
    Mantel and Haenszel: R/S with R = Σ d₂n₁/n and S = Σ d₁n₂/n over the days with events, and its
    interval by the logarithm with the variance Σ d·n₁n₂/n² / (R·S) (Greenland and Robins 1985,
    Biometrics 41:55).
    """
    days = np.union1d(reference.days, comparator.days)
    d1, n1 = _at(reference, days)
    d2, n2 = _at(comparator, days)
    events, at_risk = d1 + d2, n1 + n2
    # A day on which one side has nobody left says nothing about the ratio.
    used = (events > 0) & (n1 > 0) & (n2 > 0)
    d1, n1, d2, n2, events, at_risk = (x[used] for x in (d1, n1, d2, n2, events, at_risk))
    expected = events * n2 / at_risk
    spread = events * (n1 / at_risk) * (n2 / at_risk)
    variance = float((spread * (at_risk - events) / np.maximum(at_risk - 1, 1)).sum())
    excess = float((d2 - expected).sum())
    statistic = excess**2 / variance if variance > 0 else math.nan
    p_value = float(chi_square_tail(statistic, 1))
    r, s = float((d2 * n1 / at_risk).sum()), float((d1 * n2 / at_risk).sum())
    effect = Effect("hazard_ratio", math.nan)
    if r > 0 and s > 0:
        width = math.exp(normal_quantile(confidence) * math.sqrt(float(spread.sum()) / (r * s)))
        effect = Effect("hazard_ratio", r / s, r / s / width, r / s * width)
    return TestOutcome("log_rank", statistic, p_value, effect)


def _at(table: LifeTable, days: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return events and numbers at risk on each of the days."""
    events = np.zeros(len(days))
    events[np.searchsorted(days, table.days)] = table.events
    # At risk before the next day on which somebody leaves, all who leave then or later.
    position = np.searchsorted(table.days, days)
    at_risk = np.append(table.at_risk, 0)[position].astype(float)
    return events, at_risk
