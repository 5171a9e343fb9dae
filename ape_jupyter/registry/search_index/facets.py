"""Counting the runs that a search finds by what they are."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from ape_jupyter.model.facets import (
    MAX_FACET_VALUES,
    FacetCount,
    FacetCounts,
    FacetOrder,
    FacetSource,
    histogram_edges,
)
from ape_jupyter.registry.search_index.run_columns import NumberColumn, RunColumns, TextColumn

__all__ = ["count_facet", "fields_of"]


def count_facet(
    connection: sa.Connection, columns: RunColumns, order: FacetOrder, found: NDArray[np.bool_]
) -> FacetCounts:
    """Count runs by a field.

    Parameters
    ----------
    found : ndarray of bool, shape (n_runs,)
        Which of the runs of ``columns`` to count.
    """
    match order.source:
        case FacetSource.TEXT:
            return _by_text(columns.texts(_name(order)), found)
        case FacetSource.TRUTH:
            return _by_text(columns.truths(_name(order)), found)
        case FacetSource.YEAR:
            return _by_text(columns.years(_name(order)), found, by_count=False)
        case FacetSource.NUMBER:
            return _by_range(columns.numbers_of(_name(order)), order.edges, found)
        case FacetSource.TAG:
            return _by_text(columns.tags(connection), found)
        case FacetSource.PARAMETER:
            numbers, texts = columns.parameter(connection, order.field)
            if found[numbers.runs].any():
                return _by_range(numbers, (), found)
            return _by_text(texts, found)


def fields_of(orders: Iterable[FacetOrder]) -> list[str]:
    """Return the fields of runs that are counted by."""
    apart = (FacetSource.TAG, FacetSource.PARAMETER)
    return [_name(order) for order in orders if order.source not in apart]


def _name(order: FacetOrder) -> str:
    return order.field.removeprefix("headline.")


def _by_text(column: TextColumn, found: NDArray[np.bool_], *, by_count: bool = True) -> FacetCounts:
    here = found[column.runs]
    runs, codes = column.runs[here], column.codes[here]
    counts = np.bincount(_once_a_run(runs, codes, len(column.labels)), minlength=0)
    used = [(int(counts[code]), column.labels[code]) for code in np.flatnonzero(counts)]
    if by_count:
        first = heapq.nsmallest(MAX_FACET_VALUES, used, key=lambda entry: (-entry[0], entry[1]))
    else:
        first = heapq.nlargest(MAX_FACET_VALUES, used, key=lambda entry: entry[1])
    return FacetCounts(
        tuple(FacetCount(count, label) for count, label in first),
        _n_without(found, runs),
        len(used),
    )


def _by_range(
    column: NumberColumn, edges: Sequence[float], found: NDArray[np.bool_]
) -> FacetCounts:
    """Count by numbers; of ranges that were given, only those that have some."""
    here = found[column.runs]
    runs, values = column.runs[here], column.values[here]
    if not len(values):
        return FacetCounts((), _n_without(found, runs), 0)
    is_whole = column.values.dtype.kind == "i"
    low, high = values.min().item(), values.max().item()
    bins = list(pairwise(edges or histogram_edges(low, high, is_whole=is_whole)))
    uppers = [upper for _, upper in bins[:-1]]
    # Whole numbers among whole numbers: as floats, large ones would be rounded past an edge.
    inner = np.array([math.ceil(upper) for upper in uppers] if is_whole else uppers, values.dtype)
    places = np.searchsorted(inner, values, side="right")
    counts = np.bincount(_once_a_run(runs, places, len(bins)), minlength=len(bins))
    shown = tuple(
        FacetCount(int(count), low=_finite(lower), high=_finite(upper))
        for (lower, upper), count in zip(bins, counts, strict=True)
        if not edges or count
    )
    return FacetCounts(shown, _n_without(found, runs), len(shown))


def _once_a_run(
    runs: NDArray[np.int64], codes: NDArray[np.int64], n_codes: int
) -> NDArray[np.int64]:
    """Return the codes, each once for a run that has it several times."""
    if len(runs) < 2 or (np.diff(runs) > 0).all():  # noqa: PLR2004 - two make a pair
        return codes
    return np.unique(runs * max(n_codes, 1) + codes) % max(n_codes, 1)


def _n_without(found: NDArray[np.bool_], runs: NDArray[np.int64]) -> int:
    return int(found.sum()) - len(np.unique(runs))


def _finite(edge: float) -> float | None:
    return edge if math.isfinite(edge) else None
