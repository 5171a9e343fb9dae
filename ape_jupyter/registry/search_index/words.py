"""Conditions on words, in the terms of each database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TSQUERY

from ape_jupyter.model.query import Words
from ape_jupyter.model.search_words import indexed_token
from ape_jupyter.registry.search_index.tables import SEARCHED_FIELDS, search_documents

__all__ = ["contains", "has_all_words", "has_one_of_words"]

_full_text = sa.table("search_words", sa.column("rowid", sa.Integer), sa.column("search_words"))


def has_all_words(nodes: Sequence[Words], dialect: str) -> sa.Select[int]:
    """Return the query for the numbers of the runs that have all words."""
    if dialect == "sqlite":
        return _matching(" AND ".join(map(_full_text_query, nodes)))
    return _documents_where(sa.and_(*map(_vector_condition, nodes)))


def has_one_of_words(nodes: Sequence[Words], dialect: str) -> sa.Select[int]:
    """Return the query for the numbers of the runs that have one of the words."""
    if dialect == "sqlite":
        return _matching(" OR ".join(map(_full_text_query, nodes)))
    return _documents_where(sa.or_(*map(_vector_condition, nodes)))


def contains(text: sa.ColumnElement[str], node: Words, dialect: str) -> sa.ColumnElement[bool]:
    """Return the condition that an index text has words next to each other.

    A space surrounds every token there, so this is a search for a piece of text.
    """
    function = sa.func.instr if dialect == "sqlite" else sa.func.strpos
    wanted = f" {' '.join(map(indexed_token, node.tokens))}{'' if node.is_prefix else ' '}"
    condition: sa.ColumnElement[bool] = function(text, wanted) > 0
    return condition


def _matching(query: str) -> sa.Select[int]:
    return sa.select(_full_text.c.rowid).where(_full_text.c.search_words.match(query))


def _documents_where(condition: sa.ColumnElement[bool]) -> sa.Select[int]:
    return sa.select(search_documents.c.number).where(condition)


def _full_text_query(node: Words) -> str:
    # The alphabet of the index has neither quotes nor operators.
    columns = node.field or f"{{{' '.join(SEARCHED_FIELDS)}}}"
    star = " *" if node.is_prefix else ""
    return f'({columns} : "{" ".join(map(indexed_token, node.tokens))}"{star})'


def _vector_condition(node: Words) -> sa.ColumnElement[bool]:
    """Look words up in the vector; for fields and phrases, which it tells inexactly, read on."""
    weights = "" if node.field else "ABC"
    *whole, last = (f"'{indexed_token(token)}'" for token in node.tokens)
    prefix = "*" if node.is_prefix else ""
    marks = [f":{weights}" if weights else "", f":{prefix}{weights}" if prefix + weights else ""]
    query = " & ".join([*(f"{token}{marks[0]}" for token in whole), f"{last}{marks[1]}"])
    vector: sa.ColumnElement[Any] = search_documents.c.vector
    found = vector.op("@@", is_comparison=True)(sa.cast(sa.literal(query, sa.Text), TSQUERY))
    if node.field is None and not whole:
        return found
    fields = [node.field] if node.field else SEARCHED_FIELDS
    places = (contains(search_documents.c[field], node, "postgresql") for field in fields)
    return sa.and_(found, sa.or_(*places))
