"""p-values of a family of tests, adjusted for their number."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ape_jupyter.services.compare.inference.distributions import Numbers

__all__ = ["benjamini_hochberg", "holm"]


def holm(p_values: Numbers) -> Numbers:
    """Adjust so that the chance of any false positive is kept (Holm 1979, Scand J Stat 6:65).

    NaN is no test, and does not count.
    """
    return _adjusted(p_values, _holm)


def benjamini_hochberg(p_values: Numbers) -> Numbers:
    """Adjust so that the share of false positives is kept.

    Benjamini and Hochberg (1995, J R Stat Soc B 57:289). NaN is no test, and does not count.
    """
    return _adjusted(p_values, _benjamini_hochberg)


def _holm(ascending: Numbers) -> Numbers:
    m = len(ascending)
    return np.maximum.accumulate(ascending * (m - np.arange(m)))


def _benjamini_hochberg(ascending: Numbers) -> Numbers:
    m = len(ascending)
    scaled = ascending * (m / np.arange(1, m + 1))
    return np.asarray(np.minimum.accumulate(scaled[::-1])[::-1])


def _adjusted(p_values: Numbers, rule: Callable[[Numbers], Numbers]) -> Numbers:
    adjusted = np.full(len(p_values), np.nan)
    known = np.flatnonzero(~np.isnan(p_values))
    order = known[np.argsort(p_values[known], kind="stable")]
    adjusted[order] = np.minimum(rule(p_values[order]), 1.0)
    return adjusted
