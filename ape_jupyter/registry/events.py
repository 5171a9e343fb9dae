"""The log of a library: numbered, chained by hashes, written with the change it tells of."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.model.events import EventType, SimulationEvent
from ape_jupyter.registry.rows import stored_time
from ape_jupyter.registry.schema import event_log, events

__all__ = [
    "KEPT",
    "MAX_EVENTS",
    "BrokenChain",
    "NewEvent",
    "append",
    "append_all",
    "broken_at",
    "first_and_last_seq",
    "forget",
    "last_seq",
    "of_runs",
    "read",
]

MAX_EVENTS = 10_000
KEPT = timedelta(days=2 * 365)
_CHECKED_AT_ONCE = 5_000
_FORGOTTEN_EVERY = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenChain:
    """The first place at which the log is not what was written.

    Attributes
    ----------
    seq : int
        Number of the event.
    problem : str
        What is wrong with it, as a clause.
    """

    seq: int
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """An event before it has its place in the log."""

    type: EventType
    sim_id: str | None
    data: Mapping[str, Any]


def append(
    connection: sa.Connection,
    event_type: EventType,
    sim_id: str | None,
    data: Mapping[str, Any],
    user_id: str,
) -> SimulationEvent:
    """Write the next event; see :func:`append_all`."""
    return append_all(connection, [NewEvent(type=event_type, sim_id=sim_id, data=data)], user_id)[0]


def append_all(
    connection: sa.Connection, new: Sequence[NewEvent], user_id: str
) -> list[SimulationEvent]:
    """Write the next events, and now and then forget old ones.

    ``connection`` must be the writing one.

    Raises
    ------
    TypeError
        If the data is not JSON.
    """
    if not new:
        return []
    seq, before = connection.execute(sa.select(event_log.c.last_seq, event_log.c.last_hash)).one()
    is_time = seq // _FORGOTTEN_EVERY < (seq + len(new)) // _FORGOTTEN_EVERY
    now = datetime.now(UTC)
    rows = []
    for event in new:
        seq += 1
        row = {
            "seq": seq,
            "type": EventType(event.type).value,
            "sim_id": event.sim_id,
            "timestamp": stored_time(now),
            "user_id": user_id,
            "data": json.dumps(event.data, sort_keys=True, separators=(",", ":"), allow_nan=False),
        }
        row["hash"] = before = _hash(before, row)
        rows.append(row)
    connection.execute(sa.insert(events), rows)
    connection.execute(sa.update(event_log).values(last_seq=seq, last_hash=before))
    if is_time:
        forget(connection, now - KEPT)
    return [_event(row) for row in rows]


def _hash(before: str, row: Mapping[str, Any] | sa.RowMapping) -> str:
    content = [row[name] for name in ("seq", "type", "sim_id", "timestamp", "user_id", "data")]
    return hashlib.sha256(before.encode() + json.dumps(content).encode()).hexdigest()


def _event(row: Mapping[str, Any] | sa.RowMapping) -> SimulationEvent:
    return SimulationEvent(
        seq=row["seq"],
        type=EventType(row["type"]),
        simulation_id=row["sim_id"],
        timestamp=datetime.fromisoformat(row["timestamp"]),
        user_id=row["user_id"],
        data=json.loads(row["data"]),
    )


def last_seq(connection: sa.Connection) -> int:
    """Return the number of the newest event; 0 when there is none."""
    return int(connection.execute(sa.select(event_log.c.last_seq)).scalar_one())


def first_and_last_seq(connection: sa.Connection) -> tuple[int, int]:
    """Return the oldest number that is not forgotten, and that of the newest event."""
    query = sa.select(event_log.c.forgotten_seq, event_log.c.last_seq)
    forgotten, last = connection.execute(query).one()
    return forgotten + 1, last


def read(
    connection: sa.Connection,
    since: int = 0,
    types: Iterable[EventType | str] | None = None,
    sim_id: str | None = None,
    limit: int = MAX_EVENTS,
) -> list[SimulationEvent]:
    """Return the events after number ``since``, the oldest first.

    Raises
    ------
    InvalidArgumentError
        If the limit is out of range, or there is no such type.
    """
    if not 1 <= limit <= MAX_EVENTS:
        raise InvalidArgumentError(f"The limit must be between 1 and {MAX_EVENTS}, not {limit}.")
    query = sa.select(events).where(events.c.seq > since).order_by(events.c.seq).limit(limit)
    if types is not None:
        query = query.where(events.c.type.in_([_known_type(kind).value for kind in types]))
    if sim_id is not None:
        query = query.where(events.c.sim_id == sim_id)
    return [_event(row) for row in connection.execute(query).mappings()]


def of_runs(
    connection: sa.Connection, sim_ids: Iterable[str], since: int, kind: EventType
) -> list[SimulationEvent]:
    """Return the events of one type about any of these runs after a number, the oldest first."""
    query = sa.select(events).where(
        events.c.sim_id.in_(list(sim_ids)), events.c.seq > since, events.c.type == kind.value
    )
    return [_event(row) for row in connection.execute(query.order_by(events.c.seq)).mappings()]


def _known_type(kind: EventType | str) -> EventType:
    try:
        return EventType(kind)
    except ValueError:
        known = ", ".join(EventType)
        raise InvalidArgumentError(f"There is no type of event {kind!r}, only: {known}.") from None


def forget(connection: sa.Connection, before: datetime) -> int:
    """Remove the events older than a time, and return how many they were.

    The hash of the last of them stays, so that the chain can be checked from there on. Where
    the clock was set back, what follows an event that must stay also stays.
    """
    kept = sa.select(sa.func.min(events.c.seq)).where(events.c.timestamp >= stored_time(before))
    first_kept = connection.execute(kept).scalar_one()
    query = sa.select(events.c.seq, events.c.hash).order_by(events.c.seq.desc()).limit(1)
    if first_kept is not None:
        query = query.where(events.c.seq < first_kept)
    last_forgotten = connection.execute(query).one_or_none()
    if last_forgotten is None:
        return 0
    seq, last_hash = last_forgotten
    removed = connection.execute(sa.delete(events).where(events.c.seq <= seq)).rowcount
    update = sa.update(event_log).values(forgotten_seq=seq, forgotten_hash=last_hash)
    connection.execute(update)
    return removed


def broken_at(connection: sa.Connection) -> BrokenChain | None:
    """Return the first place at which the log was tampered with; None when it is whole."""
    ends = connection.execute(sa.select(event_log)).mappings().one()
    seq, before = ends["forgotten_seq"], ends["forgotten_hash"]
    while True:
        query = sa.select(events).where(events.c.seq > seq).order_by(events.c.seq)
        rows = connection.execute(query.limit(_CHECKED_AT_ONCE)).mappings().all()
        for row in rows:
            if row["seq"] != seq + 1:
                return BrokenChain(seq=seq + 1, problem="is missing")
            if row["hash"] != _hash(before, row):
                return BrokenChain(seq=row["seq"], problem="was changed after it was written")
            seq, before = row["seq"], row["hash"]
        if len(rows) < _CHECKED_AT_ONCE:
            break
    if (seq, before) != (ends["last_seq"], ends["last_hash"]):
        return BrokenChain(seq=seq + 1, problem="is missing at the end")
    return None
