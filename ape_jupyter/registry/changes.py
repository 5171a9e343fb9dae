"""Carrying out changes within the writing connection, each with its event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
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
from ape_jupyter.model.tags import normalise_tag, tag_key
from ape_jupyter.registry import events, reading
from ape_jupyter.registry.rows import metadata_of, row_of, stored_time
from ape_jupyter.registry.schema import documents, library_state, simulations, tags
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
    connection: sa.Connection, operation: RegistryOperation, user: str
) -> SimulationMetadata:
    """Carry out an operation and write its event; return the run as it is then.

    What changes nothing writes nothing.

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
    after = replace(after, revision=before.revision + 1)
    old, new = row_of(before), row_of(after)
    columns = {name: value for name, value in new.items() if value != old[name]}
    if after.status is not before.status:
        is_trashed = after.status is Status.TRASHED
        columns["trashed_at"] = stored_time(datetime.now(UTC)) if is_trashed else None
    update = sa.update(simulations).where(simulations.c.sim_id == after.sim_id)
    connection.execute(update.values(columns))
    _write_tags(connection, before, after)
    index_run(connection, after, before)
    if isinstance(operation, ReplaceResults):
        _write_documents(connection, after.sim_id, operation.documents)
    _changed(connection)
    told = [name for name in columns if name in old and name != "revision"]
    was, became = {name: old[name] for name in told}, {name: new[name] for name in told}
    if after.tags != before.tags:
        was["tags"], became["tags"] = list(before.tags), list(after.tags)
    data = {"revision": after.revision, "before": was, "after": became}
    if isinstance(operation, SetStatus) and operation.reason:
        data["reason"] = operation.reason
    events.append(connection, _event_type(before, after), after.sim_id, data, user)
    if isinstance(operation, ReplaceResults):
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
            removed = {normalise_tag(tag).casefold() for tag in operation.remove}
            kept = {tag.casefold(): tag for tag in run.tags if tag.casefold() not in removed}
            for tag in map(normalise_tag, operation.add):
                kept.setdefault(tag.casefold(), tag)
            return {"tags": tuple(sorted(kept.values(), key=str.casefold))}
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


def _event_type(before: SimulationMetadata, after: SimulationMetadata) -> EventType:
    if after.tags != before.tags:
        return EventType.TAGS_CHANGED
    match before.status, after.status:
        case was, Status.TRASHED if was is not Status.TRASHED:
            return EventType.SIMULATION_DELETED
        case was, Status.QUARANTINED if was is not Status.QUARANTINED:
            return EventType.STATE_CORRUPTED
        case Status.TRASHED, Status.AVAILABLE:
            return EventType.SIMULATION_RESTORED
    return EventType.METADATA_UPDATED


def _add(connection: sa.Connection, new: NewRun, user: str) -> SimulationMetadata:
    run = new.metadata
    if reading.maybe_one(connection, run.sim_id) is not None:
        raise ConflictError(f"There is a run {run.sim_id!r} already.")
    connection.execute(sa.insert(simulations).values(row_of(run)))
    _write_tags(connection, replace(run, tags=()), run)
    index_run(connection, run)
    _write_documents(connection, run.sim_id, new.documents)
    _changed(connection)
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


def _write_tags(
    connection: sa.Connection, before: SimulationMetadata, after: SimulationMetadata
) -> None:
    gone = [tag_key(tag) for tag in before.tags if tag not in after.tags]
    if gone:
        own = (tags.c.sim_id == after.sim_id) & tags.c.tag_key.in_(gone)
        connection.execute(sa.delete(tags).where(own))
    for tag in after.tags:
        if tag not in before.tags:
            values = {"sim_id": after.sim_id, "tag_key": tag_key(tag), "tag": tag}
            connection.execute(sa.insert(tags).values(values))


def _changed(connection: sa.Connection) -> None:
    update = sa.update(library_state).values(revision=library_state.c.revision + 1)
    connection.execute(update)


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
