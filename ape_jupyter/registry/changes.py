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
from ape_jupyter.registry import events, reading
from ape_jupyter.registry.rows import row_of, search_text
from ape_jupyter.registry.schema import documents, library_state, simulations, tags

__all__ = ["NewRun", "RegistryOperation", "SetStatus", "carry_out"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRun:
    """Add a run whose results are stored, with its documents by kind."""

    metadata: SimulationMetadata
    documents: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetStatus:
    """Give a run, named by its full id, another status."""

    sim_id: str
    status: Status
    expected_revision: int | None = None


_ChangeOfRun: TypeAlias = (
    UpdateMetadata | SetTags | SetPinned | DeleteSimulation | RestoreSimulation | SetStatus
)
RegistryOperation: TypeAlias = NewRun | _ChangeOfRun

# What people change about a run; a registration and a history tell of these.
_HISTORY = ("name", "notes", "visibility", "tags", "is_pinned", "status")


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
    wanted = _wanted(before, operation)
    values = {name: value for name, value in wanted.items() if value != getattr(before, name)}
    if not values:
        return before
    after = replace(before, **values, revision=before.revision + 1)
    _write_tags(connection, before, after)
    row = row_of(after)
    columns = {name: row[name] for name in values if name != "tags"}
    columns |= {"revision": after.revision, "search_text": search_text(row, after.tags)}
    update = sa.update(simulations).where(simulations.c.sim_id == after.sim_id)
    connection.execute(update.values(columns))
    _changed(connection)
    data = {
        "revision": after.revision,
        "before": {name: _as_json(before, name) for name in values},
        "after": {name: _as_json(after, name) for name in values},
    }
    events.append(connection, _event_type(before, values), after.sim_id, data, user)
    return after


def _run_of(connection: sa.Connection, operation: _ChangeOfRun) -> SimulationMetadata:
    if isinstance(operation, RestoreSimulation | SetStatus):
        return reading.one(connection, operation.sim_id)
    return reading.find(connection, operation.sim_id)


def _wanted(run: SimulationMetadata, operation: _ChangeOfRun) -> dict[str, Any]:
    """Return the fields that an operation sets, with the values it gives them."""
    match operation:
        case UpdateMetadata():
            return dict(checked_changes(operation.changes))
        case SetTags():
            removed = {tag.casefold() for tag in operation.remove}
            kept = {tag.casefold(): tag for tag in run.tags if tag.casefold() not in removed}
            for tag in operation.add:
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


def _event_type(before: SimulationMetadata, values: Mapping[str, Any]) -> EventType:
    if "tags" in values:
        return EventType.TAGS_CHANGED
    match values.get("status"):
        case Status.TRASHED:
            return EventType.SIMULATION_DELETED
        case Status.QUARANTINED:
            return EventType.STATE_CORRUPTED
        case Status.AVAILABLE if before.status is Status.TRASHED:
            return EventType.SIMULATION_RESTORED
    return EventType.METADATA_UPDATED


def _as_json(run: SimulationMetadata, name: str) -> Any:
    value = getattr(run, name)
    return list(value) if isinstance(value, tuple) else value


def _add(connection: sa.Connection, new: NewRun, user: str) -> SimulationMetadata:
    run = new.metadata
    if reading.maybe_one(connection, run.sim_id) is not None:
        raise ConflictError(f"There is a run {run.sim_id!r} already.")
    connection.execute(sa.insert(simulations).values(row_of(run)))
    _write_tags(connection, replace(run, tags=()), run)
    for kind, content in new.documents.items():
        values = {"sim_id": run.sim_id, "kind": kind, "content": content}
        connection.execute(sa.insert(documents).values(values))
    _changed(connection)
    data = {
        "revision": run.revision,
        "before": {},
        "after": {name: _as_json(run, name) for name in (*_HISTORY, "checksum", "source")},
    }
    events.append(connection, EventType.SIMULATION_REGISTERED, run.sim_id, data, user)
    return run


def _write_tags(
    connection: sa.Connection, before: SimulationMetadata, after: SimulationMetadata
) -> None:
    gone = [tag.casefold() for tag in before.tags if tag not in after.tags]
    if gone:
        own = (tags.c.sim_id == after.sim_id) & tags.c.tag_key.in_(gone)
        connection.execute(sa.delete(tags).where(own))
    for tag in after.tags:
        if tag not in before.tags:
            values = {"sim_id": after.sim_id, "tag_key": tag.casefold(), "tag": tag}
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
    run = current
    for event in reversed(events.read(connection, sim_id=current.sim_id)):
        if run.revision <= revision:
            break
        if event.data.get("revision") == run.revision:
            before = dict(event.data.get("before", {}))
            if "tags" in before:
                before["tags"] = tuple(before["tags"])
            if "status" in before:
                before["status"] = Status(before["status"])
            run = replace(run, **before, revision=run.revision - 1)
    return run if run.revision == revision else None
