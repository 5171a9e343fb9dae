"""From a search request to SQL in which every value is bound."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.model.listing import SORT_COLUMNS, SearchRequest
from ape_jupyter.model.query import Flagged, QueryNode, SameText, Words, leaves
from ape_jupyter.model.simulation import Status
from ape_jupyter.registry.rows import bindable
from ape_jupyter.registry.schema import simulations
from ape_jupyter.registry.search_index.conditions import (
    condition_on_runs,
    count_of_listed,
    unindexed,
)

__all__ = ["MAX_PAGE", "condition_of", "count_query", "cursor_after", "in_order", "page_query"]

MAX_PAGE = 1000

_column = simulations.c
# Damaged runs stay in sight: who looks for one should learn what happened to it.
_LISTED = _column.status != Status.TRASHED.value
# With more matches than these, they stand close enough in an index of the wanted order to be
# met there; fewer are sorted sooner than found there.
_MANY = 5_000


def condition_of(tree: QueryNode, dialect: str) -> sa.ColumnElement[bool]:
    """Return what a run must satisfy to match.

    Runs in the trash are found only by who asks for a status.
    """
    condition = condition_on_runs(tree, dialect, datetime.now(UTC))
    if any(map(_is_about_status, leaves(tree))):
        return condition
    return sa.and_(_LISTED, condition)


def count_query(tree: QueryNode, dialect: str) -> sa.Select[int]:
    """Return the query for how many runs match."""
    quick = None
    if not any(map(_is_about_status, leaves(tree))):
        quick = count_of_listed(tree, dialect, datetime.now(UTC))
    if quick is not None:
        return quick
    runs = sa.select(sa.func.count()).select_from(simulations)
    return runs.where(condition_of(tree, dialect))


def _is_about_status(leaf: QueryNode) -> bool:
    match leaf:
        case Flagged(flag):
            return flag.removeprefix("is:") in set(Status)
        case Words(field) | SameText(field):
            return field == "status"
        case _:
            return False


def page_query(
    condition: sa.ColumnElement[bool], request: SearchRequest, total: int, dialect: str
) -> sa.Select[str]:
    """Return the query for the ids of one page, and one more to see whether more follow.

    Parameters
    ----------
    total : int
        How many runs match. No database guesses well how many a search will find, so it is
        counted first, and SQLite told which way to go.
    """
    if request.sort_by not in SORT_COLUMNS:
        known = ", ".join(SORT_COLUMNS)
        raise InvalidArgumentError(f"Can not sort by {request.sort_by!r}, only by: {known}.")
    if not 1 <= request.limit <= MAX_PAGE:
        message = f"The limit must be between 1 and {MAX_PAGE}, not {request.limit}."
        raise InvalidArgumentError(message)
    columns: list[sa.ColumnElement[Any]] = [_column[request.sort_by], _column.sim_id]
    query = sa.select(_column.sim_id).where(condition)
    if total > _MANY:
        index = f"INDEXED BY simulations_by_{request.sort_by}"
        query = query.with_hint(simulations, index, "sqlite")
    elif dialect == "sqlite":
        columns = list(map(unindexed, columns))
    if request.cursor is not None:
        key, position = sa.tuple_(*columns), sa.tuple_(*_decoded(request))
        query = query.where(key < position if request.descending else key > position)
    query = query.order_by(*in_order(columns, request))
    return query.limit(request.limit + 1)


def in_order(
    columns: Iterable[sa.ColumnElement[Any]], request: SearchRequest
) -> list[sa.ColumnElement[Any]]:
    """Return columns in the direction that is asked for."""
    return [column.desc() if request.descending else column.asc() for column in columns]


def cursor_after(request: SearchRequest, row: Any) -> str:
    """Return the cursor of the page that starts after ``row``."""
    position = [request.sort_by, request.descending, row[request.sort_by], row["sim_id"]]
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode()


def _decoded(request: SearchRequest) -> tuple[Any, str]:
    try:
        sort_by, descending, value, sim_id = json.loads(
            base64.urlsafe_b64decode((request.cursor or "").encode())
        )
        belongs = (sort_by, descending) == (request.sort_by, request.descending)
        kind = _column[request.sort_by].type.python_type
        fits = isinstance(value, kind) or (kind is float and isinstance(value, int))
        if belongs and fits and isinstance(sim_id, str):
            return bindable(value) if isinstance(value, str) else value, bindable(sim_id)
    except (ValueError, TypeError, binascii.Error):
        pass
    raise InvalidArgumentError("The cursor belongs to another search; start from the first page.")
