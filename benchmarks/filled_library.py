"""A library of made-up runs, written in bulk: registering a million would take hours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from ape_jupyter.library.local import LocalLibrary
from ape_jupyter.model.parameters import flattened
from ape_jupyter.model.search_words import index_text
from ape_jupyter.model.simulation import Headline, SimulationMetadata
from ape_jupyter.registry.rows import row_of
from ape_jupyter.registry.schema import simulations, tags
from ape_jupyter.registry.search_index.tables import parameter_paths, parameters, search_documents
from ape_jupyter.registry.search_index.writing import texts_of
from ape_jupyter.testing.suite_registry import example_metadata

from .made_up_runs import MadeUpRun, made_up_runs

__all__ = ["fill"]

_BATCH = 5_000
_words = cache(index_text)


def fill(directory: Path, n_runs: int, n_parameters: int) -> None:
    """Make a library with the rows that registering would write, but for their history."""
    first = example_metadata(0)
    path_ids: dict[str, int] = {}
    with (
        LocalLibrary.open(directory) as library,
        library._registry._database.write() as connection,  # noqa: SLF001
    ):
        # Once at the end, in order, is many times quicker than row by row.
        for index in parameters.indexes:
            index.drop(connection)
        runs = enumerate(made_up_runs(n_runs, n_parameters), start=1)
        while batch := [pair for pair, _ in zip(runs, range(_BATCH), strict=False)]:
            described = [(number, run, _metadata(run, first)) for number, run in batch]
            _insert(connection, simulations, [_row(n, run) for n, _, run in described])
            tagged = [row for number, _, run in described for row in _tags(number, run)]
            _insert(connection, tags, tagged)
            documents = [_document(number, run) for number, _, run in described]
            _insert(connection, search_documents, documents)
            n_known = len(path_ids)
            values = [row for n, run, _ in described for row in _parameters(n, run, path_ids)]
            paths = [{"path": path, "path_id": number} for path, number in path_ids.items()]
            _insert(connection, parameter_paths, paths[n_known:])
            _insert(connection, parameters, values)
        for index in parameters.indexes:
            index.create(connection)


def _insert(connection: sa.Connection, table: sa.Table, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(sa.insert(table), rows)


def _metadata(run: MadeUpRun, first: SimulationMetadata) -> SimulationMetadata:
    headline = Headline(
        mean_final_vision=run.mean_final_vision,
        total_injections=run.n_visits // 2,
        discontinuation_rate=0.1,
    )
    return replace(
        first,
        sim_id=run.sim_id,
        name=run.name,
        created_at=run.created_at,
        registered_at=run.created_at,
        n_patients=run.n_patients,
        n_visits=run.n_visits,
        duration_years=float(run.duration_years),
        protocol_name=run.protocol,
        engine_type=run.engine,
        owner=run.owner,
        notes=run.notes,
        tags=run.tags,
        seed=run.seed,
        checksum=run.sim_id,
        file_size_mb=run.n_visits / 1e5,
        headline=headline,
    )


def _row(number: int, run: SimulationMetadata) -> dict[str, Any]:
    return {**row_of(run), "number": number}


def _tags(number: int, run: SimulationMetadata) -> Iterator[dict[str, Any]]:
    for tag in run.tags:
        yield {"sim_id": run.sim_id, "tag": tag, "tag_key": tag.casefold(), "number": number}


def _document(number: int, run: SimulationMetadata) -> dict[str, Any]:
    return {"number": number, "run_id": run.sim_id, **texts_of(row_of(run), run.tags)}


def _parameters(number: int, run: MadeUpRun, path_ids: dict[str, int]) -> Iterator[dict[str, Any]]:
    for position, parameter in enumerate(flattened("protocol", run.parameters)):
        yield {
            "number": number,
            "path_id": path_ids.setdefault(parameter.path, len(path_ids) + 1),
            "position": position,
            "value": parameter.number,
            "text": parameter.text,
            "words": _words(parameter.text),
        }
