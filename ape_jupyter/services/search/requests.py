"""The tree of a complete request."""

from __future__ import annotations

from ape_jupyter.model.listing import SearchRequest
from ape_jupyter.model.query import QueryNode, all_of
from ape_jupyter.services.search.filters import filters_tree
from ape_jupyter.services.search.grammar import checked_size, parse

__all__ = ["search_tree"]


def search_tree(request: SearchRequest) -> QueryNode:
    """Return what a request asks for: its query and all of its filters.

    Raises
    ------
    QuerySyntaxError
        If one of them can not be understood.
    """
    return checked_size(all_of([parse(request.query), filters_tree(request.filters)]))
