"""Comparing two life tables."""

from __future__ import annotations

import math

import numpy as np

from ape_jupyter.results.summary import LifeTable
from ape_jupyter.services.compare.inference.distributions import (
    chi_square_tail,
    normal_quantile,
)
from ape_jupyter.services.compare.inference.outcome import Contrast, Effect, TestOutcome

__all__ = ["log_hazard_ratio", "log_rank"]


def log_rank(reference: LifeTable, comparator: LifeTable, confidence: float) -> TestOutcome:
    """Test whether events come at equal rates (Mantel 1966, Cancer Chemother Rep 50:163).

    Observed less expected events with the hypergeometric variance, unweighted; equal to
    ``scipy.stats.logrank`` squared. The effect is the hazard ratio, comparator to reference, by
    Mantel and Haenszel: R/S with R = Σ d₂n₁/n and S = Σ d₁n₂/n over the days with events, and its
    interval by the logarithm with the variance Σ d·n₁n₂/n² / (R·S) (Greenland and Robins 1985,
    Biometrics 41:55).
    """
    d1, n1, d2, n2 = _on_days_with_events(reference, comparator)
    events, at_risk = d1 + d2, n1 + n2
    expected = events * n2 / at_risk
    spread = events * (n1 / at_risk) * (n2 / at_risk)
    variance = float((spread * (at_risk - events) / np.maximum(at_risk - 1, 1)).sum())
    excess = float((d2 - expected).sum())
    statistic = excess**2 / variance if variance > 0 else math.nan
    p_value = float(chi_square_tail(statistic, 1))
    ratio = log_hazard_ratio(reference, comparator)
    effect = Effect("hazard_ratio", math.nan)
    if not math.isnan(ratio.estimate):
        size = math.exp(ratio.estimate)
        width = math.exp(normal_quantile(confidence) * math.sqrt(ratio.variance))
        effect = Effect("hazard_ratio", size, size / width, size * width)
    return TestOutcome("log_rank", statistic, p_value, effect)


def log_hazard_ratio(reference: LifeTable, comparator: LifeTable) -> Contrast:
    """Return the logarithm of the hazard ratio of :func:`log_rank`; NaN where a side has none."""
    d1, n1, d2, n2 = _on_days_with_events(reference, comparator)
    at_risk = n1 + n2
    r, s = float((d2 * n1 / at_risk).sum()), float((d1 * n2 / at_risk).sum())
    if r <= 0 or s <= 0:
        return Contrast(math.nan, math.nan, is_log=True)
    spread = float(((d1 + d2) * (n1 / at_risk) * (n2 / at_risk)).sum())
    return Contrast(math.log(r / s), spread / (r * s), is_log=True)


def _on_days_with_events(reference: LifeTable, comparator: LifeTable) -> tuple[np.ndarray, ...]:
    """Return events and numbers at risk of both; a day without one of both says nothing."""
    days = np.union1d(reference.days, comparator.days)
    d1, n1 = _at(reference, days)
    d2, n2 = _at(comparator, days)
    used = (d1 + d2 > 0) & (n1 > 0) & (n2 > 0)
    return d1[used], n1[used], d2[used], n2[used]


def _at(table: LifeTable, days: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return events and numbers at risk on each of the days."""
    events = np.zeros(len(days))
    events[np.searchsorted(days, table.days)] = table.events
    # At risk before the next day on which somebody leaves, all who leave then or later.
    position = np.searchsorted(table.days, days)
    at_risk = np.append(table.at_risk, 0)[position].astype(float)
    return events, at_risk
