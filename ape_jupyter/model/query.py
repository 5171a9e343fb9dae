"""A search as a tree: what every way of asking is turned into, and every index understands.

Nodes hold canonical field names and typed values. Build combinations with :func:`all_of`,
:func:`any_of` and :func:`negation`, which keep the tree flat; equal searches written in
different ways often become equal trees.

Fields that begin with ``protocol.`` or ``parameters.`` are paths into the documents of a
run, in the form of :func:`ape_jupyter.model.parameters.flattened`. Such a path can have
several values; a condition holds when it holds for one of them. A condition on something
that a run does not have is false, so its negation is true.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

__all__ = [
    "EVERYTHING",
    "PARAMETER_ROOTS",
    "WORD_FIELDS",
    "Age",
    "AllOf",
    "AnyOf",
    "Flagged",
    "NoneOf",
    "QueryNode",
    "Range",
    "SameText",
    "Tagged",
    "Within",
    "Words",
    "all_of",
    "any_of",
    "is_parameter",
    "leaves",
    "negation",
]

# The texts in which words without a field are looked for, beside the tags.
WORD_FIELDS = (
    "name",
    "protocol_name",
    "notes",
    "owner",
    "sim_id",
    "engine_type",
    "model_type",
)
PARAMETER_ROOTS = ("protocol", "parameters")


def is_parameter(field: str) -> bool:
    """Tell whether a field is a path into the documents of a run."""
    return field.partition(".")[0] in PARAMETER_ROOTS and "." in field


@dataclass(frozen=True, slots=True)
class Words:
    """Tokens next to each other in a text; in any searched text when ``field`` is None.

    :mod:`ape_jupyter.model.search_words` says what tokens are. ``tokens`` is not empty.
    """

    field: str | None
    tokens: tuple[str, ...]
    is_prefix: bool


@dataclass(frozen=True, slots=True)
class SameText:
    """A text that is exactly this one, character by character."""

    field: str
    text: str


@dataclass(frozen=True, slots=True)
class Tagged:
    """A tag, by its key (normalised, case-folded).

    ``reach`` is ``"tag"`` for this tag only, ``"branch"`` for it and all that are below it
    (``area`` and ``area/sub``), ``"prefix"`` for all that begin like it.
    """

    key: str
    reach: str


@dataclass(frozen=True, slots=True)
class Flagged:
    """A yes-or-no property: ``is:pinned``, ``has:costs``."""

    flag: str


@dataclass(frozen=True, slots=True)
class Range:
    """A number between two ends, of which one can be open (None)."""

    field: str
    low: int | float | None
    high: int | float | None
    has_low: bool = True
    has_high: bool = True


@dataclass(frozen=True, slots=True)
class Age:
    """A time so long before the search is carried out; a saved search keeps moving."""

    value: timedelta


@dataclass(frozen=True, slots=True)
class Within:
    """A time from ``since`` on and before ``until``, of which one can be open (None)."""

    field: str
    since: datetime | Age | None
    until: datetime | Age | None


@dataclass(frozen=True, slots=True)
class NoneOf:
    """The opposite of a node that is not itself a negation."""

    operand: QueryNode


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every operand holds; without operands, always."""

    operands: tuple[QueryNode, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one operand holds; there are two or more."""

    operands: tuple[QueryNode, ...]


QueryNode: TypeAlias = Words | SameText | Tagged | Flagged | Range | Within | NoneOf | AllOf | AnyOf

EVERYTHING = AllOf(())


def all_of(nodes: Iterable[QueryNode]) -> QueryNode:
    """Return the node that holds when all ``nodes`` do."""
    flat: list[QueryNode] = []
    for node in nodes:
        flat.extend(node.operands if isinstance(node, AllOf) else (node,))
    return flat[0] if len(flat) == 1 else AllOf(tuple(flat))


def any_of(nodes: Iterable[QueryNode]) -> QueryNode:
    """Return the node that holds when one of ``nodes`` does; there must be one."""
    flat: list[QueryNode] = []
    for node in nodes:
        flat.extend(node.operands if isinstance(node, AnyOf) else (node,))
    if not flat:
        raise ValueError("A choice needs something to choose from.")
    return flat[0] if len(flat) == 1 else AnyOf(tuple(flat))


def negation(node: QueryNode) -> QueryNode:
    """Return the opposite of a node."""
    return node.operand if isinstance(node, NoneOf) else NoneOf(node)


def leaves(node: QueryNode) -> Iterator[QueryNode]:
    """Yield the conditions of a tree, from left to right."""
    if isinstance(node, NoneOf):
        yield from leaves(node.operand)
    elif isinstance(node, AllOf | AnyOf):
        for operand in node.operands:
            yield from leaves(operand)
    else:
        yield node
