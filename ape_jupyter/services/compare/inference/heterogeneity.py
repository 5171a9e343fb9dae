"""Whether a difference is the same in all subgroups."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ape_jupyter.services.compare.inference.distributions import chi_square_tail, normal_quantile
from ape_jupyter.services.compare.inference.outcome import UNKNOWN, Contrast, Effect, TestOutcome

__all__ = ["interaction"]

_TWO = 2


def interaction(contrasts: Sequence[Contrast], confidence: float) -> TestOutcome:
    """Test whether independent contrasts are equal (Cochran 1954, Biometrics 10:101).

    Q = Σ wᵢ(dᵢ − d̄)² with wᵢ = 1/varᵢ, chi-square with one degree of freedom less than there are
    contrasts. Of two, the effect is the second less the first, with its normal interval (Altman and
    Bland 2003, BMJ 326:219), or the ratio of both where they are logarithms; of more it is I², the
    share of Q that chance does not explain (Higgins and Thompson 2002, Stat Med 21:1539).

    A contrast that is unknown, or without any variance, leaves nothing to be tested.
    """
    # Of nothing but equal values the variance is 0, and the weight would be infinite.
    if len(contrasts) < _TWO or not all(c.variance > 0 for c in contrasts):
        return TestOutcome("interaction", math.nan, math.nan, Effect("", math.nan))
    weights = [1 / c.variance for c in contrasts]
    mean = sum(w * c.estimate for w, c in zip(weights, contrasts, strict=True)) / sum(weights)
    q = sum(w * (c.estimate - mean) ** 2 for w, c in zip(weights, contrasts, strict=True))
    freedom = len(contrasts) - 1
    p_value = float(chi_square_tail(q, freedom))
    if len(contrasts) > _TWO:
        i_squared = max(0.0, 1 - freedom / q) if q > 0 else 0.0
        return TestOutcome("interaction", q, p_value, Effect("i_squared", i_squared))
    first, second = contrasts
    gap = second.estimate - first.estimate
    half = normal_quantile(confidence) * math.sqrt(first.variance + second.variance)
    ends = gap, gap - half, gap + half
    if first.is_log:
        ratio = Effect("ratio_of_ratios", *map(math.exp, ends))
        return TestOutcome("interaction", q, p_value, ratio, UNKNOWN)
    difference = Effect("difference_of_differences", *ends)
    return TestOutcome("interaction", q, p_value, difference, difference)
