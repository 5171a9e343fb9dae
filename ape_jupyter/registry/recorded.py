"""Writing runs as they have become, each with the event that tells of it.

Any number of runs takes the same number of statements: renaming a tag of a hundred thousand
runs must not keep other writers waiting for minutes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeAlias

import sqlalchemy as sa

from ape_jupyter.model.events import EventType
from ape_jupyter.model.simulation import SimulationMetadata, Status
from ape_jupyter.model.tags import tag_key
from ape_jupyter.registry import events
from ape_jupyter.registry.rows import row_of, stored_time
from ape_jupyter.registry.schema import library_state, simulations, tags
from ape_jupyter.registry.search_index.writing import index_changes

__all__ = ["RunChange", "count_changes", "record_changes", "write_tags"]

RunChange: TypeAlias = tuple[SimulationMetadata, SimulationMetadata]
"""A run as it was, and as it is to be."""


def record_changes(
    connection: sa.Connection,
    wanted: Iterable[RunChange],
    user: str,
    *,
    reason: str = "",
    change: int | None = None,
    undoes: int | None = None,
) -> list[SimulationMetadata]:
    """Write runs as they are to be, with their next revision, and return them.

    Each of them must differ from what it was.

    Parameters
    ----------
    reason : str
        What the events tell of why.
    change : int, optional
        Under which number changes of tags can be undone.
    undoes : int, optional
        The change of tags that this one takes back.
    """
    changes = [(old, replace(new, revision=old.revision + 1)) for old, new in wanted]
    now = stored_time(datetime.now(UTC))
    updates: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    told = []
    for old, new in changes:
        was, became = row_of(old), row_of(new)
        columns = {name: value for name, value in became.items() if value != was[name]}
        differing = [name for name in columns if name != "revision"]
        if new.status is not old.status:
            columns["trashed_at"] = now if new.status is Status.TRASHED else None
        updates.setdefault(tuple(columns), []).append({**columns, "of_run": new.sim_id})
        before: dict[str, Any] = {name: was[name] for name in differing}
        after: dict[str, Any] = {name: became[name] for name in differing}
        data: dict[str, Any] = {"revision": new.revision, "before": before, "after": after}
        if new.tags != old.tags:
            before["tags"], after["tags"] = list(old.tags), list(new.tags)
            numbers = {"change": change, "undoes": undoes}
            data |= {name: number for name, number in numbers.items() if number is not None}
        if reason:
            data["reason"] = reason
        told.append(events.NewEvent(type=_event_type(old, new), sim_id=new.sim_id, data=data))
    for names, rows in updates.items():
        update = sa.update(simulations).where(simulations.c.sim_id == sa.bindparam("of_run"))
        connection.execute(update.values({name: sa.bindparam(name) for name in names}), rows)
    write_tags(connection, changes)
    index_changes(connection, changes)
    if changes:
        count_changes(connection, len(changes))
    events.append_all(connection, told, user)
    return [new for _, new in changes]


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


def write_tags(connection: sa.Connection, changes: Sequence[RunChange]) -> None:
    """Write which tags runs have."""
    gone = [
        {"of_run": new.sim_id, "key": tag_key(tag)}
        for old, new in changes
        for tag in old.tags
        if tag not in new.tags
    ]
    if gone:
        of_run = tags.c.sim_id == sa.bindparam("of_run")
        delete = sa.delete(tags).where(of_run, tags.c.tag_key == sa.bindparam("key"))
        connection.execute(delete, gone)
    come = [
        {"sim_id": new.sim_id, "tag_key": tag_key(tag), "tag": tag}
        for old, new in changes
        for tag in new.tags
        if tag not in old.tags
    ]
    if come:
        connection.execute(sa.insert(tags), come)


def count_changes(connection: sa.Connection, count: int) -> None:
    """Let the revision of the library grow."""
    revision = library_state.c.revision + count
    connection.execute(sa.update(library_state).values(revision=revision))
