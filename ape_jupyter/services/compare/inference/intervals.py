"""Confidence intervals of one sample."""

from __future__ import annotations

import numpy as np

from ape_jupyter.services.compare.inference.distributions import (
    Numbers,
    gamma_quantile,
    normal_quantile,
    t_quantile,
)

__all__ = ["garwood_interval", "log_log_interval", "t_interval", "wilson_interval"]

Interval = tuple[Numbers, Numbers]


def t_interval(mean: Numbers, sd: Numbers, n: Numbers, confidence: float) -> Interval:
    """Return the interval of a mean: x̄ ± t·s/√n with n − 1 degrees of freedom (Student 1908).

    With one observation there is none: its s is NaN, and so is the interval.
    """
    half = t_quantile(confidence, np.maximum(n - 1, 1)) * sd / np.sqrt(n)
    return mean - half, mean + half


def wilson_interval(events: Numbers, n: Numbers, confidence: float) -> Interval:
    """Return the score interval of a share (Wilson 1927, JASA 22:209)."""
    z2 = normal_quantile(confidence) ** 2
    centre = (events + z2 / 2) / (n + z2)
    half = np.sqrt(z2 * (events * (n - events) / n + z2 / 4)) / (n + z2)
    # Exact at the ends, where rounding would leave something of the order of 1e-18.
    low = np.where(events == 0, 0.0, centre - half)
    return low, np.where(events == n, 1.0, centre + half)


def garwood_interval(events: Numbers, exposure: Numbers, confidence: float) -> Interval:
    """Return the exact interval of a Poisson rate (Garwood 1936, Biometrika 28:437)."""
    events = np.asarray(events, float)
    tail = (1 - confidence) / 2
    low = np.where(events > 0, gamma_quantile(np.maximum(events, 1), tail), 0.0)
    return low / exposure, gamma_quantile(events + 1, 1 - tail) / exposure


def log_log_interval(survival: Numbers, variance: Numbers, confidence: float) -> Interval:
    """Return the interval of a survival probability, symmetric for log(−log S).

    Kalbfleisch and Prentice (1980), section 1.3; it stays within 0 and 1. Where nothing has
    happened yet it is 1 to 1, where nobody is left NaN, as R's ``survfit`` has it.
    """
    z = normal_quantile(confidence)
    with np.errstate(divide="ignore", invalid="ignore"):
        log = np.log(survival)
        power = np.exp(z * np.sqrt(variance) / (survival * -log))
        low, high = survival**power, survival ** (1 / power)
    none_yet, none_left = survival == 1, survival == 0
    low, high = (np.where(none_yet, 1.0, np.where(none_left, np.nan, end)) for end in (low, high))
    return low, high
