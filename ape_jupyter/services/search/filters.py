"""Filters of the Python and REST interfaces, as the tree that a typed search gives."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TypeAlias

from ape_jupyter.errors import QuerySyntaxError
from ape_jupyter.model.query import QueryNode, all_of, any_of
from ape_jupyter.services.search.conditions import Value, condition
from ape_jupyter.services.search.fields import FieldKind, find_field
from ape_jupyter.services.search.grammar import checked_size, unsearchable
from ape_jupyter.services.search.literals import instant_text

__all__ = ["FilterValue", "filters_tree"]

FilterValue: TypeAlias = str | int | float | bool | datetime

_OPERATOR = re.compile(r"\s*(<=|>=|<|>|!=|=)?\s*(.*)", re.DOTALL)
_ORDERED = (FieldKind.NUMBER, FieldKind.TIME, FieldKind.PARAMETER)


def filters_tree(filters: Iterable[tuple[str, Sequence[FilterValue]]]) -> QueryNode:
    """Return the tree for fields and the values of which one must be equal.

    Of tags a run must have all. Text is compared as it stands. For numbers and times it is
    read as in a typed search, with its operator: ``"10k"``, ``">=10k"``, ``"2026-01"``,
    ``"<30d"``, ``"1k..5k"``.

    Raises
    ------
    QuerySyntaxError
        For a field that does not exist, or a value that it can not have.
    """
    return checked_size(all_of(_filter(name, values) for name, values in filters))


def _filter(name: str, values: Sequence[FilterValue]) -> QueryNode:
    if not values:
        raise QuerySyntaxError(f"The filter {name!r} has no value.", hint="Leave it out.")
    nodes = [_equal(name, value) for value in values]
    field = find_field(name)
    return all_of(nodes) if field and field.kind is FieldKind.TAG else any_of(nodes)


def _equal(name: str, value: FilterValue) -> QueryNode:
    text = _text(value)
    if unsearchable(name) or unsearchable(text):
        raise QuerySyntaxError(
            f"The filter {name[:50]!r} has characters that can not be searched for.",
            hint="Leave control characters out.",
        )
    field = find_field(name)
    operator = "="
    if field is not None and field.kind in _ORDERED and isinstance(value, str):
        match = _OPERATOR.fullmatch(text)
        if match and match[1]:
            operator, text = match.groups()
    return condition(name, operator, [Value(text)], position=0, source=f"{name}{operator}{text}")


def _text(value: FilterValue) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return instant_text(value) if isinstance(value, datetime) else str(value)
