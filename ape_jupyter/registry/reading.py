"""Reading runs within a connection."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from ape_jupyter.errors import SimulationNotFoundError
from ape_jupyter.model.listing import SearchPage, SearchRequest
from ape_jupyter.model.query import QueryNode
from ape_jupyter.model.simulation import SimulationMetadata, Status
from ape_jupyter.registry import search
from ape_jupyter.registry.rows import bindable, metadata_of
from ape_jupyter.registry.schema import simulations, tags

__all__ = ["find", "in_pages", "maybe_one", "one", "page", "several"]

_column = simulations.c
_NAMED_AT_MOST = 5
_RUNS_AT_ONCE = 1_000
# No tag holds a comma. Built once: opening a run is this query and two mapped files, and
# should take no longer.
_ONE_RUN = sa.select(
    simulations,
    sa.select(sa.func.aggregate_strings(tags.c.tag, ","))
    .where(tags.c.sim_id == simulations.c.sim_id)
    .scalar_subquery()
    .label("tags"),
).where(_column.sim_id == sa.bindparam("sim_id"))


def maybe_one(connection: sa.Connection, sim_id: str) -> SimulationMetadata | None:
    """Return the run with exactly this id, trashed or not; None when there is none."""
    row = connection.execute(_ONE_RUN, {"sim_id": sim_id}).mappings().one_or_none()
    if row is None:
        return None
    return metadata_of(row, row["tags"].split(",") if row["tags"] else ())


def one(connection: sa.Connection, sim_id: str) -> SimulationMetadata:
    """Return the run with exactly this id, trashed or not.

    Raises
    ------
    SimulationNotFoundError
        If there is none.
    """
    found = maybe_one(connection, bindable(sim_id))
    if found is None:
        raise SimulationNotFoundError(sim_id)
    return found


def several(
    connection: sa.Connection, condition: sa.ColumnElement[bool], *order: sa.ColumnElement[Any]
) -> list[SimulationMetadata]:
    """Return the runs for which a condition holds, in two queries however many they are."""
    query = sa.select(simulations).where(condition).order_by(*order)
    result = connection.execute(query)
    names = list(result.keys())
    chosen = sa.select(_column.sim_id).where(condition)
    run_tags = _tags_where(connection, tags.c.sim_id.in_(chosen))
    # Rows of the driver as they are: those of SQLAlchemy take longer than the query itself.
    rows = (dict(zip(names, row, strict=True)) for row in result.all())
    return [metadata_of(row, run_tags.get(row["sim_id"], ())) for row in rows]


def in_pages(
    connection: sa.Connection, sim_ids: Iterable[str]
) -> Iterator[list[SimulationMetadata]]:
    """Yield the runs with these ids that there are, some in memory at a time."""
    ids = sorted(sim_ids)
    for start in range(0, len(ids), _RUNS_AT_ONCE):
        chosen = _column.sim_id.in_(ids[start : start + _RUNS_AT_ONCE])
        yield several(connection, chosen, _column.sim_id)


def find(connection: sa.Connection, text: str) -> SimulationMetadata:
    """Return the one run that an id, a name, or a prefix of either means.

    Raises
    ------
    SimulationNotFoundError
        If no run is meant, or more than one.
    """
    text = bindable(text)
    exact = maybe_one(connection, text)
    if exact is not None and exact.status is not Status.TRASHED:
        return exact
    usable = _column.status != Status.TRASHED.value
    starting = _column.sim_id.startswith(text, autoescape=True)
    starting |= _column.name.startswith(text, autoescape=True)
    for condition in (_column.name == text, starting) if text else ():
        query = sa.select(_column.sim_id).where(usable, condition).limit(_NAMED_AT_MOST + 1)
        found = connection.execute(query).scalars().all()
        if len(found) == 1:
            return one(connection, found[0])
        if found:
            reason = f"{text!r} means more than one run; give more of the id."
            raise SimulationNotFoundError(text, found[:_NAMED_AT_MOST], reason)
    raise SimulationNotFoundError(text, _similar(connection, text))


def _similar(connection: sa.Connection, text: str) -> list[str]:
    query = sa.select(_column.sim_id, _column.name).order_by(_column.created_at.desc())
    rows = connection.execute(query.where(_column.status != Status.TRASHED.value).limit(2000))
    known = {name: name for row in rows for name in row}
    return difflib.get_close_matches(text, known, n=3, cutoff=0.6)


def page(connection: sa.Connection, tree: QueryNode, request: SearchRequest) -> SearchPage:
    """Return one page of the runs that match, and how many match in all."""
    condition = search.condition_of(tree, connection.dialect.name)
    rows = connection.execute(search.page_query(condition, request)).mappings().all()
    count = sa.select(sa.func.count()).select_from(simulations)
    total = connection.execute(count.where(condition)).scalar_one()
    shown = rows[: request.limit]
    run_tags = _tags_of(connection, [row["sim_id"] for row in shown])
    items = tuple(metadata_of(row, run_tags.get(row["sim_id"], ())) for row in shown)
    more = len(rows) > request.limit
    next_cursor = search.cursor_after(request, shown[-1]) if more else None
    return SearchPage(items=items, total=total, next_cursor=next_cursor)


def _tags_of(connection: sa.Connection, sim_ids: Sequence[str]) -> dict[str, list[str]]:
    return _tags_where(connection, tags.c.sim_id.in_(sim_ids))


def _tags_where(
    connection: sa.Connection, condition: sa.ColumnElement[bool]
) -> dict[str, list[str]]:
    result: dict[str, list[str]] = {}
    query = sa.select(tags.c.sim_id, tags.c.tag).where(condition)
    for sim_id, tag in connection.execute(query):
        result.setdefault(sim_id, []).append(tag)
    return result
