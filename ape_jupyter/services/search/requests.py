"""The tree of a complete request."""

from __future__ import annotations

from ape_jupyter.model.listing import SearchRequest
from ape_jupyter.model.query import (
    Flagged,
    QueryNode,
    Range,
    SameText,
    Tagged,
    Within,
    Words,
    all_of,
    is_parameter,
    leaves,
)
from ape_jupyter.services.search.filters import filters_tree
from ape_jupyter.services.search.grammar import checked_size, parse

__all__ = ["query_kinds", "search_tree"]


def query_kinds(tree: QueryNode) -> tuple[str, ...]:
    """Return of which kinds the conditions of a search are, without what they ask for."""
    return tuple(sorted({_kind(leaf) for leaf in leaves(tree)}))


def _kind(leaf: QueryNode) -> str:
    match leaf:
        case Words(field) | SameText(field) | Range(field) if field and is_parameter(field):
            return "parameter"
        case Tagged():
            return "tag"
        case Flagged():
            return "flag"
        case Range():
            return "number"
        case Within():
            return "time"
        case _:
            return "text"


def search_tree(request: SearchRequest) -> QueryNode:
    """Return what a request asks for: its query and all of its filters.

    Raises
    ------
    QuerySyntaxError
        If one of them can not be understood.
    """
    return checked_size(all_of([parse(request.query), filters_tree(request.filters)]))
