"""How well runs fit the words of a search."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from ape_jupyter.model.query import QueryNode, Words
from ape_jupyter.model.relevance import FIELD_WEIGHTS, WHOLE_NAME_WEIGHT, ranking_words
from ape_jupyter.registry.schema import simulations
from ape_jupyter.registry.search_index.tables import search_documents
from ape_jupyter.registry.search_index.words import contains

__all__ = ["score_of"]


def score_of(tree: QueryNode, dialect: str) -> sa.ColumnElement[int] | None:
    """Return the score of a run as :mod:`ape_jupyter.model.relevance` defines it.

    Returns
    -------
    ColumnElement or None
        Over ``simulations``; None when the search has no words to rank by.
    """
    words = ranking_words(tree)
    if not words:
        return None
    weighed: list[sa.ColumnElement[int]] = []
    for node in words:
        for field, weight in FIELD_WEIGHTS.items():
            weighed.append(_weight(contains(search_documents.c[field], node, dialect), weight))
        whole = contains(search_documents.c.name, Words(None, node.tokens, False), dialect)
        weighed.append(_weight(whole, WHOLE_NAME_WEIGHT))
    total: Any = sum(weighed[1:], weighed[0])
    of_run = search_documents.c.number == simulations.c.number
    score: sa.ColumnElement[int] = sa.select(total).where(of_run).scalar_subquery()
    return score


def _weight(condition: sa.ColumnElement[bool], weight: int) -> sa.ColumnElement[int]:
    return sa.case((condition, weight), else_=0)
