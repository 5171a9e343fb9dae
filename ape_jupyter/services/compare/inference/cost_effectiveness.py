"""Costs set against effects: incremental ratios and the plane in which they lie."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ape_jupyter.services.compare.inference.distributions import (
    Numbers,
    normal_below,
    normal_quantile,
)

__all__ = ["Increment", "JointMoments", "RatioInterval", "acceptability", "confidence_ellipse"]

_TWO = 2


@dataclass(frozen=True, slots=True)
class JointMoments:
    """Size, means, sample variances and covariance of cost and effect of the same patients."""

    n: int
    cost: float
    effect: float
    var_cost: float
    var_effect: float
    covariance: float

    @classmethod
    def of(cls, costs: Numbers, effects: Numbers) -> JointMoments:
        """Summarise patients, one value of each kind for each."""
        n = len(costs)
        if n < _TWO:
            nan = math.nan
            means = (float(costs.mean()), float(effects.mean())) if n else (nan, nan)
            return cls(n, *means, nan, nan, nan)
        matrix = np.cov(costs, effects)
        return cls(
            n,
            float(costs.mean()),
            float(effects.mean()),
            float(matrix[0, 0]),
            float(matrix[1, 1]),
            float(matrix[0, 1]),
        )

    @classmethod
    def total(cls, parts: list[JointMoments]) -> JointMoments:
        """Return those of several sets of different patients together (Chan and others 1979)."""
        if len(parts) == 1:
            return parts[0]
        known = [part for part in parts if part.n]
        n = sum(part.n for part in known)
        if n < _TWO:
            return known[0] if known else parts[0]
        cost = sum(part.n * part.cost for part in known) / n
        effect = sum(part.n * part.effect for part in known) / n
        sums = [0.0, 0.0, 0.0]
        for part in known:
            gaps = part.cost - cost, part.effect - effect
            within = (part.var_cost, part.var_effect, part.covariance)
            between = (gaps[0] ** 2, gaps[1] ** 2, gaps[0] * gaps[1])
            for place in range(3):
                own = within[place] * (part.n - 1) if part.n >= _TWO else 0.0
                sums[place] += own + part.n * between[place]
        return cls(n, cost, effect, *(own / (n - 1) for own in sums))


@dataclass(frozen=True, slots=True)
class RatioInterval:
    """Where the ratio of two differences may lie.

    Attributes
    ----------
    kind : str
        ``between`` low and high; ``outside`` of them, where the effect may be 0 but not the cost
        with it; ``any`` where nothing can be excluded; empty where nothing is known.
    """

    kind: str
    low: float = math.nan
    high: float = math.nan


@dataclass(frozen=True, slots=True)
class Increment:
    """Differences of mean cost and mean effect, comparator − reference, and how they vary."""

    cost: float
    effect: float
    var_cost: float
    var_effect: float
    covariance: float

    @classmethod
    def between(cls, reference: JointMoments, comparator: JointMoments) -> Increment:
        """Compare two sets of patients that are independent of each other."""
        one, other = reference, comparator
        return cls(
            other.cost - one.cost,
            other.effect - one.effect,
            other.var_cost / other.n + one.var_cost / one.n,
            other.var_effect / other.n + one.var_effect / one.n,
            other.covariance / other.n + one.covariance / one.n,
        )

    @classmethod
    def within(cls, differences: JointMoments) -> Increment:
        """Compare pairs, given the moments of the differences within each."""
        own, n = differences, differences.n
        return cls(own.cost, own.effect, own.var_cost / n, own.var_effect / n, own.covariance / n)

    @property
    def ratio(self) -> float:
        """Cost of one more unit of effect: the incremental cost-effectiveness ratio."""
        return self.cost / self.effect if self.effect else math.nan

    def ratio_interval(self, confidence: float) -> RatioInterval:
        """Return where the ratio may lie, without resampling.

        Fieller (1954, J R Stat Soc B 16:175), for cost-effectiveness Willan and O'Brien (1996,
        Health Econ 5:297): all R for which cost − R·effect does not differ from 0.
        """
        z2 = normal_quantile(confidence) ** 2
        a = self.effect**2 - z2 * self.var_effect
        b = self.cost * self.effect - z2 * self.covariance
        c = self.cost**2 - z2 * self.var_cost
        if any(map(math.isnan, (a, b, c))) or a == 0:
            return RatioInterval("")
        inside = b * b - a * c
        if inside < 0:
            # With a > 0 only by rounding: the estimate itself is always a solution.
            return RatioInterval("any") if a < 0 else RatioInterval("between", b / a, b / a)
        ends = sorted((b + sign * math.sqrt(inside)) / a for sign in (-1, 1))
        return RatioInterval("between" if a > 0 else "outside", *ends)

    @property
    def dominance(self) -> str:
        """Say in which quarter of the plane the estimates lie."""
        if math.isnan(self.cost) or math.isnan(self.effect):
            return ""
        if self.cost == 0 and self.effect == 0:
            return "equal"
        if self.cost <= 0 and self.effect >= 0:
            return "dominates"
        if self.cost >= 0 and self.effect <= 0:
            return "is dominated"
        return "costs more, gains more" if self.cost > 0 else "costs less, gains less"


def acceptability(increment: Increment, thresholds: Numbers) -> Numbers:
    """Return the probability that the comparator is worth its cost, by what an effect is worth.

    That of a positive incremental net benefit λ·ΔE − ΔC under the bivariate normal distribution of
    the estimates (van Hout and others 1994, Health Econ 3:309; Stinnett and Mullahy 1998, Med Decis
    Making 18:S68). NaN where there is no variance.
    """
    benefit = thresholds * increment.effect - increment.cost
    variance = (
        thresholds**2 * increment.var_effect
        + increment.var_cost
        - 2 * thresholds * increment.covariance
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        z = np.where(variance > 0, benefit / np.sqrt(variance), np.nan)
    return np.asarray(normal_below(z))


def confidence_ellipse(
    increment: Increment, confidence: float, n_points: int
) -> tuple[Numbers, Numbers]:
    """Return effects and costs of points around the estimates, a closed curve.

    Of the bivariate normal distribution: within lie the pairs whose distance in the metric of
    the covariance is at most that of the chi-square quantile with two degrees of freedom, which
    is −2·ln(1 − confidence).
    """
    radius = math.sqrt(-2 * math.log1p(-confidence))
    angle = np.linspace(0, 2 * math.pi, n_points)
    spread_effect = math.sqrt(increment.var_effect)
    # The Cholesky root of the covariance; of an effect without variance, cost varies by itself.
    slope = increment.covariance / spread_effect if spread_effect > 0 else 0.0
    rest = math.sqrt(max(increment.var_cost - slope * slope, 0.0))
    effects = increment.effect + radius * spread_effect * np.cos(angle)
    costs = increment.cost + radius * (slope * np.cos(angle) + rest * np.sin(angle))
    return effects, costs
