"""What happened in a library: the question, the answer, and messages on the WebSocket."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.model.events import EventType, SimulationEvent, event_types

__all__ = [
    "LONGEST_WAIT_SECONDS",
    "EventMessage",
    "EventPage",
    "EventQuery",
    "decode_event_query",
    "encode_event_query",
]

LONGEST_WAIT_SECONDS = 30
"""How long an answer can wait for an event; proxies end requests that take a minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPage:
    """Events in their order.

    Attributes
    ----------
    next_since : int
        The number up to which the log was looked through; ask next for what came since.
    first_seq, last_seq : int
        The oldest and the newest number in the log. Who has seen less than the one before
        the oldest has missed events that are forgotten, and must read the library anew.
    """

    items: tuple[SimulationEvent, ...]
    next_since: int
    first_seq: int
    last_seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EventMessage:
    """A message on the WebSocket: an event, or that some are forgotten.

    Attributes
    ----------
    event : SimulationEvent or None
        What happened.
    resync_from : int or None
        Instead of an event: those before this number are forgotten, in part unseen. Read the
        library anew; the messages go on with this number.
    """

    event: SimulationEvent | None = None
    resync_from: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventQuery:
    """Which events are asked for.

    Attributes
    ----------
    since : int
        Only those with a greater number.
    types : tuple of EventType
        Of these types only; of all when empty.
    sim_id : str or None
        About this run only.
    wait_seconds : float
        How long the answer may wait when there is no event yet.
    """

    since: int = 0
    types: tuple[EventType, ...] = ()
    sim_id: str | None = None
    limit: int = 1000
    wait_seconds: float = 0.0


def encode_event_query(query: EventQuery) -> list[tuple[str, str]]:
    """Return the parameters of the query string that asks ``query``."""
    pairs = [("since", str(query.since)), ("limit", str(query.limit))]
    pairs += [("types", kind.value) for kind in query.types]
    if query.sim_id is not None:
        pairs.append(("sim_id", query.sim_id))
    if query.wait_seconds:
        pairs.append(("wait_seconds", str(query.wait_seconds)))
    return pairs


def decode_event_query(pairs: Sequence[tuple[str, str]]) -> EventQuery:
    """Return what a query string asks.

    Raises
    ------
    InvalidArgumentError
        For a number that is none or out of range, an unknown type, or a parameter given twice.
    """
    single: dict[str, str] = {}
    types: list[EventType] = []
    for name, text in pairs:
        if name == "types":
            types += event_types(text)
        elif name in single:
            raise InvalidArgumentError(f"The parameter {name!r} is given twice.")
        else:
            single[name] = text
    default = EventQuery()
    return EventQuery(
        since=int(_number(single, "since", default.since, 0, 2**62)),
        types=tuple(types),
        sim_id=single.get("sim_id"),
        limit=int(_number(single, "limit", default.limit, 1, 10_000)),
        wait_seconds=_number(single, "wait_seconds", 0, 0, LONGEST_WAIT_SECONDS),
    )


def _number(
    single: dict[str, str], name: str, default: float, smallest: float, largest: float
) -> float:
    text = single.get(name)
    if text is None:
        return default
    try:
        number = float(text) if name == "wait_seconds" else int(text)
    except ValueError:
        raise InvalidArgumentError(f"{name} should be a number, and is {text!r}.") from None
    # Written so that NaN, which is smaller than nothing, does not pass.
    if not smallest <= number <= largest:
        message = f"{name} should be between {smallest} and {largest}, and is {text!r}."
        raise InvalidArgumentError(message)
    return number
