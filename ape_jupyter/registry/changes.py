"""Carrying out changes within the writing connection, each with its event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import sqlalchemy as sa

from ape_jupyter.errors import ConflictError
from ape_jupyter.model.events import EventType
from ape_jupyter.model.operations import (
    DeleteSimulation,
    RestoreSimulation,
    SetPinned,
    SetTags,
    UpdateMetadata,
    checked_changes,
)
from ape_jupyter.model.simulation import SimulationMetadata, Status
from ape_jupyter.model.tags import normalise_tag, with_tags
from ape_jupyter.registry import events, reading
from ape_jupyter.registry.recorded import count_changes, record_changes, write_tags
from ape_jupyter.registry.rows import metadata_of, row_of
from ape_jupyter.registry.schema import documents, simulations
from ape_jupyter.registry.search_index.writing import index_parameters, index_run

__all__ = ["NewRun", "RegistryOperation", "ReplaceResults", "SetStatus", "carry_out"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRun:
    """Add a run whose results are stored, with its documents by kind.

    Attributes
    ----------
    migration : mapping or None
        What the log tells of how its metadata was brought to this version.
    """

    metadata: SimulationMetadata
    documents: Mapping[str, Any]
    migration: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetStatus:
    """Give a run, named by its full id, another status; its event tells the reason."""

    sim_id: str
    status: Status
    reason: str = ""
    expected_revision: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaceResults:
    """Let a run have the results of ``metadata``, and be available; users' own changes stay."""

    metadata: SimulationMetadata
    documents: Mapping[str, Any]
    migration: Mapping[str, Any] | None = None
    expected_revision: int | None = None

    @property
    def sim_id(self) -> str:
        """The run's full id."""
        return self.metadata.sim_id


_ChangeOfRun: TypeAlias = (
    UpdateMetadata
    | SetTags
    | SetPinned
    | DeleteSimulation
    | RestoreSimulation
    | SetStatus
    | ReplaceResults
)
RegistryOperation: TypeAlias = NewRun | _ChangeOfRun

# What is read off the results of a run; all else belongs to its users.
_OF_RESULTS = (
    *("n_patients", "n_patients_requested", "n_patients_without_visits", "n_visits"),
    *("duration_years", "start_date", "protocol_name", "protocol_version", "protocol_digest"),
    *("engine_type", "model_type", "seed", "runtime_seconds", "file_size_mb", "checksum"),
    *("source", "status", "has_costs", "has_resources", "headline"),
)
_TOLD_OF_NEW_RUN = ("name", "notes", "visibility", "owner", "source", "checksum", "parent")


def carry_out(
    connection: sa.Connection,
    operation: RegistryOperation,
    user: str,
    *,
    change: int | None = None,
) -> SimulationMetadata:
    """Carry out an operation and write its event; return the run as it is then.

    What changes nothing writes nothing.

    Parameters
    ----------
    change : int, optional
        Under which number its changes of tags can be undone.

    Raises
    ------
    SimulationNotFoundError
        If it is about no run, or about more than one.
    ConflictError
        If a new run's id is taken, or the run is not at the expected revision.
    """
    if isinstance(operation, NewRun):
        return _add(connection, operation, user)
    before = _run_of(connection, operation)
    expected = operation.expected_revision
    if expected is not None and expected != before.revision:
        raise _conflict(connection, before, expected)
    after = replace(before, **_wanted(before, operation))
    if after == before:
        return before
    reason = operation.reason if isinstance(operation, SetStatus) else ""
    (after,) = record_changes(connection, [(before, after)], user, reason=reason, change=change)
    if isinstance(operation, ReplaceResults):
        _write_documents(connection, after.sim_id, operation.documents)
        _tell_migration(connection, operation, user)
    return after


def _run_of(connection: sa.Connection, operation: _ChangeOfRun) -> SimulationMetadata:
    if isinstance(operation, RestoreSimulation | SetStatus | ReplaceResults):
        return reading.one(connection, operation.sim_id)
    return reading.find(connection, operation.sim_id)


def _wanted(run: SimulationMetadata, operation: _ChangeOfRun) -> dict[str, Any]:
    """Return the fields that an operation sets, with the values it gives them."""
    match operation:
        case UpdateMetadata():
            return dict(checked_changes(operation.changes))
        case SetTags():
            added, removed = map(normalise_tag, operation.add), map(normalise_tag, operation.remove)
            return {"tags": with_tags(run.tags, added, removed)}
        case SetPinned():
            return {"is_pinned": operation.is_pinned}
        case DeleteSimulation():
            return {"status": Status.TRASHED}
        case RestoreSimulation():
            return {"status": Status.AVAILABLE}
        case SetStatus():
            return {"status": operation.status}
        case ReplaceResults():
            return {name: getattr(operation.metadata, name) for name in _OF_RESULTS}


def _add(connection: sa.Connection, new: NewRun, user: str) -> SimulationMetadata:
    run = new.metadata
    if reading.maybe_one(connection, run.sim_id) is not None:
        raise ConflictError(f"There is a run {run.sim_id!r} already.")
    connection.execute(sa.insert(simulations).values(row_of(run)))
    write_tags(connection, [(replace(run, tags=()), run)])
    index_run(connection, run)
    _write_documents(connection, run.sim_id, new.documents)
    count_changes(connection, 1)
    row = row_of(run)
    told = {name: row[name] for name in _TOLD_OF_NEW_RUN}
    data = {"revision": run.revision, "before": {}, "after": {**told, "tags": list(run.tags)}}
    events.append(connection, EventType.SIMULATION_REGISTERED, run.sim_id, data, user)
    _tell_migration(connection, new, user)
    return run


def _tell_migration(
    connection: sa.Connection, operation: NewRun | ReplaceResults, user: str
) -> None:
    if operation.migration is not None:
        sim_id = operation.metadata.sim_id
        events.append(connection, EventType.MIGRATION_APPLIED, sim_id, operation.migration, user)


def _write_documents(
    connection: sa.Connection, sim_id: str, run_documents: Mapping[str, Any]
) -> None:
    connection.execute(sa.delete(documents).where(documents.c.sim_id == sim_id))
    for kind, content in run_documents.items():
        values = {"sim_id": sim_id, "kind": kind, "content": content}
        connection.execute(sa.insert(documents).values(values))
    index_parameters(connection, sim_id, run_documents)


def _conflict(
    connection: sa.Connection, current: SimulationMetadata, expected_revision: int
) -> ConflictError:
    message = (
        f"{current.name} was changed meanwhile: it is at revision {current.revision}, "
        f"not {expected_revision}. Look at it again, then repeat the change."
    )
    return ConflictError(
        message,
        expected_revision=expected_revision,
        current=current,
        expected=_at_revision(connection, current, expected_revision),
    )


def _at_revision(
    connection: sa.Connection, current: SimulationMetadata, revision: int
) -> SimulationMetadata | None:
    """Return a run as it was, by undoing what its history tells; None when that is too short."""
    row, tags_then, at = row_of(current), current.tags, current.revision
    for event in reversed(events.read(connection, sim_id=current.sim_id)):
        if at <= revision:
            break
        if event.data.get("revision") == at:
            before = dict(event.data["before"])
            tags_then = tuple(before.pop("tags", tags_then))
            row.update(before)
            at -= 1
    return metadata_of({**row, "revision": at}, tags_then) if at == revision else None
