"""Dataclasses to JSON and back, driven by their own annotations.

Every JSON that leaves or enters a process goes through :func:`encode` and :func:`decode`.
Field names are the dataclasses' field names, times are ISO 8601 in UTC, enumerations are
their values, and a number that JSON can not hold (NaN, infinity) is null.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import math
import types
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from ape_jupyter.errors import InvalidArgumentError

__all__ = ["JSON", "decode", "decode_json", "dumps", "encode", "written"]

JSON = Any
"""What :mod:`json` can write."""

T = TypeVar("T")

Unknown = Literal["refuse", "ignore"]

_SHOWN_CHARACTERS = 60
"""How much of a wrong value a message repeats."""


def encode(value: Any) -> JSON:
    """Turn dataclasses, and what they and APE's documents hold, into plain JSON values.

    Raises
    ------
    TypeError
        For a type that has no place in a message; that is a fault of the caller.
    """
    if value is None:
        return None
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: encode(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
    for kind, encoder in _ENCODERS:
        if isinstance(value, kind):
            return encoder(value)
    if hasattr(value, "item"):  # a numpy scalar
        return encode(value.item())
    raise TypeError(f"{type(value).__name__} can not be sent as JSON")


# The first that fits counts: a StrEnum is a str, a datetime a date, a str iterable.
_ENCODERS: tuple[tuple[type, Callable[[Any], JSON]], ...] = (
    (Enum, lambda value: value.value),
    (int, lambda value: value),
    # JSON text may hold lone surrogates, UTF-8 may not.
    (str, lambda value: value.encode("utf-8", "replace").decode("utf-8")),
    (float, lambda value: value if math.isfinite(value) else None),
    (datetime, lambda value: (value.astimezone(UTC) if value.tzinfo else value).isoformat()),
    (date, lambda value: value.isoformat()),
    (bytes, lambda value: b64encode(value).decode("ascii")),
    # YAML allows keys that are not text.
    (Mapping, lambda value: {str(encode(key)): encode(item) for key, item in value.items()}),
    (Set, lambda value: sorted(map(encode, value), key=str)),
    (Iterable, lambda value: [encode(item) for item in value]),
)


def dumps(value: Any) -> str:
    """Return ``value`` as JSON text."""
    return written(encode(value))


def written(value: JSON) -> str:
    """Return what is plain JSON already as text; a large table should be encoded only once."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def decode_json(
    cls: type[T], text: str | bytes, *, unknown: Unknown = "refuse", name: str = "body"
) -> T:
    """Read JSON text and :func:`decode` it."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidArgumentError(f"The {name} is not JSON: {error}") from None
    return cast(T, decode(cls, data, unknown=unknown, name=name))


def decode(cls: Any, data: JSON, *, unknown: Unknown = "refuse", name: str = "body") -> Any:
    """Build a ``cls`` from plain JSON values, checking each against its annotation.

    Parameters
    ----------
    cls : type
        A dataclass, or any type that a dataclass of this package has as a field.
    unknown : {"refuse", "ignore"}
        What to do with fields that the dataclass lacks. Requests refuse them, so that a
        misspelled option is not silently without effect; answers ignore them, so that an
        older client can talk to a newer server.
    name : str
        What messages call the whole.

    Raises
    ------
    InvalidArgumentError
        Saying where in the data, what was expected and what was found.
    """
    return _decode(cls, data, name, unknown)


def _decode(hint: Any, data: JSON, path: str, unknown: Unknown) -> Any:
    if hint is Any:
        return data
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return _decode_union(get_args(hint), data, path, unknown)
    if origin is Literal:
        if data in get_args(hint):
            return data
        raise _unexpected(path, "one of " + ", ".join(map(repr, get_args(hint))), data)
    if origin is tuple or origin in (list, Sequence):
        if not isinstance(data, list):
            raise _unexpected(path, "a list", data)
        items = [
            _decode(get_args(hint)[0], item, f"{path}[{index}]", unknown)
            for index, item in enumerate(data)
        ]
        return items if origin is list else tuple(items)
    if origin in (dict, Mapping):
        if not isinstance(data, dict):
            raise _unexpected(path, "an object", data)
        return {
            key: _decode(get_args(hint)[1], item, f"{path}.{key}", unknown)
            for key, item in data.items()
        }
    if dataclasses.is_dataclass(hint):
        return _decode_dataclass(cast(type, hint), data, path, unknown)
    return _decode_scalar(hint, data, path)


def _decode_union(options: tuple[Any, ...], data: JSON, path: str, unknown: Unknown) -> Any:
    if data is None and type(None) in options:
        return None
    options = tuple(option for option in options if option is not type(None))
    for option in options[:-1]:
        try:
            return _decode(option, data, path, unknown)
        except InvalidArgumentError:
            continue
    # The last option speaks for all of them: unions here are "something or nothing".
    return _decode(options[-1], data, path, unknown)


def _decode_dataclass(cls: type, data: JSON, path: str, unknown: Unknown) -> Any:
    if not isinstance(data, dict):
        raise _unexpected(path, "an object", data)
    hints = type_hints(cls)
    if unknown == "refuse" and (extra := sorted(set(data) - set(hints))):
        raise InvalidArgumentError(
            f"{path} has no field {extra[0]!r}; it can have {', '.join(hints)}."
        )
    values: dict[str, Any] = {}
    for field in dataclasses.fields(cls):
        if field.name in data:
            where = f"{path}.{field.name}"
            values[field.name] = _decode(hints[field.name], data[field.name], where, unknown)
        elif field.default is field.default_factory is dataclasses.MISSING:
            raise InvalidArgumentError(f"{path} lacks the field {field.name!r}.")
    return cls(**values)


def _decode_scalar(hint: Any, data: JSON, path: str) -> Any:
    if isinstance(hint, type) and issubclass(hint, Enum):
        values = [member.value for member in hint]
        if data in values:
            return hint(data)
        raise _unexpected(path, "one of " + ", ".join(map(repr, values)), data)
    if hint is datetime:
        if isinstance(data, str):
            try:
                moment = datetime.fromisoformat(data)
            except ValueError:
                pass
            else:
                return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        raise _unexpected(path, "a time in ISO 8601", data)
    if hint is float and isinstance(data, int) and not isinstance(data, bool):
        return float(data)
    if hint in (str, int, float, bool):
        # bool is an int to Python, and not to anybody else.
        if isinstance(data, hint) and (hint is bool or not isinstance(data, bool)):
            return data
        names = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}
        raise _unexpected(path, names[hint], data)
    raise TypeError(f"{hint!r} can not be read from JSON")


def _unexpected(path: str, expected: str, data: JSON) -> InvalidArgumentError:
    found = json.dumps(data, ensure_ascii=False)
    if len(found) > _SHOWN_CHARACTERS:
        found = found[:_SHOWN_CHARACTERS] + "…"
    return InvalidArgumentError(f"{path} should be {expected}, and is {found}.")


@functools.cache
def type_hints(cls: type) -> dict[str, Any]:
    """Return the resolved annotations of a dataclass's fields, in order."""
    hints = get_type_hints(cls)
    return {field.name: hints[field.name] for field in dataclasses.fields(cls)}
