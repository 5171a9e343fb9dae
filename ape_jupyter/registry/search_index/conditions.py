"""From the tree of a search to a condition on runs, in which every value is bound.

Each part is either true or false, never unknown: otherwise the opposite of a condition on
something that a run does not have would be unknown too, and the run in neither result.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.sql.elements import UnaryExpression
from sqlalchemy.sql.operators import custom_op

from ape_jupyter.model.query import (
    Age,
    AllOf,
    AnyOf,
    Flagged,
    NoneOf,
    QueryNode,
    Range,
    SameText,
    Tagged,
    Within,
    Words,
    is_parameter,
)
from ape_jupyter.model.simulation import Source, Status
from ape_jupyter.registry.rows import stored_time
from ape_jupyter.registry.schema import simulations, tags
from ape_jupyter.registry.search_index.tables import parameter_paths, parameters
from ape_jupyter.registry.search_index.words import contains, has_all_words, has_one_of_words

__all__ = ["begins", "carries", "condition_on_runs", "count_of_listed", "unindexed"]

_column = simulations.c
_MIN_INTEGER, _MAX_INTEGER = -(2**63), 2**63 - 1
# No characters lie between these.
_FIRST_SURROGATE, _AFTER_SURROGATES = 0xD800, 0xE000
_FLAGS: dict[str, sa.ColumnElement[bool]] = {
    "is:pinned": _column.is_pinned,
    "has:costs": _column.has_costs,
    "has:resources": _column.has_resources,
    "has:tags": _column.number.in_(sa.select(tags.c.number)),
    "has:notes": _column.notes != "",
    "has:seed": _column.seed.is_not(None),
    "has:parent": _column.parent.is_not(None),
    "has:protocol": _column.protocol_digest != "",
}
_FLAGS |= {f"is:{source.value}": _column.source == source.value for source in Source}
_FLAGS |= {f"is:{status.value}": _column.status == status.value for status in Status}


def condition_on_runs(tree: QueryNode, dialect: str, now: datetime) -> sa.ColumnElement[bool]:
    """Return the condition on ``simulations`` that a run is one that a search asks for.

    Parameters
    ----------
    dialect : str
        ``"sqlite"`` or ``"postgresql"``.
    now : datetime
        From when ages count.
    """
    is_alone = not isinstance(tree, AllOf | AnyOf | NoneOf)
    return _Compilation(dialect, now, is_alone).condition(tree)


def count_of_listed(tree: QueryNode, dialect: str, now: datetime) -> sa.Select[int] | None:
    """Return the query for how many runs outside the trash match, if no run need be looked at.

    Most searches can be counted so, several times as fast; None when this one can not.
    """
    return _Compilation(dialect, now, is_alone=False).count(tree)


def _is_indexed(node: QueryNode) -> bool:
    """Tell whether a node asks for words in the texts of runs."""
    return isinstance(node, Words) and not (node.field and is_parameter(node.field))


def unindexed(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Return how SQLite writes that a column is not to be looked up in an index of its own."""
    return UnaryExpression(column, operator=custom_op("+"), type_=column.type)


