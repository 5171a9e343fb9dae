"""Keeping the search index: called within the transaction that changes a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from ape_jupyter.model.parameters import Parameter, flattened
from ape_jupyter.model.query import PARAMETER_ROOTS
from ape_jupyter.model.search_words import index_text
from ape_jupyter.model.simulation import SimulationMetadata
from ape_jupyter.registry.rows import row_of
from ape_jupyter.registry.search_index.tables import (
    INDEXED_FIELDS,
    parameter_paths,
    parameters,
    search_documents,
)

__all__ = ["index_parameters", "index_run"]

_WEIGHTS = {"name": "A", "protocol_name": "B", "tags": "B"} | dict.fromkeys(
    ("notes", "owner", "sim_id", "engine_type", "model_type"), "C"
)
# More places of a word than this PostgreSQL would not keep, but take time to read.
_MAX_PLACES = 250
_SEPARATOR = "_"  # no token is written so: a phrase does not go from one tag into the next


def index_run(connection: sa.Connection, run: SimulationMetadata) -> None:
    """Bring the texts of a run up to date."""
    row = row_of(run)
    texts = {field: index_text(str(row[field] or "")) for field in INDEXED_FIELDS if field in row}
    texts["tags"] = _SEPARATOR.join(map(index_text, run.tags))
    values: dict[str, Any] = dict(texts)
    if connection.dialect.name == "postgresql":
        values["vector"] = sa.cast(_vector(texts), search_documents.c.vector.type)
    update = sa.update(search_documents).where(search_documents.c.run_id == run.sim_id)
    if connection.execute(update.values(values)).rowcount == 0:
        connection.execute(sa.insert(search_documents).values(run_id=run.sim_id, **values))


def _vector(texts: Mapping[str, str]) -> str:
    """Return the text of a ``tsvector``: each word with its places and their weights."""
    places: dict[str, list[str]] = {}
    position = 0
    for field in INDEXED_FIELDS:
        for word in texts[field].split():
            position += 1
            of_word = places.setdefault(word, [])
            if len(of_word) < _MAX_PLACES:
                of_word.append(f"{min(position, 16_383)}{_WEIGHTS.get(field, 'D')}")
    return " ".join(f"'{word}':{','.join(of_word)}" for word, of_word in places.items())


def index_parameters(
    connection: sa.Connection, sim_id: str, run_documents: Mapping[str, Any]
) -> None:
    """Bring the parameters of a run up to date; its texts are there already."""
    query = sa.select(search_documents.c.number).where(search_documents.c.run_id == sim_id)
    number = connection.execute(query).scalar_one()
    connection.execute(sa.delete(parameters).where(parameters.c.number == number))
    found: list[Parameter] = []
    for root in PARAMETER_ROOTS:
        document = run_documents.get(root)
        if isinstance(document, Mapping):
            found += flattened(root, document)
    if not found:
        return
    ids = _path_ids(connection, {parameter.path for parameter in found})
    rows = [
        {
            "number": number,
            "path_id": ids[parameter.path],
            "position": position,
            "value": parameter.number,
            "text": parameter.text,
            "words": index_text(parameter.text),
        }
        for position, parameter in enumerate(found)
    ]
    connection.execute(sa.insert(parameters), rows)


def _path_ids(connection: sa.Connection, paths: set[str]) -> dict[str, int]:
    column = parameter_paths.c
    query = sa.select(column.path, column.path_id).where(column.path.in_(sorted(paths)))
    known = _by_path(connection, query)
    missing = sorted(paths - known.keys())
    if missing:
        connection.execute(sa.insert(parameter_paths), [{"path": path} for path in missing])
        known = _by_path(connection, query)
    return known


def _by_path(connection: sa.Connection, query: sa.Select[tuple[str, int]]) -> dict[str, int]:
    return {row.path: row.path_id for row in connection.execute(query)}
