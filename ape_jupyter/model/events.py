"""What happened in a library, as its log tells it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from ape_jupyter.errors import InvalidArgumentError

__all__ = ["EventType", "SimulationEvent", "event_types"]


class EventType(StrEnum):
    """Kinds of events."""

    SIMULATION_REGISTERED = "simulation_registered"
    SIMULATION_LOADED = "simulation_loaded"
    SIMULATION_EVICTED = "simulation_evicted"
    SIMULATION_DELETED = "simulation_deleted"
    SIMULATION_RESTORED = "simulation_restored"
    SIMULATION_PURGED = "simulation_purged"
    METADATA_UPDATED = "metadata_updated"
    TAGS_CHANGED = "tags_changed"
    COMPARISON_STARTED = "comparison_started"
    COMPARISON_FINISHED = "comparison_finished"
    MEMORY_THRESHOLD_REACHED = "memory_threshold_reached"
    STATE_CORRUPTED = "state_corrupted"
    SEARCH_PERFORMED = "search_performed"
    SAVED_SEARCH_CHANGED = "saved_search_changed"
    TRANSACTION_ROLLED_BACK = "transaction_rolled_back"
    MIGRATION_APPLIED = "migration_applied"


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationEvent:
    """One entry of a library's log.

    Attributes
    ----------
    seq : int
        Place in the log; grows without gaps that a reader could miss.
    simulation_id : str or None
        The run it is about; None when it is about the library.
    data : mapping
        What changed, by type of event; JSON values.
    timestamp : datetime
        In UTC, for display; order is by ``seq``.
    user_id : str
        Who did it.
    """

    seq: int
    type: EventType
    simulation_id: str | None
    timestamp: datetime
    user_id: str
    data: Mapping[str, Any] = field(default_factory=dict)


def event_types(names: EventType | str | Iterable[EventType | str]) -> tuple[EventType, ...]:
    """Return the types that one or several names mean.

    Raises
    ------
    InvalidArgumentError
        If there is no such type.
    """
    wanted = [names] if isinstance(names, str) else list(names)
    try:
        return tuple(map(EventType, wanted))
    except ValueError:
        known = ", ".join(EventType)
        raise InvalidArgumentError(f"The types of event are: {known}; not {wanted}.") from None
