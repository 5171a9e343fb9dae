"""From a search request to SQL in which every value is bound."""

from __future__ import annotations

import base64
import binascii
import json
import math
import sys
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.model.listing import INDEXED_ORDERS, RELEVANCE, SORT_COLUMNS, SearchRequest
from ape_jupyter.model.query import Flagged, QueryNode, SameText, Words, leaves
from ape_jupyter.model.simulation import Status
from ape_jupyter.registry.rows import bindable
from ape_jupyter.registry.schema import simulations
from ape_jupyter.registry.search_index.conditions import (
    condition_on_runs,
    count_of_listed,
    unindexed,
)

__all__ = [
    "LISTED",
    "MAX_PAGE",
    "condition_of",
    "count_query",
    "cursor_after",
    "page_query",
    "ranked_query",
    "resolved",
]

MAX_PAGE = 1000

_FOREIGN_CURSOR = "The cursor belongs to another search; start from the first page."
# The largest that both databases hold in an integer.
_MAX_INTEGER = 2**63 - 1
_CURSOR_HEAD = 2
_NEWEST = "created_at"

_column = simulations.c
# Damaged runs stay in sight: who looks for one should learn what happened to it.
LISTED = _column.status != Status.TRASHED.value
# With more matches than these, they stand close enough in an index of the wanted order to be
# met there; fewer are sorted sooner than found there.
_MANY = 5_000
# Words that more runs have hardly tell them apart, and to rank them all would take long.
_RANKED_AT_MOST = 10_000


def condition_of(tree: QueryNode, dialect: str) -> sa.ColumnElement[bool]:
    """Return what a run must satisfy to match.

    Runs in the trash are found only by who asks for a status.
    """
    condition = condition_on_runs(tree, dialect, datetime.now(UTC))
    if any(map(_is_about_status, leaves(tree))):
        return condition
    return sa.and_(LISTED, condition)


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


def resolved(request: SearchRequest, total: int, *, has_words: bool) -> SearchRequest:
    """Return a request that says by what it is sorted: relevance can come down to newest first.

    Parameters
    ----------
    total : int
        How many runs match.
    has_words : bool
        Whether there is something to rank them by.

    Raises
    ------
    InvalidArgumentError
        If the order, the limit or the cursor is none.
    """
    if request.sort_by not in (RELEVANCE, *SORT_COLUMNS):
        known = ", ".join((RELEVANCE, *SORT_COLUMNS))
        raise InvalidArgumentError(f"Can not sort by {request.sort_by!r}, only by: {known}.")
    if not 1 <= request.limit <= MAX_PAGE:
        message = f"The limit must be between 1 and {MAX_PAGE}, not {request.limit}."
        raise InvalidArgumentError(message)
    if request.sort_by != RELEVANCE:
        return request
    is_ranked = total <= _RANKED_AT_MOST
    if request.cursor is not None:
        # As the first page was, however many have come in since.
        is_ranked = _parts(request.cursor)[0] == RELEVANCE
    return request if has_words and is_ranked else replace(request, sort_by=_NEWEST)


def ranked_query(
    condition: sa.ColumnElement[bool], score: sa.ColumnElement[int], request: SearchRequest
) -> sa.Select[Any]:
    """Return the query for the places of one page by relevance, and one more."""
    found = (
        sa.select(score.label(RELEVANCE), _column[_NEWEST], _column.sim_id)
        .where(condition)
        .subquery()
    )
    return _paged(sa.select(found), list(found.c), request)


def page_query(
    condition: sa.ColumnElement[bool], request: SearchRequest, total: int, dialect: str
) -> sa.Select[Any]:
    """Return the query for the places of one page by a column, and one more.

    Parameters
    ----------
    total : int
        How many runs match. No database guesses well how many a search will find, so it is
        counted first, and SQLite told which way to go.
    """
    key = [_sorted_by(request), _column.sim_id]
    query = sa.select(*key).where(condition)
    columns: list[sa.ColumnElement[Any]] = list(key)
    is_indexed = request.sort_by in INDEXED_ORDERS
    if is_indexed and total > _MANY:
        index = f"INDEXED BY simulations_by_{request.sort_by}"
        query = query.with_hint(simulations, index, "sqlite")
    elif is_indexed and dialect == "sqlite":
        columns = list(map(unindexed, columns))
    return _paged(query, columns, request)


def _sorted_by(request: SearchRequest) -> sa.ColumnElement[Any]:
    """Return the column, with a value that comes last for runs that have none."""
    column = _column[request.sort_by]
    if not column.nullable:
        return column
    if column.type.python_type is str:
        last: str | int | float = "" if request.descending else chr(sys.maxunicode)
    elif column.type.python_type is int:
        last = -_MAX_INTEGER if request.descending else _MAX_INTEGER
    else:
        last = -sys.float_info.max if request.descending else sys.float_info.max
    value: sa.ColumnElement[Any] = sa.func.coalesce(column, sa.literal(last, column.type))
    return value.label(request.sort_by)


def _paged(
    query: sa.Select[Any], columns: list[sa.ColumnElement[Any]], request: SearchRequest
) -> sa.Select[Any]:
    if request.cursor is not None:
        key, position = sa.tuple_(*columns), sa.tuple_(*_decoded(request))
        query = query.where(key < position if request.descending else key > position)
    order = [column.desc() if request.descending else column.asc() for column in columns]
    return query.order_by(*order).limit(request.limit + 1)


def cursor_after(request: SearchRequest, place: sa.Row[Any]) -> str:
    """Return the cursor of the page that starts after a place of this one."""
    position = [request.sort_by, request.descending, *place]
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode()


def _parts(cursor: str) -> list[Any]:
    try:
        parts: Any = json.loads(base64.urlsafe_b64decode(cursor.encode()))
    except (ValueError, binascii.Error):
        parts = None
    if isinstance(parts, list) and len(parts) > _CURSOR_HEAD:
        return parts
    raise InvalidArgumentError(_FOREIGN_CURSOR)


def _decoded(request: SearchRequest) -> list[Any]:
    sort_by, descending, *values = _parts(request.cursor or "")
    if (sort_by, descending) == (request.sort_by, request.descending):
        kinds = [_column[sort_by].type.python_type] if sort_by != RELEVANCE else [int, str]
        kinds.append(str)
        if len(values) == len(kinds) and all(map(_fits, values, kinds)):
            return [bindable(value) if isinstance(value, str) else value for value in values]
    raise InvalidArgumentError(_FOREIGN_CURSOR)


def _fits(value: Any, kind: type) -> bool:
    if isinstance(value, str) or kind is str:
        return isinstance(value, str) and kind is str
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if isinstance(value, float):
        return kind is float and math.isfinite(value)
    return is_number and abs(value) <= _MAX_INTEGER
