"""The tables of the search index.

Texts stand in them as :func:`~ape_jupyter.model.search_words.index_text` writes them. SQLite
keeps a full-text index (FTS5) over them by triggers; PostgreSQL has a ``tsvector`` beside
them, of which the weights tell names (A), protocols and tags (B) and the other searched
texts (C) from the texts that are searched only by their field (D).
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TSVECTOR

from ape_jupyter.model.query import WORD_FIELDS
from ape_jupyter.registry.schema import INTEGER, TEXT, metadata

__all__ = [
    "INDEXED_FIELDS",
    "SEARCHED_FIELDS",
    "parameter_paths",
    "parameter_profiles",
    "parameters",
    "search_documents",
]

SEARCHED_FIELDS = (*WORD_FIELDS, "tags")
# Searched fields first: PostgreSQL keeps the first 255 places of a word, and their weights.
INDEXED_FIELDS = (
    *SEARCHED_FIELDS,
    *("protocol_version", "protocol_digest", "checksum", "schema_version"),
    *("parent", "source", "status", "visibility"),
)

search_documents = sa.Table(
    "search_documents",
    metadata,
    # Small and dense: it is the key of a million rows in every index.
    sa.Column("number", INTEGER, primary_key=True),
    # The column ``sim_id`` is its index text.
    sa.Column(
        "run_id",
        sa.ForeignKey("simulations.sim_id", ondelete="CASCADE"),
        unique=True,
        nullable=False,
    ),
    *(sa.Column(field, TEXT, nullable=False) for field in INDEXED_FIELDS),
    sa.Column("vector", TSVECTOR().with_variant(sa.Text(), "sqlite")),
)

parameter_paths = sa.Table(
    "parameter_paths",
    metadata,
    sa.Column("path_id", INTEGER, primary_key=True),
    sa.Column("path", TEXT, unique=True, nullable=False),
)

parameters = sa.Table(
    "parameters",
    metadata,
    sa.Column(
        "number",
        sa.ForeignKey("search_documents.number", ondelete="CASCADE"),
        primary_key=True,
    ),
    sa.Column("path_id", sa.ForeignKey("parameter_paths.path_id"), primary_key=True),
    # Elements of a list share their path.
    sa.Column("position", INTEGER, primary_key=True, autoincrement=False),
    sa.Column("value", sa.Float),
    sa.Column("text", TEXT, nullable=False),
    sa.Column("words", TEXT, nullable=False),
    sa.Index("parameters_by_value", "path_id", "value", "number"),
    sa.Index("parameters_by_text", "path_id", "text", "number"),
    sqlite_with_rowid=False,
)

# All parameters of a run in one value: to compare a run with a hundred thousand others, their
# single rows would take seconds to read.
parameter_profiles = sa.Table(
    "parameter_profiles",
    metadata,
    sa.Column("run_id", sa.ForeignKey("simulations.sim_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("profile", sa.LargeBinary, nullable=False),
)

_COLUMNS = ", ".join(INDEXED_FIELDS)
_NEW = ", ".join(f"new.{field}" for field in INDEXED_FIELDS)
_OLD = ", ".join(f"old.{field}" for field in INDEXED_FIELDS)
_LEARN = f"INSERT INTO search_words (rowid, {_COLUMNS}) VALUES (new.number, {_NEW});"  # noqa: S608
_FORGET = (
    f"INSERT INTO search_words (search_words, rowid, {_COLUMNS}) "  # noqa: S608 - our own names
    f"VALUES ('delete', old.number, {_OLD});"
)
# Two and three letters are what people type first, and begin the most words.
_TABLE = (
    f"CREATE VIRTUAL TABLE search_words USING fts5({_COLUMNS}, content='search_documents', "
    "content_rowid='number', tokenize=\"ascii tokenchars '_'\", prefix='2 3')"
)
_AFTER = {
    "added": f"INSERT ON search_documents BEGIN {_LEARN} END",
    "removed": f"DELETE ON search_documents BEGIN {_FORGET} END",
    "changed": f"UPDATE OF {_COLUMNS} ON search_documents BEGIN {_FORGET} {_LEARN} END",
}


def _make_full_text_index(_table: sa.Table, connection: sa.Connection, **_options: Any) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(_TABLE)
        for what, body in _AFTER.items():
            connection.exec_driver_sql(f"CREATE TRIGGER search_words_{what} AFTER {body}")
    else:
        connection.exec_driver_sql(
            "CREATE INDEX search_documents_by_word ON search_documents USING gin (vector)"
        )


def _drop_full_text_index(_table: sa.Table, connection: sa.Connection, **_options: Any) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("DROP TABLE IF EXISTS search_words")


sa.event.listen(search_documents, "after_create", _make_full_text_index)
# The triggers go with the table; before it the index must, or dropping would empty it by rows.
sa.event.listen(search_documents, "before_drop", _drop_full_text_index)
