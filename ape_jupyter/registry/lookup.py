"""The part of a registry that answers questions about runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from ape_jupyter.errors import SimulationNotFoundError
from ape_jupyter.model.facets import FacetCounts, FacetOrder
from ape_jupyter.model.listing import SearchPage, SearchRequest
from ape_jupyter.model.query import QueryNode
from ape_jupyter.model.simulation import SimulationMetadata, Status
from ape_jupyter.registry import reading
from ape_jupyter.registry.connector import Connector
from ape_jupyter.registry.rows import StoredRuns, bindable
from ape_jupyter.registry.schema import documents, simulations
from ape_jupyter.registry.search_index.run_columns import RunColumns

__all__ = ["WithLookup"]

_column = simulations.c
_USABLE = _column.status != Status.TRASHED.value
# Openings of runs are counted without a new revision.
_OPENINGS = ("access_count", "last_accessed")
_OLDEST_FIRST = (_column.created_at, _column.sim_id)


class WithLookup:
    """Finds runs; see ``Registry``."""

    _database: Connector
    # What searches were last counted by; of one revision, and replaced as a whole.
    _columns: RunColumns | None = None

    def revision(self) -> int:
        """Return a number that grows with every change of the registry."""
        with self._database.read() as connection:
            return reading.revision(connection)

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

    def find_ids(self, texts: Sequence[str]) -> list[str]:
        """Return the ids of the runs that texts mean, as :meth:`find`; of full ids in one query."""
        wanted = [bindable(text) for text in texts]
        query = sa.select(_column.sim_id).where(_column.sim_id.in_(wanted), _USABLE)
        with self._database.read() as connection:
            exact = set(connection.execute(query).scalars())
            return [
                text if text in exact else reading.find(connection, text).sim_id for text in wanted
            ]

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
            return list(reading.several(connection, condition, *_OLDEST_FIRST))

    def all_runs(self) -> list[SimulationMetadata]:
        """Return every run, also those in the trash, oldest first."""
        with self._database.read() as connection:
            return list(reading.several(connection, sa.true(), *_OLDEST_FIRST))

    def usable_runs(self) -> StoredRuns:
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

    def search_and_count(
        self, tree: QueryNode, request: SearchRequest, facets: Sequence[FacetOrder]
    ) -> tuple[SearchPage, tuple[FacetCounts, ...]]:
        """Return one page of the runs that match, and counts of the same moment."""
        with self._database.read() as connection:
            page = reading.page(connection, tree, request)
            if not facets:
                return page, ()
            columns = self._columns_of(connection, facets)
            return page, reading.counted(connection, columns, facets)

    def _columns_of(self, connection: sa.Connection, facets: Sequence[FacetOrder]) -> RunColumns:
        revision = reading.revision(connection)
        if any(order.field in _OPENINGS for order in facets):
            return RunColumns(connection, revision)
        columns = self._columns
        if columns is None or columns.revision != revision:
            columns = self._columns = RunColumns(connection, revision)
        return columns

    def search(self, tree: QueryNode, request: SearchRequest) -> SearchPage:
        """Return one page of the runs that match ``tree``, and how many match in all.

        Of the request, its order and its place in the pages count.
        """
        with self._database.read() as connection:
            return reading.page(connection, tree, request)
