"""What is in a library: its words, its values, its parameters."""

from __future__ import annotations

import sqlalchemy as sa

from ape_jupyter.model.query import Tagged
from ape_jupyter.model.search_words import token_of
from ape_jupyter.model.tags import tag_key
from ape_jupyter.registry.rows import bindable
from ape_jupyter.registry.schema import simulations, tags
from ape_jupyter.registry.search_index.conditions import begins, carries
from ape_jupyter.registry.search_index.tables import (
    SEARCHED_FIELDS,
    parameter_paths,
    parameters,
    search_documents,
)

__all__ = ["check_words", "has_all_runs", "parameter_paths_like", "values_like", "words"]

_column = simulations.c


def words(connection: sa.Connection) -> dict[str, int]:
    """Return the words of letters that searches without a field can find, and in how many texts.

    Nobody misspells the ids and dates that most words with digits are. The trash is included.
    """
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(
            "CREATE VIRTUAL TABLE IF NOT EXISTS temp.search_vocabulary "
            "USING fts5vocab('main', 'search_words', 'col')"
        )
        terms = sa.table("search_vocabulary", *map(sa.column, ("term", "col", "doc")))
        n_texts = sa.func.sum(terms.c.doc)
        query = sa.select(terms.c.term, n_texts).where(terms.c.col.in_(SEARCHED_FIELDS))
        rows = connection.execute(query.group_by(terms.c.term))
    else:
        # Of the weights, D is that of texts which are searched only by their field.
        vectors = f"SELECT vector FROM {search_documents.name}"  # noqa: S608 - our own name
        statistics = sa.func.ts_stat(vectors, "abc").table_valued("word", "ndoc")
        rows = connection.execute(sa.select(statistics.c.word, statistics.c.ndoc))
    found = ((token_of(term), int(count)) for term, count in rows)
    return {word: count for word, count in found if word.isalpha()}


def has_all_runs(connection: sa.Connection) -> bool:
    """Tell whether each run has its texts in the index."""
    texts = sa.select(search_documents.c.number).where(search_documents.c.number == _column.number)
    return connection.execute(sa.select(_column.number).where(~texts.exists())).first() is None


def check_words(connection: sa.Connection) -> None:
    """Let SQLite compare its full-text index with the texts that it is of; needs a writer.

    PostgreSQL keeps its own in step with the rows.

    Raises
    ------
    DatabaseError
        If they differ.
    """
    if connection.dialect.name == "sqlite":
        check = "INSERT INTO search_words (search_words, rank) VALUES ('integrity-check', 1)"
        connection.exec_driver_sql(check)


def values_like(
    connection: sa.Connection,
    listed: sa.ColumnElement[bool],
    field: str,
    prefix: str,
    limit: int,
) -> list[tuple[str, int]]:
    """Return values of a text field, or tags, that begin so, the most frequent first.

    Parameters
    ----------
    listed : ColumnElement
        The condition on runs that count.
    """
    prefix = bindable(prefix)
    if field == "tags":
        condition = carries(Tagged(tag_key(prefix), "prefix")) if prefix else sa.true()
        # Of the spellings in use, the first in order stands for all.
        key: sa.ColumnElement[str] = tags.c.tag_key
        query = sa.select(sa.func.min(tags.c.tag), sa.func.count()).join_from(
            tags, simulations, tags.c.number == _column.number
        )
    else:
        key = _column[field]
        condition = key.istartswith(prefix, autoescape=True) & (key != "")
        query = sa.select(key, sa.func.count())
    query = query.where(listed, condition).group_by(key)
    query = query.order_by(sa.func.count().desc(), key).limit(limit)
    return [(value, count) for value, count in connection.execute(query)]


def parameter_paths_like(
    connection: sa.Connection, listed: sa.ColumnElement[bool], prefix: str, limit: int
) -> list[str]:
    """Return paths of parameters that begin so and that a run has, in order."""
    paths = parameter_paths.c
    of_run = (
        sa.select(parameters.c.number)
        .join(simulations, _column.number == parameters.c.number)
        .where(parameters.c.path_id == paths.path_id, listed)
    )
    query = sa.select(paths.path).where(begins(paths.path, bindable(prefix)), of_run.exists())
    return list(connection.execute(query.order_by(paths.path).limit(limit)).scalars())
