"""From the names of facets to what is counted, and from the counts to facets."""

from __future__ import annotations

import math
from dataclasses import replace

from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.model.facets import (
    MAX_FACETS,
    Facet,
    FacetCount,
    FacetCounts,
    FacetOrder,
    FacetSource,
    FacetValue,
)
from ape_jupyter.model.listing import SearchRequest
from ape_jupyter.model.query import QueryNode
from ape_jupyter.services.search.fields import (
    Field,
    FieldKind,
    field_names,
    find_field,
    near_names,
)
from ape_jupyter.services.search.literals import number_text
from ape_jupyter.services.search.printing import quoted
from ape_jupyter.services.search.requests import search_tree

__all__ = ["facet_of", "facet_orders"]

_EXACT_INTEGERS = 2**53
_SIZES = (-math.inf, 100, 1_000, 10_000, 100_000, 1_000_000, math.inf)
# Names of facets that are no fields, or mean something else as one: a size of 10,000 is a
# number of patients to a modeller, and of megabytes to a search.
_NAMED = {"size": ("n_patients", _SIZES), "year": ("created_at", ())}
_SOURCES = {
    FieldKind.TEXT: FacetSource.TEXT,
    FieldKind.TAG: FacetSource.TAG,
    FieldKind.FLAG: FacetSource.TRUTH,
    FieldKind.TIME: FacetSource.YEAR,
    FieldKind.NUMBER: FacetSource.NUMBER,
    FieldKind.PARAMETER: FacetSource.PARAMETER,
}


def facet_orders(request: SearchRequest) -> tuple[FacetOrder, ...]:
    """Return what the facets of a request are to count.

    A facet counts the runs that match the query and all filters but those on its own field:
    of these one may be chosen beside another, and who has chosen one wants to see what the
    others would add. Of tags a run must have all, so there the own filters count.

    Raises
    ------
    InvalidArgumentError
        For a name that is no field, or more facets than 20.
    """
    if len(request.facets) > MAX_FACETS:
        message = f"A search can have {MAX_FACETS} facets at most, not {len(request.facets)}."
        raise InvalidArgumentError(message)
    tree = search_tree(request)
    return tuple(_order(name, request, tree) for name in dict.fromkeys(request.facets))


def _order(name: str, request: SearchRequest, tree: QueryNode) -> FacetOrder:
    field_name, edges = _NAMED.get(name, (name, ()))
    field = find_field(field_name)
    if field is None:
        near = near_names(name, (*_NAMED, *field_names()))
        hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
        raise InvalidArgumentError(f"There is no field {name[:50]!r} to count by.{hint}")
    others = request.filters
    if field.kind is not FieldKind.TAG:
        others = tuple(item for item in others if find_field(item[0]) != field)
    if others != request.filters:
        tree = search_tree(replace(request, filters=others))
    return FacetOrder(name, field.name, _SOURCES[field.kind], tree, edges)


def facet_of(order: FacetOrder, counted: FacetCounts) -> Facet:
    """Return the facet, with the condition for each of its values."""
    field = find_field(order.field)
    if field is None:
        raise ValueError(f"{order.field!r} is no field.")
    is_ranges = any(count.value is None for count in counted.counts)
    return Facet(
        name=order.name,
        is_histogram=is_ranges and not order.edges,
        values=tuple(_value(field, count) for count in counted.counts),
        unit=field.unit,
        n_values=counted.n_values,
        n_without=counted.n_without,
    )


def _value(field: Field, count: FacetCount) -> FacetValue:
    if count.value is None:
        return FacetValue(
            value=_range_label(count),
            count=count.count,
            query=_range_query(field, count),
            low=count.low,
            high=count.high,
        )
    name = (*field.aliases, field.name)[0]
    match field.kind:
        case FieldKind.TIME:
            query = f"{name}:{count.value}"
        case FieldKind.FLAG:
            query = f"{name}={count.value}"
        case _:
            query = f"{name}={quoted(count.value)}"
    return FacetValue(value=count.value, count=count.count, query=query)


def _range_query(field: Field, count: FacetCount) -> str:
    low, high = (None if end is None else _number(end) for end in (count.low, count.high))
    if low is None:
        return f"{field.name}<{high}"
    return f"{field.name}>={low}" if high is None else f"{field.name}:{low}..<{high}"


def _range_label(count: FacetCount) -> str:
    low, high = (None if end is None else f"{end:,g}" for end in (count.low, count.high))
    if low is None:
        return f"below {high}"
    return f"{low} and more" if high is None else f"{low} to {high}"


def _number(end: float) -> str:
    is_whole = float(end).is_integer() and abs(end) < _EXACT_INTEGERS
    return number_text(int(end) if is_whole else end)
