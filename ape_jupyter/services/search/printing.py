"""A tree as text that is parsed to the same tree: for saved searches and for links."""

from __future__ import annotations

from datetime import datetime
from typing import assert_never

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
from ape_jupyter.services.search.literals import age_text, instant_text

__all__ = ["query_text", "quoted"]


def query_text(node: QueryNode) -> str:
    """Return the text of a search."""
    match node:
        case AnyOf(operands):
            return " OR ".join(map(query_text, operands))
        case AllOf(operands):
            return " ".join(map(_operand_text, operands))
        case NoneOf(operand):
            return f"-{_grouped(operand)}"
        case _:
            return _condition_text(node)


def _condition_text(node: Words | SameText | Tagged | Flagged | Range | Within) -> str:
    match node:
        case Words():
            return _words_text(node)
        case SameText(field, text):
            return f"{field}={quoted(text)}"
        case Tagged(key, reach):
            operator = "=" if reach == "tag" else ":"
            return f"tag{operator}{quoted(key)}{'*' if reach == 'prefix' else ''}"
        case Flagged(flag):
            return flag
        case Range():
            return _range_text(node)
        case Within():
            return _within_text(node)
        case _:
            assert_never(node)


def quoted(text: str) -> str:
    """Return a text in quotation marks."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _operand_text(node: QueryNode) -> str:
    return _grouped(node) if isinstance(node, AnyOf) else query_text(node)


def _grouped(node: QueryNode) -> str:
    text = query_text(node)
    return f"({text})" if isinstance(node, AllOf | AnyOf) else text


def _words_text(node: Words) -> str:
    field = f"{node.field}:" if node.field else ""
    if not node.is_prefix:
        return f'{field}"{" ".join(node.tokens)}"'
    if node.field and is_parameter(node.field):
        # Without quotes the value of a parameter could read as a number.
        return f'{field}"{" ".join(node.tokens)}"*'
    return field + "-".join(node.tokens)


def _range_text(node: Range) -> str:
    low, high = (None if end is None else repr(end) for end in (node.low, node.high))
    if low is None:
        return f"{node.field}<{'=' if node.has_high else ''}{high}"
    if high is None:
        return f"{node.field}>{'=' if node.has_low else ''}{low}"
    if node.low == node.high and node.has_low and node.has_high:
        return f"{node.field}={low}"
    dots = f"{'' if node.has_low else '<'}..{'' if node.has_high else '<'}"
    return f"{node.field}:{low}{dots}{high}"


def _within_text(node: Within) -> str:
    since, until = node.since, node.until
    if isinstance(since, Age) and isinstance(until, Age):
        return f"{node.field}:{age_text(until)}..{age_text(since)}"
    if isinstance(since, Age):
        return f"{node.field}<{age_text(since)}"
    if isinstance(until, Age):
        return f"{node.field}>{age_text(until)}"
    first, last = _instant_text(since), _instant_text(until)
    if since is None:
        return f"{node.field}<{last}"
    return f"{node.field}>={first}" if until is None else f"{node.field}:{first}..<{last}"


def _instant_text(instant: datetime | None) -> str:
    return "" if instant is None else instant_text(instant)
