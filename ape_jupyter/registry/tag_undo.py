"""Taking a change of tags back.

What was changed stands in the log, run by run. So an undo knows exactly what the change did,
also after a restart, and what others did to the same tags since: that stays.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TypeAlias

import sqlalchemy as sa

from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.model.events import EventType, SimulationEvent
from ape_jupyter.model.simulation import SimulationMetadata
from ape_jupyter.model.tags import TagsChanged, tag_key
from ape_jupyter.registry import events, reading, tag_details
from ape_jupyter.registry.recorded import record_changes

__all__ = ["undo"]

Spelling: TypeAlias = str | None
Reversal: TypeAlias = dict[str, tuple[Spelling, Spelling]]
"""By key, how a tag was spelt before a change and after it; None where it was not there."""


def undo(connection: sa.Connection, change: int, user: str) -> TagsChanged:
    """Take a change back within the writing connection; see ``WithTagging.undo_tags``."""
    newest = events.last_seq(connection)
    told = list(_events_of(connection, change)) if 0 < change <= newest else []
    if not told:
        raise InvalidArgumentError(
            f"The history has no change of tags with the number {change}; it may be forgotten."
        )
    last = told[-1].seq
    number = newest + 1
    reversals: dict[str, Reversal] = {}
    for event in told:
        if event.simulation_id is not None:
            _compose(reversals.setdefault(event.simulation_id, {}), event)
    n_runs = n_left = 0
    for runs in reading.in_pages(connection, reversals):
        touched = _touched_since(connection, [run.sim_id for run in runs], last)
        changed = []
        for run in runs:
            before, is_whole = _reversed(run, reversals[run.sim_id], touched.get(run.sim_id, ()))
            n_left += not is_whole
            if before != run:
                changed.append((run, before))
        record_changes(connection, changed, user, change=number, undoes=change)
        n_runs += len(changed)
    _restore_colours(connection, told, {"change": number, "undoes": change}, user)
    has_changed = events.last_seq(connection) >= number
    return TagsChanged(change=number if has_changed else None, n_runs=n_runs, n_left=n_left)


def _events_of(connection: sa.Connection, change: int) -> Iterator[SimulationEvent]:
    """Yield the events of a change, which follow one another."""
    since = change - 1
    while True:
        page = events.read(connection, since, [EventType.TAGS_CHANGED])
        for event in page:
            if event.data.get("change") != change:
                return
            yield event
        if not page:
            return
        since = page[-1].seq


def _spellings(event: SimulationEvent, side: str) -> dict[str, str]:
    return {tag_key(tag): tag for tag in event.data[side]["tags"]}


def _compose(reversal: Reversal, event: SimulationEvent) -> None:
    """Add what an event tells to what the events of the same change before it told."""
    before, after = _spellings(event, "before"), _spellings(event, "after")
    for key in {**before, **after}:
        if before.get(key) != after.get(key):
            first, _ = reversal.get(key, (before.get(key), None))
            reversal[key] = (first, after.get(key))


def _touched_since(
    connection: sa.Connection, sim_ids: Iterable[str], seq: int
) -> dict[str, set[str]]:
    """Return the keys of the tags that somebody changed after an event, by run.

    What was changed and undone since was not changed: a user can undo one step after another.
    """
    touched: dict[str, set[str]] = {}
    undone: set[tuple[str, int]] = set()
    for event in reversed(events.of_runs(connection, sim_ids, seq, EventType.TAGS_CHANGED)):
        sim_id, undoes = str(event.simulation_id), event.data.get("undoes", 0)
        if (sim_id, event.data.get("change", 0)) in undone:
            continue
        if undoes > seq:
            undone.add((sim_id, undoes))
            continue
        reversal: Reversal = {}
        _compose(reversal, event)
        touched.setdefault(sim_id, set()).update(reversal)
    return touched


def _reversed(
    run: SimulationMetadata, reversal: Reversal, touched: Container[str]
) -> tuple[SimulationMetadata, bool]:
    """Return a run without a change, and whether nothing of the change is left."""
    tags = {tag_key(tag): tag for tag in run.tags}
    is_whole = True
    for key, (before, after) in reversal.items():
        # A run that was purged and came in again has nothing of the change.
        if key in touched or tags.get(key) != after:
            is_whole = False
            continue
        tags.pop(key, None)
        if before is not None:
            tags[key] = before
    return replace(run, tags=tuple(sorted(tags.values(), key=str.casefold))), is_whole


def _restore_colours(
    connection: sa.Connection, told: Iterable[SimulationEvent], data: Mapping[str, int], user: str
) -> None:
    known: Mapping[str, str] = tag_details.colours(connection)
    wanted = {
        key: colour
        for event in told
        if event.simulation_id is None
        for key, colour in event.data["before"]["colours"].items()
        if known.get(key) == event.data["after"]["colours"][key]
    }
    tag_details.set_colours(connection, wanted, data, user)
