"""Quantiles and tails of the distributions that tests need.

scipy.stats takes most of a second to load, the functions it calls a tenth of that; and no other
use of a library should wait for either. So they are imported where they are called.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = [
    "Numbers",
    "chi_square_tail",
    "gamma_quantile",
    "kolmogorov_tail",
    "log_gamma",
    "noncentrality",
    "normal_below",
    "normal_quantile",
    "normal_two_sided",
    "t_quantile",
    "t_two_sided",
]

Numbers = npt.NDArray[Any]
"""Counts or measures, one for each bin."""

Number = Any
"""A number, or an array of them: the functions work on both."""


def normal_quantile(confidence: float) -> float:
    """Return z such that a standard normal variable lies within ±z with this probability."""
    from scipy import special

    return float(special.ndtri((1 + confidence) / 2))


def normal_below(z: Number) -> Number:
    """Return the probability of a standard normal variable of at most z."""
    from scipy import special

    return special.ndtr(z)


def normal_two_sided(z: Number) -> Number:
    """Return the probability of a standard normal variable at least as far from 0 as z."""
    from scipy import special

    return 2 * special.ndtr(-np.abs(z))


def t_quantile(confidence: float, freedom: Number) -> Number:
    """Return t such that Student's variable lies within ±t with this probability."""
    from scipy import special

    return special.stdtrit(freedom, (1 + confidence) / 2)


def t_two_sided(t: Number, freedom: Number) -> Number:
    """Return the probability of a Student's variable at least as far from 0 as t."""
    from scipy import special

    return 2 * special.stdtr(freedom, -np.abs(t))


def chi_square_tail(x: Number, freedom: Number) -> Number:
    """Return the probability of a chi-square variable of at least x."""
    from scipy import special

    return special.chdtrc(freedom, x)


def gamma_quantile(shape: Number, share: float) -> Number:
    """Return the quantile of a gamma variable of scale 1."""
    from scipy import special

    return special.gammaincinv(shape, share)


def log_gamma(x: Number) -> Number:
    """Return the logarithm of the gamma function."""
    from scipy import special

    return special.gammaln(x)


def noncentrality(x: float, freedom: int, share: float) -> float:
    """Return the noncentrality with which a chi-square variable is up to x with probability share.

    It is 0 where even the central variable is so less often.
    """
    from scipy import special

    if special.chdtr(freedom, x) <= share:
        return 0.0
    return float(special.chndtrinc(x, freedom, share))


def kolmogorov_tail(distance: float, n: int) -> float:
    """Return the probability of a two-sided Kolmogorov distance of at least this.

    Of the exact distribution for one sample of size n (Simard and L'Ecuyer 2011), as scipy has it.
    """
    from scipy.stats import kstwo

    return float(kstwo.sf(distance, n))
