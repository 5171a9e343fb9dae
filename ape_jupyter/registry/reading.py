"""Reading runs within a connection."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from ape_jupyter.errors import SimulationNotFoundError
from ape_jupyter.model.facets import FacetCounts, FacetOrder
from ape_jupyter.model.listing import RELEVANCE, SearchPage, SearchRequest
from ape_jupyter.model.query import QueryNode
from ape_jupyter.model.simulation import SimulationMetadata, Status
from ape_jupyter.registry import search
from ape_jupyter.registry.rows import StoredRuns, bindable, metadata_of, read_tags
from ape_jupyter.registry.schema import library_state, simulations, tags
from ape_jupyter.registry.search_index.facets import count_facet, fields_of
from ape_jupyter.registry.search_index.ranking import score_of
from ape_jupyter.registry.search_index.run_columns import RunColumns

__all__ = ["counted", "find", "in_pages", "maybe_one", "one", "page", "revision", "several"]

_column = simulations.c
_NAMED_AT_MOST = 5
_RUNS_AT_ONCE = 1_000
# No tag holds a comma.
_RUNS = sa.select(
    simulations,
    sa.select(sa.func.aggregate_strings(tags.c.tag, ","))
    .where(tags.c.sim_id == simulations.c.sim_id)
    .scalar_subquery()
    .label("tags"),
)
# Built once: opening a run is this query and two mapped files, and should take no longer.
_ONE_RUN = _RUNS.where(_column.sim_id == sa.bindparam("sim_id"))


def revision(connection: sa.Connection) -> int:
    """Return a number that grows with every change of the registry."""
    return int(connection.execute(sa.select(library_state.c.revision)).scalar_one())


def maybe_one(connection: sa.Connection, sim_id: str) -> SimulationMetadata | None:
    """Return the run with exactly this id, trashed or not; None when there is none."""
    row = connection.execute(_ONE_RUN, {"sim_id": sim_id}).mappings().one_or_none()
    return None if row is None else metadata_of(row, read_tags(row["tags"]))


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
) -> StoredRuns:
    """Return the runs for which a condition holds, in one query however many they are."""
    result = connection.execute(_RUNS.where(condition).order_by(*order))
    # Rows of the driver: to make those of SQLAlchemy takes as long as the query.
    rows = result.cursor.fetchall()
    result.close()
    return StoredRuns(tuple(result.keys()), rows)


def in_pages(
    connection: sa.Connection, sim_ids: Iterable[str]
) -> Iterator[Sequence[SimulationMetadata]]:
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


def counted(
    connection: sa.Connection, columns: RunColumns, facets: Sequence[FacetOrder]
) -> tuple[FacetCounts, ...]:
    """Return the counts of facets, of which most are about the same runs."""
    found: dict[QueryNode, NDArray[np.bool_]] = {}
    for order in facets:
        if order.tree not in found:
            condition = search.condition_of(order.tree, connection.dialect.name)
            found[order.tree] = columns.are_found(connection, condition)
    columns.read(connection, fields_of(facets))
    return tuple(count_facet(connection, columns, o, found[o.tree]) for o in facets)


def page(connection: sa.Connection, tree: QueryNode, request: SearchRequest) -> SearchPage:
    """Return one page of the runs that match, and how many match in all."""
    dialect = connection.dialect.name
    condition = search.condition_of(tree, dialect)
    total = connection.execute(search.count_query(tree, dialect)).scalar_one()
    score = score_of(tree, dialect)
    request = search.resolved(request, total, has_words=score is not None)
    if request.sort_by == RELEVANCE and score is not None:
        keys = search.ranked_query(condition, score, request)
    else:
        keys = search.page_query(condition, request, total, dialect)
    places = connection.execute(keys).all()
    shown = places[: request.limit]
    wanted = _RUNS.where(_column.sim_id.in_([place.sim_id for place in shown]))
    rows = {row["sim_id"]: row for row in connection.execute(wanted).mappings()}
    items = tuple(
        metadata_of(row, read_tags(row["tags"])) for row in (rows[place.sim_id] for place in shown)
    )
    more = len(places) > request.limit
    next_cursor = search.cursor_after(request, shown[-1]) if more else None
    return SearchPage(items=items, total=total, next_cursor=next_cursor)
