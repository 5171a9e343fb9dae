"""From a field, an operator and values to the node of a tree, or an error that helps."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ape_jupyter.errors import QuerySyntaxError
from ape_jupyter.model.query import (
    Flagged,
    QueryNode,
    Range,
    SameText,
    Tagged,
    Within,
    Words,
    any_of,
    negation,
)
from ape_jupyter.model.search_words import tokens
from ape_jupyter.model.tags import tag_key
from ape_jupyter.services.search.fields import (
    FLAGS,
    Field,
    FieldKind,
    field_names,
    find_field,
    near_names,
)
from ape_jupyter.services.search.literals import read_age, read_number, read_period

__all__ = ["OPERATORS", "Value", "condition", "words"]

OPERATORS = (":", "=", "!=", "<", "<=", ">", ">=")
FLAG_GROUPS = ("is", "has")

_TRUTH = {"true": True, "yes": True, "false": False, "no": False}
_THOUSANDS = re.compile(r"\d{1,3}(,\d{3})+", re.ASCII)
_RANGE = re.compile(r"(.*?)(<?\.\.<?)(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Value:
    """A value as it was typed: in quotes it is text whatever it looks like."""

    text: str
    is_quoted: bool = False
    has_star: bool = False


def words(value: Value, field: str | None = None) -> Words | None:
    """Return the node for words; None when there is no letter and no digit in them."""
    found = tokens(value.text)
    return Words(field, found, value.has_star or not value.is_quoted) if found else None


def condition(
    name: str, operator: str, values: Sequence[Value], *, position: int, source: str
) -> QueryNode:
    """Return the node for ``name operator values``.

    Parameters
    ----------
    position : int
        Of the condition in the text of the search, for errors.
    source : str
        The condition as it was typed, for errors.
    """
    asked = _Condition(position, source)
    if name.casefold() in FLAG_GROUPS and operator in (":", "=", "!="):
        found = any_of([asked.flag(name.casefold(), value) for value in values])
        return negation(found) if operator == "!=" else found
    field = find_field(name)
    if field is None:
        raise asked.unknown_field(name)
    if operator not in (":", "=", "!=") and len(values) > 1:
        raise asked.error(
            f"{operator} takes one value, and {source!r} has {len(values)}.",
            _no_commas(values) or "Write two conditions, or a range like 10..20.",
        )
    nodes = [asked.node(field, operator, value) for value in _checked(asked, field, values)]
    return negation(any_of(nodes)) if operator == "!=" else any_of(nodes)


def _checked(asked: _Condition, field: Field, values: Sequence[Value]) -> Sequence[Value]:
    if field.kind is FieldKind.NUMBER and (hint := _no_commas(values)):
        raise asked.error(f"{asked.source!r} looks like one number with commas.", hint)
    return values


def _no_commas(values: Sequence[Value]) -> str:
    text = ",".join(value.text for value in values)
    return f"Write {text.replace(',', '')}." if _THOUSANDS.fullmatch(text) else ""


@dataclass(frozen=True, slots=True)
class _Condition:
    position: int
    source: str

    def error(self, message: str, hint: str) -> QuerySyntaxError:
        return QuerySyntaxError(message, position=self.position, hint=hint)

    def unknown_field(self, name: str) -> QuerySyntaxError:
        near = near_names(name, (*field_names(), *FLAG_GROUPS))
        hint = f"Did you mean {' or '.join(map(repr, near))}? " if near else ""
        hint += f'To search for the text itself, put it in quotes: "{_quotable(self.source)}".'
        return self.error(f"There is no field {name[:50]!r}.", hint)

    def flag(self, group: str, value: Value) -> QueryNode:
        flag = f"{group}:{value.text.casefold()}"
        known = {entry.name for entry in FLAGS}
        if flag not in known:
            choices = sorted(name for name in known if name.startswith(f"{group}:"))
            near = near_names(flag, choices, 1)
            hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(choices)}."
            raise self.error(f"There is no {flag[:50]!r}.", hint)
        return Flagged(flag)

    def node(self, field: Field, operator: str, value: Value) -> QueryNode:
        match field.kind:
            case FieldKind.TEXT:
                return self.text(field, operator, value)
            case FieldKind.NUMBER:
                return self.number(field, operator, value)
            case FieldKind.TIME:
                return self.time(field, operator, value)
            case FieldKind.TAG:
                return self.tag(field, operator, value)
            case FieldKind.FLAG:
                return self.truth(field, operator, value)
            case FieldKind.PARAMETER:
                return self.parameter(field, operator, value)

    def text(self, field: Field, operator: str, value: Value) -> QueryNode:
        self.refuse_order(field, operator)
        if operator != ":":
            return SameText(field.name, value.text)
        found = words(value, field.name)
        if found is None:
            raise self.error(
                f"There is nothing to look for in {self.source!r}.",
                f"Write letters or digits, or {field.name}=… for the text as it is.",
            )
        return found

    def refuse_order(self, field: Field, operator: str) -> None:
        if operator in ("<", "<=", ">", ">="):
            raise self.error(
                f"{field.name} is text, and has no order to compare by.",
                f"Write {field.name}:… to look for words in it.",
            )

    def tag(self, field: Field, operator: str, value: Value) -> QueryNode:
        self.refuse_order(field, operator)
        key = tag_key(value.text)
        if not key.strip():
            raise self.error("A tag can not be empty.", "Write tag:name, or has:tags for any.")
        if value.has_star:
            return Tagged(key, "prefix")
        return Tagged(key, "branch" if operator == ":" else "tag")

    def truth(self, field: Field, operator: str, value: Value) -> QueryNode:
        self.refuse_order(field, operator)
        flag = Flagged(field.name.replace("_", ":", 1))
        truth = _TRUTH.get(value.text.casefold())
        if truth is None:
            raise self.error(
                f"{field.name} is true or false, and not {value.text[:50]!r}.",
                f"Write {flag.flag}, or -{flag.flag} for the opposite.",
            )
        return flag if truth else negation(flag)

    def number(self, field: Field, operator: str, value: Value) -> QueryNode:
        found = self.number_range(field, operator, value.text)
        if found is None:
            unit = f" of {field.unit}" if field.unit else ""
            raise self.error(
                f"{field.name} is a number{unit}, and {value.text[:50]!r} is none.",
                f"Write {field.name}>=10k, {field.name}:1k..5k or {field.name}=500.",
            )
        return found

    def number_range(self, field: Field, operator: str, text: str) -> Range | None:
        """Return the range that a text says; None when it says no number."""
        ends = _RANGE.fullmatch(text) if operator in (":", "=", "!=") else None
        if ends is None:
            number = read_number(text, field.unit)
            return None if number is None else _number_node(field.name, operator, number)
        low, high = (read_number(end, field.unit) if end else None for end in ends.group(1, 3))
        is_read = (low is not None or not ends[1]) and (high is not None or not ends[3])
        if not is_read or (low is None and high is None):
            return None
        if low is not None and high is not None and low > high:
            raise self.backwards(ends)
        has_low, has_high = not ends[2].startswith("<"), not ends[2].endswith("<")
        return Range(field.name, low, high, has_low or low is None, has_high or high is None)

    def backwards(self, ends: re.Match[str]) -> QuerySyntaxError:
        return self.error(
            f"The range {ends[0]!r} ends before it begins.", f"Write {ends[3]}..{ends[1]}."
        )

    def time(self, field: Field, operator: str, value: Value) -> QueryNode:
        text = value.text
        ends = _RANGE.fullmatch(text) if operator in (":", "=", "!=") else None
        if ends is not None:
            return self.time_range(field, ends)
        age = read_age(text)
        if age is not None:
            if operator in (":", "=", "!="):
                raise self.error(
                    f"{text!r} is an age, and no run is exactly that old.",
                    f"Write {field.name}:<{text} for newer ones, or >{text} for older ones.",
                )
            is_newer = operator.startswith("<")
            return Within(field.name, age if is_newer else None, None if is_newer else age)
        start, end = self.period(field, text)
        match operator:
            case "<":
                return Within(field.name, None, start)
            case "<=":
                return Within(field.name, None, end)
            case ">":
                return Within(field.name, end, None)
            case ">=":
                return Within(field.name, start, None)
            case _:
                return Within(field.name, start, end)

    def time_range(self, field: Field, ends: re.Match[str]) -> QueryNode:
        first, operator, last = ends.groups()
        first_age, last_age = read_age(first), read_age(last)
        if first_age is not None and last_age is not None:
            older, newer = sorted((first_age, last_age), key=lambda age: -age.value)
            return Within(field.name, older, newer)
        if not first and not last:
            raise self.no_time(field, ends[0])
        since: datetime | None = None
        until: datetime | None = None
        if first:
            start, after = self.period(field, first)
            since = after if operator.startswith("<") else start
        if last:
            start, after = self.period(field, last)
            until = start if operator.endswith("<") else after
        if since is not None and until is not None and since >= until:
            raise self.backwards(ends)
        return Within(field.name, since, until)

    def period(self, field: Field, text: str) -> tuple[datetime, datetime]:
        period = read_period(text)
        if period is None:
            raise self.no_time(field, text)
        return period

    def no_time(self, field: Field, text: str) -> QuerySyntaxError:
        return self.error(
            f"{field.name} is a time, and {text[:50]!r} is none.",
            f"Write {field.name}:2026-01, {field.name}:2026-01..2026-06 or {field.name}:<30d.",
        )

    def parameter(self, field: Field, operator: str, value: Value) -> QueryNode:
        if not value.is_quoted:
            found = self.number_range(_with_unit(field), operator, value.text)
            if found is not None:
                return found
        if operator in ("<", "<=", ">", ">="):
            raise self.error(
                f"{value.text[:50]!r} is not a number to compare {field.name} with.",
                f"Write {field.name}>=56, or {field.name}:… to look for words in it.",
            )
        return self.text(field, operator, value)


def _with_unit(field: Field) -> Field:
    unit = field.name.rpartition("_")[2]
    return Field(field.name, field.kind, field.description, unit=unit)


def _number_node(name: str, operator: str, number: int | float) -> Range:
    match operator:
        case "<":
            return Range(name, None, number, has_high=False)
        case "<=":
            return Range(name, None, number)
        case ">":
            return Range(name, number, None, has_low=False)
        case ">=":
            return Range(name, number, None)
        case _:
            return Range(name, number, number)


def _quotable(text: str) -> str:
    return text[:60].replace("\\", "\\\\").replace('"', '\\"')
