"""How often tags are used, and their colours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from ape_jupyter.model.events import EventType
from ape_jupyter.model.listing import TagCount
from ape_jupyter.model.query import Tagged
from ape_jupyter.model.simulation import Status
from ape_jupyter.registry import events
from ape_jupyter.registry.recorded import count_changes
from ape_jupyter.registry.schema import simulations, tag_details, tags
from ape_jupyter.registry.search_index.conditions import carries

__all__ = ["colours", "counts", "set_colours"]


def counts(connection: sa.Connection) -> list[TagCount]:
    """Return the tags of runs outside the trash and those above them, the most used first."""
    listed = (
        sa.select(tags)
        .join(simulations, simulations.c.sim_id == tags.c.sim_id)
        .where(simulations.c.status != Status.TRASHED.value)
    )
    # Of the spellings in use, the first in order stands for all.
    per_tag = listed.with_only_columns(
        tags.c.tag_key, sa.func.min(tags.c.tag), sa.func.count()
    ).group_by(tags.c.tag_key)
    used = {key: (tag, count) for key, tag, count in connection.execute(per_tag)}
    names = {key: tag for key, (tag, _) in used.items()}
    totals = {key: count for key, (_, count) in used.items()}
    for key, tag in sorted(names.items()):
        levels, levels_of_key = tag.split("/"), key.split("/")
        for depth in range(1, len(levels)):
            names.setdefault("/".join(levels_of_key[:depth]), "/".join(levels[:depth]))
    for above in {key.rpartition("/")[0] for key in names if "/" in key}:
        once = sa.func.count(tags.c.sim_id.distinct())
        branch = listed.with_only_columns(once).where(carries(Tagged(above, "branch")))
        totals[above] = connection.execute(branch).scalar_one()
    colour_of = colours(connection)
    found = [
        TagCount(
            tag=tag,
            count=used[key][1] if key in used else 0,
            total=totals[key],
            colour=colour_of.get(key),
        )
        for key, tag in sorted(names.items())
    ]
    return sorted(found, key=lambda entry: -entry.total)


def colours(connection: sa.Connection) -> dict[str, str]:
    """Return the colours of tags by their keys."""
    query = sa.select(tag_details.c.tag_key, tag_details.c.colour)
    return {row.tag_key: row.colour for row in connection.execute(query)}


def set_colours(
    connection: sa.Connection,
    wanted: Mapping[str, str | None],
    told: Mapping[str, Any],
    user: str,
) -> None:
    """Give tags colours or none, by their keys; the event has ``told`` beside before and after."""
    known = colours(connection)
    before = {key: known.get(key) for key in wanted if known.get(key) != wanted[key]}
    if not before:
        return
    after = {key: wanted[key] for key in before}
    connection.execute(sa.delete(tag_details).where(tag_details.c.tag_key.in_(list(before))))
    rows = [{"tag_key": key, "colour": colour} for key, colour in after.items() if colour]
    if rows:
        connection.execute(sa.insert(tag_details), rows)
    count_changes(connection, 1)
    data = {**told, "before": {"colours": before}, "after": {"colours": after}}
    events.append(connection, EventType.TAGS_CHANGED, None, data, user)
