"""The part of a registry that answers questions about runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from ape_jupyter.errors import SimulationNotFoundError
from ape_jupyter.model.listing import SearchPage, SearchRequest
from ape_jupyter.model.query import QueryNode
from ape_jupyter.model.simulation import SimulationMetadata, Status
from ape_jupyter.registry import reading
from ape_jupyter.registry.connector import Connector
from ape_jupyter.registry.rows import bindable
from ape_jupyter.registry.schema import documents, library_state, simulations

__all__ = ["WithLookup"]

_column = simulations.c
_USABLE = _column.status != Status.TRASHED.value
_OLDEST_FIRST = (_column.created_at, _column.sim_id)


class WithLookup:
    """Finds runs; see ``Registry``."""

    _database: Connector

    def revision(self) -> int:
        """Return a number that grows with every change of the registry."""
        with self._database.read() as connection:
            return int(connection.execute(sa.select(library_state.c.revision)).scalar_one())

    def get(self, sim_id: str) -> SimulationMetadata:
        """Return the metadata of the run with exactly this id, trashed or not."""
        with self._database.read() as connection:
            return reading.one(connection, sim_id)

    def find(self, text: str) -> SimulationMetadata:
        """Return the one run that an id, a name, or a prefix of either means.

        Raises
        ------
        SimulationNotFoundError
            If no run is meant, or more than one.
        """
        with self._database.read() as connection:
            return reading.find(connection, text)

    def get_many(self, sim_ids: Sequence[str]) -> list[SimulationMetadata]:
        """Return the metadata of several runs, in the order of their ids."""
        wanted = [bindable(sim_id) for sim_id in sim_ids]
        with self._database.read() as connection:
            runs = reading.several(connection, _column.sim_id.in_(wanted))
        found = {run.sim_id: run for run in runs}
        for sim_id in wanted:
            if sim_id not in found:
                raise SimulationNotFoundError(sim_id)
        return [found[sim_id] for sim_id in wanted]

    def pinned_checksums(self) -> frozenset[str]:
        """Return the checksums of the pinned runs that are not in the trash."""
        query = sa.select(_column.checksum).where(_column.is_pinned, _USABLE)
        with self._database.read() as connection:
            return frozenset(connection.execute(query).scalars())

    def with_checksums(self, checksums: Iterable[str]) -> list[SimulationMetadata]:
        """Return the runs outside the trash that have one of these result sets, oldest first."""
        condition = _column.checksum.in_(list(checksums)) & _USABLE
        with self._database.read() as connection:
            return reading.several(connection, condition, *_OLDEST_FIRST)

    def all_runs(self) -> list[SimulationMetadata]:
        """Return every run, also those in the trash, oldest first."""
        with self._database.read() as connection:
            return reading.several(connection, sa.true(), *_OLDEST_FIRST)

    def usable_runs(self) -> list[SimulationMetadata]:
        """Return every run outside the trash, newest first."""
        newest_first = [column.desc() for column in _OLDEST_FIRST]
        with self._database.read() as connection:
            return reading.several(connection, _USABLE, *newest_first)

    def documents(self, sim_id: str) -> dict[str, Any]:
        """Return the documents of a run by kind."""
        query = sa.select(documents.c.kind, documents.c.content)
        with self._database.read() as connection:
            rows = connection.execute(query.where(documents.c.sim_id == sim_id)).all()
        return {str(kind): content for kind, content in rows if content is not None}

    def documents_of_many(self, sim_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return the documents of several runs, by run and kind, in one query."""
        query = sa.select(documents.c.sim_id, documents.c.kind, documents.c.content)
        wanted = [bindable(sim_id) for sim_id in sim_ids]
        with self._database.read() as connection:
            rows = connection.execute(query.where(documents.c.sim_id.in_(wanted))).all()
        found: dict[str, dict[str, Any]] = {sim_id: {} for sim_id in sim_ids}
        for sim_id, kind, content in rows:
            if content is not None:
                found[sim_id][str(kind)] = content
        return found

    def search(self, tree: QueryNode, request: SearchRequest) -> SearchPage:
        """Return one page of the runs that match ``tree``, and how many match in all.

        Of the request, its order and its place in the pages count.
        """
        with self._database.read() as connection:
            return reading.page(connection, tree, request)
