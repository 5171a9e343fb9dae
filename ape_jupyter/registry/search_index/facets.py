"""Counting the runs for which a condition holds by what they are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import sqlalchemy as sa

from ape_jupyter.model.facets import (
    MAX_FACET_VALUES,
    FacetCount,
    FacetCounts,
    FacetOrder,
    FacetSource,
    histogram_edges,
)
from ape_jupyter.registry.schema import simulations, tags
from ape_jupyter.registry.search_index.tables import parameter_paths, parameters

__all__ = ["count_facet"]

_column = simulations.c
_FIRST_OF_YEAR, _YEAR_CHARACTERS = 1, 4


def count_facet(
    connection: sa.Connection, order: FacetOrder, condition: sa.ColumnElement[bool]
) -> FacetCounts:
    """Count the runs for which a condition on ``simulations`` holds.

    The number of statements does not depend on how many runs or values there are.
    """
    match order.source:
        case FacetSource.TEXT:
            return _by_value(connection, _column[order.field], condition)
        case FacetSource.TRUTH:
            text = sa.case((_column[order.field], "true"), else_="false")
            return _by_value(connection, text, condition)
        case FacetSource.YEAR:
            year = sa.func.substr(_column[order.field], _FIRST_OF_YEAR, _YEAR_CHARACTERS)
            return _by_value(connection, year, condition, by_count=False)
        case FacetSource.TAG:
            return _by_tag(connection, condition)
        case FacetSource.NUMBER:
            column = _column[order.field.removeprefix("headline.")]
            rows = sa.select(column.label("value")).where(condition).subquery()
            whole = column.type.python_type is int
            return _by_range(connection, rows, order.edges, is_whole=whole)
        case FacetSource.PARAMETER:
            return _by_parameter(connection, order.field, condition)


def _by_value(
    connection: sa.Connection,
    column: sa.ColumnElement[Any],
    condition: sa.ColumnElement[bool],
    *,
    by_count: bool = True,
) -> FacetCounts:
    # Named first: PostgreSQL takes an expression with bound values for another one each time.
    values = sa.select(column.label("value")).where(condition).subquery().c.value
    grouped = sa.select(values, sa.func.count().label("n")).group_by(values).subquery()
    return _counted(connection, grouped, by_count=by_count)


def _counted(
    connection: sa.Connection, grouped: sa.Subquery, *, by_count: bool = True
) -> FacetCounts:
    """Read the values with their numbers of runs; no text is no value."""
    value, n = grouped.c.value, grouped.c.n
    is_missing = sa.case((sa.or_(value.is_(None), value == ""), 1), else_=0)
    order = [n.desc(), value] if by_count else [value.desc()]
    rows = connection.execute(
        sa.select(
            value,
            n,
            sa.func.sum(is_missing * n).over(),
            sa.func.sum(1 - is_missing).over(),
        )
        .order_by(is_missing, *order)
        .limit(MAX_FACET_VALUES)
    ).all()
    counts = tuple(FacetCount(count, value) for value, count, *_ in rows if value)
    n_without, n_values = rows[0][2:] if rows else (0, 0)
    return FacetCounts(counts, int(n_without), int(n_values))


def _by_tag(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> FacetCounts:
    found = sa.select(_column.number).where(condition)
    grouped = (
        # Of the spellings in use, the first in order stands for all.
        sa.select(sa.func.min(tags.c.tag).label("value"), sa.func.count().label("n"))
        .where(tags.c.number.in_(found))
        .group_by(tags.c.tag_key)
        .subquery()
    )
    counted = _counted(connection, grouped)
    untagged = sa.select(sa.func.count()).select_from(simulations)
    untagged = untagged.where(condition, _column.number.not_in(sa.select(tags.c.number)))
    n_without = connection.execute(untagged).scalar_one()
    return FacetCounts(counted.counts, n_without, counted.n_values)


def _by_parameter(
    connection: sa.Connection, path: str, condition: sa.ColumnElement[bool]
) -> FacetCounts:
    """Count by a parameter: by ranges where it has numbers, else by its texts."""
    of_path = sa.select(parameter_paths.c.path_id).where(parameter_paths.c.path == path)
    found = (
        sa.select(parameters.c.number.label("run"), parameters.c.value, parameters.c.text)
        .join(simulations, simulations.c.number == parameters.c.number)
        .where(parameters.c.path_id == of_path.scalar_subquery(), condition)
    )
    numbers = found.where(parameters.c.value.is_not(None))
    if connection.execute(numbers.limit(1)).first() is not None:
        rows = numbers.subquery()
        counted = _by_range(connection, rows, (), is_whole=False)
    else:
        rows = found.subquery()
        texts = sa.select(rows.c.text.label("value"), _n_runs(rows).label("n"))
        counted = _counted(connection, texts.group_by(rows.c.text).subquery())
    n_with = connection.execute(sa.select(_n_runs(rows))).scalar_one()
    n_found = sa.select(sa.func.count()).select_from(simulations).where(condition)
    return replace(counted, n_without=connection.execute(n_found).scalar_one() - n_with)


def _by_range(
    connection: sa.Connection, rows: sa.Subquery, edges: Sequence[float], *, is_whole: bool
) -> FacetCounts:
    """Count by numbers; of ranges that were given, only those that have some."""
    value = rows.c.value
    n_missing = sa.func.count() - sa.func.count(value)
    ends = sa.select(sa.func.min(value), sa.func.max(value), n_missing).select_from(rows)
    low, high, n_without = connection.execute(ends).one()
    if low is None:
        return FacetCounts((), n_without, 0)
    bins = list(pairwise(edges or histogram_edges(low, high, is_whole=is_whole)))
    *below, _ = (
        # As floats, for PostgreSQL would take all for what the first one is.
        (value < sa.literal(upper, sa.Float), index)
        for index, (_, upper) in enumerate(bins)
    )
    number = sa.case(*below, else_=len(bins) - 1) if below else sa.literal(0)
    in_bin = sa.select(*rows.c, number.label("bin")).where(value.is_not(None)).subquery()
    query = sa.select(in_bin.c.bin, _n_runs(in_bin)).group_by(in_bin.c.bin)
    counts: dict[int, int] = dict(map(tuple, connection.execute(query)))
    found = tuple(
        FacetCount(counts.get(index, 0), low=_finite(lower), high=_finite(upper))
        for index, (lower, upper) in enumerate(bins)
        if not edges or index in counts
    )
    return FacetCounts(found, n_without, len(found))


def _n_runs(rows: sa.Subquery) -> sa.ColumnElement[int]:
    """Return how many runs rows are of; a parameter can have several values in one run."""
    return sa.func.count(rows.c.run.distinct()) if "run" in rows.c else sa.func.count()


def _finite(edge: float) -> float | None:
    return edge if math.isfinite(edge) else None
