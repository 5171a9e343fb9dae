"""What a test of two samples found."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["UNKNOWN", "Contrast", "Effect", "TestOutcome"]


@dataclass(frozen=True, slots=True)
class Effect:
    """An estimate with its interval; NaN where it is not defined."""

    name: str
    size: float
    low: float = math.nan
    high: float = math.nan


UNKNOWN = Effect("", math.nan)


@dataclass(frozen=True, slots=True)
class Contrast:
    """How far a comparator is from a reference, on a scale on which estimates are about normal.

    Attributes
    ----------
    is_log : bool
        Whether the estimate is the logarithm of a ratio.
    """

    estimate: float
    variance: float
    is_log: bool = False


@dataclass(frozen=True, slots=True)
class TestOutcome:
    """One test of comparator against reference.

    Attributes
    ----------
    effect : Effect
        On a scale without unit.
    difference : Effect
        comparator − reference, in the unit of the metric.
    """

    __test__ = False  # not a test case, whatever pytest takes its name for

    test: str
    statistic: float
    p_value: float
    effect: Effect
    difference: Effect = UNKNOWN
