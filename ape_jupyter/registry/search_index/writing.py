"""Keeping the search index: called within the transaction that changes a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from ape_jupyter.model.parameters import Parameter, flattened
from ape_jupyter.model.query import PARAMETER_ROOTS
from ape_jupyter.model.search_words import index_text
from ape_jupyter.model.simulation import SimulationMetadata
from ape_jupyter.model.tags import tag_key
from ape_jupyter.registry.rows import row_of
from ape_jupyter.registry.schema import documents, simulations, tags
from ape_jupyter.registry.search_index.profiles import packed
from ape_jupyter.registry.search_index.tables import (
    INDEXED_FIELDS,
    parameter_paths,
    parameter_profiles,
    parameters,
    search_documents,
)

__all__ = ["index_changes", "index_parameters", "index_run", "rebuild"]

_WEIGHTS = {"name": "A", "protocol_name": "B", "tags": "B"} | dict.fromkeys(
    ("notes", "owner", "sim_id", "engine_type", "model_type"), "C"
)
# More places of a word than this PostgreSQL would not keep, but take time to read.
_MAX_PLACES = 250
_SEPARATOR = "_"  # no token is written so: a phrase does not go from one tag into the next


def index_run(connection: sa.Connection, run: SimulationMetadata) -> None:
    """Take in the texts of a run that is not in the index."""
    _add(connection, run.sim_id, _texts(row_of(run), run.tags))


def index_changes(
    connection: sa.Connection, changes: Iterable[tuple[SimulationMetadata, SimulationMetadata]]
) -> None:
    """Bring the texts of runs up to date, given each as it is in the index and as it is now."""
    rows = []
    for before, after in changes:
        texts = _texts(row_of(after), after.tags)
        if texts != _texts(row_of(before), before.tags):
            rows.append({**_values(connection, texts), "of_run": after.sim_id})
    if rows:
        update = sa.update(search_documents).where(
            search_documents.c.run_id == sa.bindparam("of_run")
        )
        connection.execute(update.values(_columns(connection)), rows)


def rebuild(connection: sa.Connection) -> None:
    """Make the index anew from what is known of the runs."""
    for table in (parameter_profiles, parameters, parameter_paths, search_documents):
        table.drop(connection, checkfirst=True)
    for table in (search_documents, parameter_paths, parameters, parameter_profiles):
        table.create(connection)
    # By name: older versions of the database have fewer columns.
    columns = [simulations.c[field] for field in INDEXED_FIELDS if field in simulations.c]
    # All at once, for a cursor must not stay open while other rows are written.
    for row in connection.execute(sa.select(*columns)).mappings().all():
        sim_id = row["sim_id"]
        of_run = sa.select(tags.c.tag).where(tags.c.sim_id == sim_id)
        run_tags = connection.execute(of_run).scalars().all()
        _add(connection, sim_id, _texts(row, run_tags))
        roots = sa.select(documents.c.kind, documents.c.content).where(
            documents.c.sim_id == sim_id, documents.c.kind.in_(PARAMETER_ROOTS)
        )
        found = {row.kind: row.content for row in connection.execute(roots)}
        index_parameters(connection, sim_id, found)


def _texts(row: Mapping[str, Any] | sa.RowMapping, run_tags: Iterable[str]) -> dict[str, str]:
    texts = {field: index_text(row[field] or "") for field in INDEXED_FIELDS if field != "tags"}
    texts["tags"] = _SEPARATOR.join(map(index_text, sorted(run_tags, key=tag_key)))
    return texts


def _add(connection: sa.Connection, sim_id: str, texts: Mapping[str, str]) -> None:
    insert = sa.insert(search_documents).values(
        run_id=sa.bindparam("of_run"), **_columns(connection)
    )
    connection.execute(insert, {**_values(connection, texts), "of_run": sim_id})


def _values(connection: sa.Connection, texts: Mapping[str, str]) -> dict[str, str]:
    if connection.dialect.name != "postgresql":
        return dict(texts)
    return {**texts, "vector": _vector(texts)}


def _columns(connection: sa.Connection) -> dict[str, sa.ColumnElement[Any]]:
    columns: dict[str, sa.ColumnElement[Any]] = {f: sa.bindparam(f) for f in INDEXED_FIELDS}
    if connection.dialect.name == "postgresql":
        text = sa.bindparam("vector", type_=sa.Text())
        columns["vector"] = sa.cast(text, search_documents.c.vector.type)
    return columns


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
    of_run = parameter_profiles.c.run_id == sim_id
    connection.execute(sa.delete(parameter_profiles).where(of_run))
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
    profile = {"run_id": sim_id, "profile": packed(found, ids)}
    connection.execute(sa.insert(parameter_profiles), [profile])


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
