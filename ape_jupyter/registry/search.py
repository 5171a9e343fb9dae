"""From a search request to SQL in which every value is bound."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

import sqlalchemy as sa

from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.model.listing import SORT_COLUMNS, SearchRequest
from ape_jupyter.model.simulation import Status
from ape_jupyter.registry.rows import bindable
from ape_jupyter.registry.schema import simulations, tags

__all__ = ["FILTERS", "MAX_PAGE", "conditions", "cursor_after", "page_query"]

MAX_PAGE = 1000

_column = simulations.c
# Damaged runs stay in sight: who looks for one should learn what happened to it.
_LISTED = (Status.AVAILABLE.value, Status.QUARANTINED.value)
FILTERS: dict[str, sa.Column[Any]] = {
    "name": _column.name,
    "protocol": _column.protocol_name,
    "protocol_name": _column.protocol_name,
    "protocol_version": _column.protocol_version,
    "protocol_digest": _column.protocol_digest,
    "engine": _column.engine_type,
    "engine_type": _column.engine_type,
    "model": _column.model_type,
    "model_type": _column.model_type,
    "owner": _column.owner,
    "seed": _column.seed,
    "n_patients": _column.n_patients,
    "duration_years": _column.duration_years,
    "source": _column.source,
    "has_costs": _column.has_costs,
    "has_resources": _column.has_resources,
    "parent": _column.parent,
}


def conditions(request: SearchRequest) -> list[sa.ColumnElement[bool]]:
    """Return what a run must satisfy to match."""
    result: list[sa.ColumnElement[bool]] = [_column.status.in_(_LISTED)]
    for word in bindable(request.query).casefold().split():
        result.append(_column.search_text.contains(word, autoescape=True))
    for field, values in request.filters:
        if field in ("tag", "tags"):
            for value in values:
                carrying = sa.select(tags.c.sim_id).where(
                    tags.c.tag_key == bindable(str(value)).casefold()
                )
                result.append(_column.sim_id.in_(carrying))
        elif field in FILTERS:
            column = FILTERS[field]
            result.append(column.in_([_bindable(column, field, value) for value in values]))
        else:
            known = ", ".join(sorted([*FILTERS, "tag"]))
            raise InvalidArgumentError(f"There is no filter {field!r}. Filters are: {known}.")
    return result


def _bindable(column: sa.Column[Any], field: str, value: Any) -> Any:
    """Accept ``"200"`` for 200 and ``"true"`` for True: filters also come from URLs."""
    kind = column.type.python_type
    try:
        if kind is bool and isinstance(value, str):
            return {"true": True, "false": False}[value.casefold()]
        return bindable(str(value)) if kind is str else kind(value)
    except (ValueError, KeyError, TypeError) as error:
        message = f"The filter {field!r} takes a value of type {kind.__name__}, not {value!r}."
        raise InvalidArgumentError(message) from error


def page_query(request: SearchRequest) -> sa.Select[Any]:
    """Return the query for one page, one row longer than the page to see whether more follow."""
    if request.sort_by not in SORT_COLUMNS:
        known = ", ".join(SORT_COLUMNS)
        raise InvalidArgumentError(f"Can not sort by {request.sort_by!r}, only by: {known}.")
    if not 1 <= request.limit <= MAX_PAGE:
        message = f"The limit must be between 1 and {MAX_PAGE}, not {request.limit}."
        raise InvalidArgumentError(message)
    key = sa.tuple_(_column[request.sort_by], _column.sim_id)
    query = sa.select(simulations).where(*conditions(request))
    if request.cursor is not None:
        position = sa.tuple_(*_decoded(request))
        query = query.where(key < position if request.descending else key > position)
    order = [_column[request.sort_by], _column.sim_id]
    query = query.order_by(*(c.desc() if request.descending else c.asc() for c in order))
    return query.limit(request.limit + 1)


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
