"""Counts of the runs that a search finds, by what they are: facets and histograms."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from ape_jupyter.model.query import QueryNode

__all__ = [
    "MAX_FACETS",
    "MAX_FACET_VALUES",
    "Facet",
    "FacetCount",
    "FacetCounts",
    "FacetOrder",
    "FacetSource",
    "FacetValue",
    "histogram_edges",
]

MAX_FACETS = 20
MAX_FACET_VALUES = 50
_BARS = 20
# From this ratio on, bars of equal width would put nearly all runs into the first one.
_WIDE = 1000
_LARGEST_EXPONENT = 300
# Beyond this many steps from zero, neighbouring edges are the same float.
_EXACT = 2.0**50


class FacetSource(StrEnum):
    """Where the values of a facet come from, and so how they are counted."""

    TEXT = "text"
    TAG = "tag"
    TRUTH = "truth"
    YEAR = "year"
    NUMBER = "number"
    PARAMETER = "parameter"


@dataclass(frozen=True, slots=True)
class FacetOrder:
    """What to count.

    Attributes
    ----------
    name : str
        As it was asked for.
    field : str
        As in the metadata; ``headline.`` before figures of the headline.
    tree : QueryNode
        Which runs to count.
    edges : tuple of float
        Between which numbers are counted, the first and the last open; empty to choose by
        what there is.
    """

    name: str
    field: str
    source: FacetSource
    tree: QueryNode
    edges: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class FacetCount:
    """Runs with a value, or with a number from ``low`` on and below ``high``."""

    count: int
    value: str | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class FacetCounts:
    """What was counted; the attributes are those of :class:`Facet`."""

    counts: tuple[FacetCount, ...]
    n_without: int
    n_values: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FacetValue:
    """A value, or a range of numbers, and how many of the runs found have it.

    Attributes
    ----------
    value : str
        The value, or the range as text.
    count : int
        How many runs a search that also asks for ``query`` finds.
    query : str
        The condition for these runs, in the language of searches.
    low, high : float or None
        Of a range: from ``low`` on, below ``high``; None where it is open, and for values.
    """

    value: str
    count: int
    query: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facet:
    """How the runs that a search finds are spread over the values of a field.

    Attributes
    ----------
    name : str
        As it was asked for.
    is_histogram : bool
        Whether ``values`` are adjoining ranges of numbers, empty ones included.
    values : tuple of FacetValue
        Ranges and years in their order, other values by count; 50 values at most.
    unit : str
        Of the numbers; empty for counts.
    n_values : int
        How many values there are, the ones beyond the first 50 included.
    n_without : int
        Runs found that have no value.
    """

    name: str
    is_histogram: bool
    values: tuple[FacetValue, ...]
    unit: str
    n_values: int
    n_without: int


def histogram_edges(low: float, high: float, *, is_whole: bool) -> tuple[float, ...]:
    """Return round numbers around ``low`` to ``high``, for at most about 20 bars.

    The last is greater than ``high``. Of numbers that differ by more than a factor of 1,000
    the steps are 1, 2, 5, 10, …; otherwise they are equal.

    Parameters
    ----------
    is_whole : bool
        Whether there are whole numbers only, so that steps below 1 would leave bars empty.
    """
    if low > 0 and high / low > _WIDE:
        return _growing_edges(low, high)
    span = high - low
    exponent, mantissa = _round_step((span or max(abs(low), 1.0)) / _BARS)
    if is_whole and exponent < 0:
        exponent, mantissa = 0, 1
    if exponent > _LARGEST_EXPONENT or abs(low) > _EXACT * _power(exponent):
        # Steps that can not be told from rounding: one bar for all.
        return (low, math.inf)
    number = math.floor(low / (mantissa * _power(exponent)))
    while _multiple(number * mantissa, exponent) > low:
        number -= 1
    edges = [_multiple(number * mantissa, exponent)]
    while edges[-1] <= high:
        number += 1
        edges.append(_multiple(number * mantissa, exponent))
    return tuple(edges)


def _growing_edges(low: float, high: float) -> tuple[float, ...]:
    exponent = math.floor(math.log10(low)) - 1
    steps = (_multiple(m, e) for e in range(exponent, _LARGEST_EXPONENT) for m in (1, 2, 5))
    edges = [next(steps)]
    for edge in steps:
        if edge <= low:
            edges = [edge]
        else:
            edges.append(edge)
        if edge > high:
            break
    if edges[-1] <= high:
        edges.append(math.inf)
    return tuple(_thinned(edges))


def _thinned(edges: list[float]) -> list[float]:
    """Return every so many-th edge, with both ends, that the bars are not too many."""
    every = math.ceil((len(edges) - 1) / (2 * _BARS))
    return [*edges[:-1:every], edges[-1]]


def _round_step(step: float) -> tuple[int, int]:
    """Return 1, 2 or 5 times a power of ten that is at least ``step``: exponent and factor."""
    if not math.isfinite(step):
        return _LARGEST_EXPONENT + 1, 1
    exponent = math.floor(math.log10(step)) if step > 0 else -_LARGEST_EXPONENT
    factor = next((m for m in (1, 2, 5) if _multiple(m, exponent) >= step), 10)
    return (exponent + 1, 1) if factor == 10 else (exponent, factor)  # noqa: PLR2004


def _multiple(number: int, exponent: int) -> float:
    # Divided, not multiplied: 3 / 10 is 0.3, and 3 * 0.1 is 0.30000000000000004.
    return number / 10**-exponent if exponent < 0 else float(number * 10**exponent)


def _power(exponent: int) -> float:
    return _multiple(1, exponent)
