"""Searches as query strings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.model.listing import SearchRequest

__all__ = ["decode_search", "encode_search", "is_remembered"]

_BOOLEANS = {"true": True, "false": False}


def encode_search(request: SearchRequest) -> list[tuple[str, str]]:
    """Return the parameters of the query string that asks for ``request``."""
    pairs = [("query", request.query)] if request.query else []
    pairs += [
        ("filter", f"{field}:{_text(value)}")
        for field, values in request.filters
        for value in values
    ]
    pairs += [
        ("sort_by", request.sort_by),
        ("descending", _text(request.descending)),
        ("limit", str(request.limit)),
    ]
    pairs += [("facet", name) for name in request.facets]
    if request.highlight:
        pairs.append(("highlight", "true"))
    if request.cursor is not None:
        pairs.append(("cursor", request.cursor))
    return pairs


def decode_search(pairs: Sequence[tuple[str, str]]) -> SearchRequest:
    """Return the search that a query string asks for.

    The values of filters stay text; what types they should have is for the library to say.

    Raises
    ------
    InvalidArgumentError
        For a limit or direction that is none, or a parameter given twice.
    """
    values: dict[str, Any] = {}
    filters: dict[str, list[str]] = {}
    facets: list[str] = []
    for name, text in pairs:
        if name == "filter":
            field, separator, value = text.partition(":")
            if not separator:
                raise InvalidArgumentError(f"The filter {text!r} is not of the form field:value.")
            filters.setdefault(field, []).append(value)
        elif name == "facet":
            facets.append(text)
        elif name in values:
            raise InvalidArgumentError(f"The parameter {name!r} is given twice.")
        elif name in {"query", "sort_by", "cursor"}:
            values[name] = text
        elif name == "limit":
            values[name] = _whole_number(text, "limit")
        elif name in {"descending", "highlight"}:
            values[name] = _boolean(text, name)
    return SearchRequest(
        filters=tuple((field, tuple(items)) for field, items in filters.items()),
        facets=tuple(facets),
        **values,
    )


def is_remembered(pairs: Sequence[tuple[str, str]]) -> bool:
    """Return whether the user is to find a search among recent searches.

    Raises
    ------
    InvalidArgumentError
        If the query string says so with neither true nor false.
    """
    return _boolean(dict(pairs).get("remember", "false"), "remember")


def _whole_number(text: str, name: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise InvalidArgumentError(f"{name} should be a whole number, and is {text!r}.") from None


def _boolean(text: str, name: str) -> bool:
    try:
        return _BOOLEANS[text.lower()]
    except KeyError:
        raise InvalidArgumentError(f"{name} should be true or false, and is {text!r}.") from None


def _text(value: str | int | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
