"""Answering searches, from the registry of a library."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ape_jupyter.model.completion import Completion
from ape_jupyter.model.listing import Highlight, SearchPage, SearchRequest
from ape_jupyter.model.query import WORD_FIELDS, QueryNode, Words
from ape_jupyter.model.simulation import SimulationMetadata
from ape_jupyter.registry.registry import Registry
from ape_jupyter.services.search.completion import complete
from ape_jupyter.services.search.faceting import facet_of, facet_orders
from ape_jupyter.services.search.grammar import parse
from ape_jupyter.services.search.highlighting import highlights
from ape_jupyter.services.search.printing import query_text
from ape_jupyter.services.search.requests import search_tree
from ape_jupyter.services.search.spelling import corrected

__all__ = ["SearchService"]


class SearchService:
    """Searches a registry. Threads may share one."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def page(self, request: SearchRequest) -> SearchPage:
        """Return one page of the runs that a request asks for.

        When there are none, and a word is probably misspelt, those for the nearest words of
        the library.

        Raises
        ------
        QuerySyntaxError
            If the query or a filter can not be understood.
        InvalidArgumentError
            If the order, the limit, the cursor or a facet is none.
        """
        page = self._as_written(request)
        if not page.total:
            better = self._corrected(request)
            if better is not None:
                other = self._as_written(better)
                if other.total:
                    return replace(other, corrected_query=better.query)
        return page

    def complete(self, text: str, cursor: int | None = None) -> Completion:
        """Return what could stand at the cursor of a search that is being typed."""
        return complete(text, len(text) if cursor is None else cursor, self._registry)

    def _as_written(self, request: SearchRequest) -> SearchPage:
        tree = search_tree(request)
        orders = facet_orders(request)
        page, counts = self._registry.search_and_count(tree, request, orders)
        return replace(
            page,
            facets=tuple(map(facet_of, orders, counts)),
            highlights=tuple(_highlights(tree, page.items)) if request.highlight else (),
        )

    def _finds(self, words: Words) -> bool:
        return self._registry.search(words, SearchRequest(limit=1)).total > 0

    def _corrected(self, request: SearchRequest) -> SearchRequest | None:
        if not request.query.strip():
            return None
        correction = corrected(parse(request.query), self._registry.words(), self._finds)
        return None if correction is None else replace(request, query=query_text(correction.tree))


def _highlights(
    tree: QueryNode, runs: Iterable[SimulationMetadata]
) -> Iterable[tuple[Highlight, ...]]:
    for run in runs:
        texts = [(field, 0, getattr(run, field) or "") for field in WORD_FIELDS]
        texts += [("tags", item, tag) for item, tag in enumerate(run.tags)]
        yield tuple(
            Highlight(field=field, start=start, end=end, item=item)
            for field, item, text in texts
            for start, end in highlights(tree, field, text)
        )