@dataclass(frozen=True, slots=True)
class _Compilation:
    dialect: str
    now: datetime
    is_alone: bool

    def condition(self, node: QueryNode) -> sa.ColumnElement[bool]:
        match node:
            case AllOf(operands):
                return sa.and_(sa.true(), *self.parts(operands, AllOf))
            case AnyOf(operands):
                return sa.or_(sa.false(), *self.parts(operands, AnyOf))
            case NoneOf(operand):
                return sa.not_(self.condition(operand))
            case _:
                found = self.numbers(node)
                return self.leaf(node) if found is None else _column.number.in_(found)

    def parts(
        self, operands: Sequence[QueryNode], combine: type[AllOf | AnyOf]
    ) -> list[sa.ColumnElement[bool]]:
        """Return the conditions of operands, of which all words are one question to the index."""
        words = tuple(filter(_is_indexed, operands))
        others = [self.condition(operand) for operand in operands if not _is_indexed(operand)]
        found = self.numbers(combine(words)) if words else None
        return others if found is None else [_column.number.in_(found), *others]

    def numbers(self, node: QueryNode) -> sa.Select[int] | None:
        """Return the query for the numbers of the runs; None when it has to look at the runs."""
        match node:
            case AllOf(operands) if operands and all(map(_is_indexed, operands)):
                return has_all_words(cast("Sequence[Words]", operands), self.dialect)
            case AnyOf(operands) if operands and all(map(_is_indexed, operands)):
                return has_one_of_words(cast("Sequence[Words]", operands), self.dialect)
            case Words() if _is_indexed(node):
                return has_all_words([node], self.dialect)
            case Words(field):
                words = contains(parameters.c.words, node, self.dialect)
                return _with_parameter(field or "", words)
            case SameText(field, text) if is_parameter(field):
                return _with_parameter(field, parameters.c.text == text)
            case Range(field) if is_parameter(field):
                value = parameters.c.value
                return _with_parameter(field, _known(value, _between_floats(value, node)))
            case Tagged():
                return sa.select(tags.c.number).where(carries(node))
            case _:
                return None

    def count(self, tree: QueryNode) -> sa.Select[int] | None:
        """Return the query for how many listed runs match, from sets of numbers only."""
        operands = tree.operands if isinstance(tree, AllOf) else (tree,)
        words = tuple(filter(_is_indexed, operands))
        wanted = [self.numbers(AllOf(words))] if words else []
        unwanted = []
        for operand in operands:
            if isinstance(operand, NoneOf):
                unwanted.append(self.numbers(operand.operand))
            elif not _is_indexed(operand):
                wanted.append(self.numbers(operand))
        if not wanted or None in (*wanted, *unwanted):
            return None
        first, *others = (found.subquery() for found in wanted if found is not None)
        (number,) = first.c
        # Of several tags, or elements of a list, a run can have more than one.
        n_runs = sa.func.count() if words else sa.func.count(number.distinct())
        query = sa.select(n_runs).select_from(first)
        # Looked up by number, the full-text index would be asked anew for every run.
        met = unindexed(number) if self.dialect == "sqlite" else number
        query = query.where(*(met.in_(sa.select(*other.c)) for other in others))
        query = query.where(*(number.not_in(found) for found in unwanted if found is not None))
        trashed = sa.select(_column.number).where(_column.status == Status.TRASHED.value)
        return query.where(number.not_in(trashed))

    def leaf(self, node: QueryNode) -> sa.ColumnElement[bool]:
        match node:
            case SameText(field, text):
                return _known(_column[field], _column[field] == text)
            case Flagged(flag):
                return _FLAGS[flag]
            case Range(field):
                return self.range_condition(node, field)
            case Within(field, since, until):
                column = self.compared(field)
                ends: list[sa.ColumnElement[bool]] = [sa.true()]
                if since is not None:
                    ends.append(column >= self.stored(since))
                if until is not None:
                    ends.append(column < self.stored(until))
                return _known(column, sa.and_(*ends))
            case _:
                raise TypeError(f"{type(node).__name__} is no condition on a column")

    def compared(self, field: str) -> sa.ColumnElement[Any]:
        """Return a column to be compared: of several, the index of one would lead to all rows."""
        column = _column[field]
        return column if self.is_alone or self.dialect != "sqlite" else unindexed(column)

    def range_condition(self, node: Range, field: str) -> sa.ColumnElement[bool]:
        column = self.compared(field.removeprefix("headline."))
        if column.type.python_type is float:
            return _known(column, _between_floats(column, node))
        return _known(column, _between_integers(column, node))

    def stored(self, end: datetime | Age) -> str:
        return stored_time(self.now - end.value if isinstance(end, Age) else end)


def _known(
    column: sa.ColumnElement[Any], condition: sa.ColumnElement[bool]
) -> sa.ColumnElement[bool]:
    return sa.and_(column.is_not(None), condition)


def _with_parameter(path: str, condition: sa.ColumnElement[bool]) -> sa.Select[int]:
    of_path = sa.select(parameter_paths.c.path_id).where(parameter_paths.c.path == path)
    return sa.select(parameters.c.number).where(
        parameters.c.path_id == of_path.scalar_subquery(), condition
    )


def carries(node: Tagged, key: sa.ColumnElement[str] = tags.c.tag_key) -> sa.ColumnElement[bool]:
    """Return the condition on a key of ``tags``, or of another table, that it is one asked for."""
    match node.reach:
        case "tag":
            return key == node.key
        case "branch":
            return sa.or_(key == node.key, begins(key, f"{node.key}/"))
        case _:
            return begins(key, node.key)


def begins(column: sa.ColumnElement[str], prefix: str) -> sa.ColumnElement[bool]:
    """Compare by order, which an index can: both databases sort these texts by code point."""
    last = ord(prefix[-1])
    if last == sys.maxunicode:
        return column >= prefix
    following = chr(_AFTER_SURROGATES if last + 1 == _FIRST_SURROGATE else last + 1)
    return sa.and_(column >= prefix, column < f"{prefix[:-1]}{following}")


def _between_floats(column: sa.ColumnElement[Any], node: Range) -> sa.ColumnElement[bool]:
    ends: list[sa.ColumnElement[bool]] = [sa.true()]
    if node.low is not None:
        low = float(node.low)
        ends.append(column >= low if node.has_low else column > low)
    if node.high is not None:
        high = float(node.high)
        ends.append(column <= high if node.has_high else column < high)
    return sa.and_(*ends)


def _between_integers(column: sa.ColumnElement[Any], node: Range) -> sa.ColumnElement[bool]:
    """Compare with whole numbers: to compare with others, PostgreSQL would round the column."""
    low, high = _MIN_INTEGER, _MAX_INTEGER
    if node.low is not None:
        low = math.ceil(node.low)
        low += low == node.low and not node.has_low
    if node.high is not None:
        high = math.floor(node.high)
        high -= high == node.high and not node.has_high
    if low > _MAX_INTEGER or high < _MIN_INTEGER:
        return sa.false()
    return column.between(max(low, _MIN_INTEGER), min(high, _MAX_INTEGER))
