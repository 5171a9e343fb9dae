"""The part of a registry that gives out what runs are compared by to find alike ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa

from ape_jupyter.model.simulation import SimulationMetadata, Status
from ape_jupyter.registry import reading
from ape_jupyter.registry.connector import Connector
from ape_jupyter.registry.schema import simulations
from ape_jupyter.registry.search_index.tables import (
    parameter_paths,
    parameter_profiles,
    parameters,
    search_documents,
)

__all__ = ["ProfileReader", "ProfiledRun", "WithProfiles"]

_RUNS_AT_ONCE = 5_000
_column = simulations.c
_USABLE = _column.status != Status.TRASHED.value


@dataclass(frozen=True, slots=True)
class ProfiledRun:
    """What a run is compared by."""

    sim_id: str
    engine_type: str
    model_type: str | None
    n_patients: int
    duration_years: float
    profile: bytes


_RUNS = sa.select(
    _column.sim_id,
    _column.engine_type,
    _column.model_type,
    _column.n_patients,
    _column.duration_years,
    sa.func.coalesce(parameter_profiles.c.profile, b""),
).outerjoin(parameter_profiles, parameter_profiles.c.run_id == _column.sim_id)


class ProfileReader:
    """Reads one state of the registry."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def run(self, sim_id: str) -> ProfiledRun:
        """Return what the run with this very id is compared by."""
        return ProfiledRun(*self._connection.execute(_RUNS.where(_column.sim_id == sim_id)).one())

    def others(self, sim_id: str) -> Iterator[list[ProfiledRun]]:
        """Yield all other runs outside the trash, some in memory at a time."""
        query = _RUNS.where(_USABLE, _column.sim_id != sim_id)
        rows = self._connection.execute(query.execution_options(yield_per=_RUNS_AT_ONCE))
        for partition in rows.partitions():
            yield [ProfiledRun(*row) for row in partition]

    def metadata(self, sim_ids: Sequence[str]) -> dict[str, SimulationMetadata]:
        """Return the metadata of runs by their ids."""
        found = reading.several(self._connection, _column.sim_id.in_(sim_ids))
        return {run.sim_id: run for run in found}

    def ranges(self) -> dict[str, tuple[float, float]]:
        """Return the least and the greatest of the metadata's numbers by field."""
        fields = (_column.n_patients, _column.duration_years)
        ends = [end(field) for field in fields for end in (sa.func.min, sa.func.max)]
        row = self._connection.execute(sa.select(*ends).where(_USABLE)).one()
        return {"n_patients": (row[0], row[1]), "duration_years": (row[2], row[3])}

    def parameter_ranges(self, path_ids: Iterable[int]) -> dict[int, tuple[float, float]]:
        """Return the least and the greatest number that parameters have, where any."""
        found = {}
        for path_id in path_ids:
            numbers = sa.select(parameters.c.value).where(
                parameters.c.path_id == path_id, parameters.c.value.is_not(None)
            )
            # Both ends of an index, however many runs there are.
            low, high = (
                numbers.order_by(order).limit(1).scalar_subquery()
                for order in (parameters.c.value.asc(), parameters.c.value.desc())
            )
            row = self._connection.execute(sa.select(low, high)).one()
            if row[0] is not None:
                found[path_id] = (row[0], row[1])
        return found

    def path_ids(self, paths: Iterable[str]) -> dict[str, int]:
        """Return the numbers of those paths that there are."""
        query = sa.select(parameter_paths).where(parameter_paths.c.path.in_(list(paths)))
        return {row.path: row.path_id for row in self._connection.execute(query)}

    def parameters(self, sim_ids: Sequence[str]) -> dict[str, dict[str, list[Value]]]:
        """Return the values of all parameters of runs by id and path."""
        query = (
            sa.select(
                search_documents.c.run_id,
                parameter_paths.c.path,
                parameters.c.value,
                parameters.c.text,
            )
            .join(parameters, parameters.c.number == search_documents.c.number)
            .join(parameter_paths, parameter_paths.c.path_id == parameters.c.path_id)
            .where(search_documents.c.run_id.in_(sim_ids))
            .order_by(parameters.c.number, parameters.c.position)
        )
        found: dict[str, dict[str, list[Value]]] = {}
        for sim_id, path, number, text in self._connection.execute(query):
            found.setdefault(sim_id, {}).setdefault(path, []).append((number, text))
        return found


Value = tuple[float | None, str]


class WithProfiles:
    """Gives out what runs are compared by; see ``Registry``."""

    _database: Connector

    @contextmanager
    def profiles(self) -> Iterator[ProfileReader]:
        """Give a reader of one state of the registry."""
        with self._database.read() as connection:
            yield ProfileReader(connection)
