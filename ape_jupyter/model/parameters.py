"""The parameters of a run's documents, as flat, typed rows that can be searched.

``{"baseline_vision": {"mean": 70}}`` below ``protocol`` gives the path
``protocol.baseline_vision.mean`` with the number 70. Elements of a list share the path of
the list. In paths, keys are folded (no case, no accents) and what is not a letter, digit or
underscore becomes an underscore, so that every path can be typed into a search.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ape_jupyter.model.search_words import fold

__all__ = [
    "MAX_DEPTH",
    "MAX_PARAMETERS",
    "MAX_TEXT_CHARACTERS",
    "PROTOCOL_DESCRIPTIONS",
    "Parameter",
    "flattened",
    "parameter_path",
]

PROTOCOL_DESCRIPTIONS = frozenset({"author", "created_date", "description", "name", "version"})
"""Top-level entries that name a protocol and have no effect."""

# Real protocols have about 80 parameters in 4 levels; documents are not ours, so they are
# bounded: what lies beyond is kept in the document and can not be searched.
MAX_PARAMETERS = 1000
MAX_DEPTH = 12
MAX_TEXT_CHARACTERS = 500
MAX_PATH_CHARACTERS = 200

_NUMBER = re.compile(
    r"[+-]?(\d{1,30}(\.\d{0,30})?|\.\d{1,30})(e[+-]?\d{1,3})?", re.ASCII | re.IGNORECASE
)
_NOT_IN_PATH = re.compile(r"[^\w]+")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One value of a parameter.

    Attributes
    ----------
    number : float or None
        The value as a number; of a text, when it reads as one.
    text : str
        The value as text; ``true`` or ``false`` for a truth value.
    """

    path: str
    number: float | None
    text: str


def flattened(root: str, document: Mapping[str, Any]) -> tuple[Parameter, ...]:
    """Return the parameters of a document, in its order, at most 1,000 of them.

    Parameters
    ----------
    root : str
        First part of every path, ``"protocol"`` or ``"parameters"``.
    document : Mapping
        As it came from JSON or YAML.
    """
    parameters: list[Parameter] = []
    for path, value in _leaves(root, document, MAX_DEPTH):
        if len(parameters) == MAX_PARAMETERS:
            break
        parameter = _parameter(path, value)
        if parameter is not None:
            parameters.append(parameter)
    return tuple(parameters)


def parameter_path(*keys: object) -> str:
    """Return the path of nested keys."""
    return ".".join(_NOT_IN_PATH.sub("_", fold(str(key))) or "_" for key in keys)


def _leaves(path: str, value: Any, depth: int) -> Iterator[tuple[str, Any]]:
    if len(path) > MAX_PATH_CHARACTERS:
        return
    if isinstance(value, Mapping | list | tuple):
        if depth == 0:
            return
        if isinstance(value, Mapping):
            for key, below in value.items():
                yield from _leaves(f"{path}.{parameter_path(key)}", below, depth - 1)
        else:
            for below in value:
                yield from _leaves(path, below, depth - 1)
    else:
        yield path, value


def _parameter(path: str, value: Any) -> Parameter | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return Parameter(path, None, "true" if value else "false")
    # A database refuses NUL characters and halves of surrogate pairs.
    text = str(value)[:MAX_TEXT_CHARACTERS].replace("\0", " ").encode(errors="replace").decode()
    return Parameter(path, _number(text), text)


def _number(text: str) -> float | None:
    if not _NUMBER.fullmatch(text.strip()):
        return None
    number = float(text)
    return number if math.isfinite(number) else None
