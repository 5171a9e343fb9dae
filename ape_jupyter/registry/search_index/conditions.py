"""From the tree of a search to a condition on runs, in which every value is bound.

Each part is either true or false, never unknown: otherwise the opposite of a condition on
something that a run does not have would be unknown too, and the run in neither result.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, assert_never

import sqlalchemy as sa

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
from ape_jupyter.registry.search_index.tables import parameter_paths, parameters, search_documents
from ape_jupyter.registry.search_index.words import contains, has_all_words, has_one_of_words

__all__ = ["carries", "condition_on_runs"]

_column = simulations.c
_MIN_INTEGER, _MAX_INTEGER = -(2**63), 2**63 - 1
# No characters lie between these.
_FIRST_SURROGATE, _AFTER_SURROGATES = 0xD800, 0xE000
_FLAGS: dict[str, sa.ColumnElement[bool]] = {
    "is:pinned": _column.is_pinned,
    "has:costs": _column.has_costs,
    "has:resources": _column.has_resources,
    "has:tags": _column.sim_id.in_(sa.select(tags.c.sim_id)),
    "has:notes": _column.notes != "",
    "has:seed": _column.seed.is_not(None),
    "has:parent": _column.parent.is_not(None),
    "has:protocol": _column.protocol_digest != "",
}
_FLAGS |= {f"is:{source.value}": _column.source == source.value for source in Source}
_FLAGS |= {f"is:{status.value}": _column.status == status.value for status in Status}

_WordsCondition = Callable[[Sequence[Words], str], sa.ColumnElement[bool]]


def condition_on_runs(tree: QueryNode, dialect: str, now: datetime) -> sa.ColumnElement[bool]:
    """Return the condition on ``simulations`` that a run is one that a search asks for.

    Parameters
    ----------
    dialect : str
        ``"sqlite"`` or ``"postgresql"``.
    now : datetime
        From when ages count.
    """
    return _Compilation(dialect, now).condition(tree)


@dataclass(frozen=True, slots=True)
class _Compilation:
    dialect: str
    now: datetime

    def condition(self, node: QueryNode) -> sa.ColumnElement[bool]:
        match node:
            case AllOf(operands):
                return sa.and_(sa.true(), *self.parts(operands, has_all_words))
            case AnyOf(operands):
                return sa.or_(sa.false(), *self.parts(operands, has_one_of_words))
            case NoneOf(operand):
                return sa.not_(self.condition(operand))
            case Words() if not (node.field and is_parameter(node.field)):
                return self.indexed([node], has_all_words)
            case _:
                return self.leaf(node)

    def parts(
        self, operands: Sequence[QueryNode], combine: _WordsCondition
    ) -> list[sa.ColumnElement[bool]]:
        """Return the conditions of operands, of which all words are one question to the index."""
        words, others = [], []
        for operand in operands:
            if isinstance(operand, Words) and not (operand.field and is_parameter(operand.field)):
                words.append(operand)
            else:
                others.append(self.condition(operand))
        return [self.indexed(words, combine), *others] if words else others

    def indexed(self, nodes: Sequence[Words], combine: _WordsCondition) -> sa.ColumnElement[bool]:
        return _among_documents(combine(nodes, self.dialect))

    def leaf(
        self, node: Words | SameText | Tagged | Flagged | Range | Within
    ) -> sa.ColumnElement[bool]:
        match node:
            case Words(field):
                return _with_parameter(
                    field or "", contains(parameters.c.words, node, self.dialect)
                )
            case SameText(field, text) if is_parameter(field):
                return _with_parameter(field, parameters.c.text == text)
            case SameText(field, text):
                return _known(_column[field], _column[field] == text)
            case Tagged():
                carrying = sa.select(tags.c.sim_id).where(carries(node))
                return _column.sim_id.in_(carrying)
            case Flagged(flag):
                return _FLAGS[flag]
            case Range(field):
                return _range_condition(node, field)
            case Within(field, since, until):
                column = _column[field]
                ends: list[sa.ColumnElement[bool]] = [sa.true()]
                if since is not None:
                    ends.append(column >= self.stored(since))
                if until is not None:
                    ends.append(column < self.stored(until))
                return _known(column, sa.and_(*ends))
            case _:
                assert_never(node)

    def stored(self, end: datetime | Age) -> str:
        return stored_time(self.now - end.value if isinstance(end, Age) else end)


def _known(
    column: sa.ColumnElement[Any], condition: sa.ColumnElement[bool]
) -> sa.ColumnElement[bool]:
    return sa.and_(column.is_not(None), condition)


def _among_documents(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    return _column.sim_id.in_(sa.select(search_documents.c.run_id).where(condition))


def _with_parameter(path: str, condition: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    of_path = sa.select(parameter_paths.c.path_id).where(parameter_paths.c.path == path)
    having = sa.select(parameters.c.number).where(
        parameters.c.path_id == of_path.scalar_subquery(), condition
    )
    return _among_documents(search_documents.c.number.in_(having))


def carries(node: Tagged, key: sa.ColumnElement[str] = tags.c.tag_key) -> sa.ColumnElement[bool]:
    """Return the condition on a key of ``tags``, or of another table, that it is one asked for."""
    match node.reach:
        case "tag":
            return key == node.key
        case "branch":
            return sa.or_(key == node.key, _begins(key, f"{node.key}/"))
        case _:
            return _begins(key, node.key)


def _begins(column: sa.ColumnElement[str], prefix: str) -> sa.ColumnElement[bool]:
    """Compare by order, which an index can: both databases sort these texts by code point."""
    last = ord(prefix[-1])
    if last == sys.maxunicode:
        return column >= prefix
    following = chr(_AFTER_SURROGATES if last + 1 == _FIRST_SURROGATE else last + 1)
    return sa.and_(column >= prefix, column < f"{prefix[:-1]}{following}")


def _range_condition(node: Range, field: str) -> sa.ColumnElement[bool]:
    if is_parameter(field):
        column: sa.ColumnElement[Any] = parameters.c.value
        return _with_parameter(field, _known(column, _between_floats(column, node)))
    column = _column[field.removeprefix("headline.")]
    if column.type.python_type is float:
        return _known(column, _between_floats(column, node))
    return _known(column, _between_integers(column, node))


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
