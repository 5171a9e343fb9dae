"""What a search means, in plain Python: the reference that the indexes are tested against."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, assert_never

from ape_jupyter.model.parameters import Parameter
from ape_jupyter.model.query import (
    WORD_FIELDS,
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
from ape_jupyter.model.relevance import FIELD_WEIGHTS, WHOLE_NAME_WEIGHT, ranking_words
from ape_jupyter.model.search_words import has_tokens, tokens
from ape_jupyter.model.simulation import SimulationMetadata, Source, Status
from ape_jupyter.model.tags import tag_key

__all__ = ["SearchableRun", "matches", "relevance"]

_FLAGS: dict[str, Callable[[SimulationMetadata], bool]] = {
    "is:pinned": lambda run: run.is_pinned,
    "is:registered": lambda run: run.source is Source.REGISTERED,
    "is:imported": lambda run: run.source is Source.IMPORTED,
    "is:linked": lambda run: run.source is Source.LINKED,
    "is:available": lambda run: run.status is Status.AVAILABLE,
    "is:quarantined": lambda run: run.status is Status.QUARANTINED,
    "is:trashed": lambda run: run.status is Status.TRASHED,
    "has:costs": lambda run: run.has_costs,
    "has:resources": lambda run: run.has_resources,
    "has:tags": lambda run: bool(run.tags),
    "has:notes": lambda run: run.notes != "",
    "has:seed": lambda run: run.seed is not None,
    "has:parent": lambda run: run.parent is not None,
    "has:protocol": lambda run: run.protocol_digest != "",
}


@dataclass(frozen=True, slots=True)
class SearchableRun:
    """A run with everything that can be asked about it."""

    metadata: SimulationMetadata
    parameters: Mapping[str, tuple[Parameter, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, metadata: SimulationMetadata, parameters: Iterable[Parameter]) -> SearchableRun:
        """Return a run with its flattened parameters, ordered by their paths."""
        by_path: dict[str, tuple[Parameter, ...]] = {}
        for parameter in parameters:
            by_path[parameter.path] = (*by_path.get(parameter.path, ()), parameter)
        return cls(metadata, by_path)

    def value(self, name: str) -> Any:
        """Return the value of a field of the metadata."""
        owner, _, attribute = name.rpartition(".")
        return getattr(self.metadata.headline if owner else self.metadata, attribute)

    def texts(self, name: str | None) -> list[str]:
        """Return the texts of a field, or for None all in which words are looked for."""
        if name is None:
            found = [text for word_field in WORD_FIELDS for text in self.texts(word_field)]
            return [*found, *self.metadata.tags]
        if is_parameter(name):
            return [parameter.text for parameter in self.parameters.get(name, ())]
        value = self.value(name)
        return [] if value is None else [str(value)]

    def numbers(self, name: str) -> list[int | float]:
        """Return the numbers of a field."""
        if is_parameter(name):
            found = [parameter.number for parameter in self.parameters.get(name, ())]
            return [number for number in found if number is not None]
        value = self.value(name)
        return [] if value is None else [value]


def matches(node: QueryNode, run: SearchableRun, *, now: datetime) -> bool:
    """Tell whether a run is one that a search asks for."""
    match node:
        case AllOf(operands):
            return all(matches(operand, run, now=now) for operand in operands)
        case AnyOf(operands):
            return any(matches(operand, run, now=now) for operand in operands)
        case NoneOf(operand):
            return not matches(operand, run, now=now)
        case _:
            return _holds(node, run, now)


def relevance(node: QueryNode, run: SearchableRun) -> int:
    """Return how well a run fits the words of a search; the larger the better."""
    score = 0
    for words in ranking_words(node):
        for name, weight in FIELD_WEIGHTS.items():
            score += weight * _holds_words(words, run, name)
        score += WHOLE_NAME_WEIGHT * _holds_words(replace(words, is_prefix=False), run, "name")
    return score


def _holds_words(words: Words, run: SearchableRun, name: str) -> bool:
    texts = run.metadata.tags if name == "tags" else run.texts(name)
    return any(has_tokens(tokens(text), words.tokens, is_prefix=words.is_prefix) for text in texts)


def _holds(
    node: Words | SameText | Tagged | Flagged | Range | Within, run: SearchableRun, now: datetime
) -> bool:
    match node:
        case Words(name, wanted, is_prefix):
            return any(
                has_tokens(tokens(text), wanted, is_prefix=is_prefix) for text in run.texts(name)
            )
        case SameText(name, text):
            return text in run.texts(name)
        case Tagged():
            return any(_is_tagged(node, tag_key(tag)) for tag in run.metadata.tags)
        case Flagged(flag):
            return _FLAGS[flag](run.metadata)
        case Range():
            return any(_is_in(node, number) for number in run.numbers(node.field))
        case Within():
            return _is_within(node, run.value(node.field), now)
        case _:
            assert_never(node)


def _is_tagged(node: Tagged, key: str) -> bool:
    if key == node.key:
        return True
    below = {"tag": None, "branch": f"{node.key}/", "prefix": node.key}[node.reach]
    return below is not None and key.startswith(below)


def _is_in(node: Range, number: int | float) -> bool:
    low, high = node.low, node.high
    if isinstance(number, float):
        # As in a column of floats, where 2^53 + 1 is not to be told from 2^53.
        low, high = (None if end is None else float(end) for end in (low, high))
    if low is not None and not (number >= low if node.has_low else number > low):
        return False
    return high is None or (number <= high if node.has_high else number < high)


def _is_within(node: Within, time: datetime | None, now: datetime) -> bool:
    if time is None:
        return False
    since, until = (
        now - end.value if isinstance(end, Age) else end for end in (node.since, node.until)
    )
    return (since is None or time >= since) and (until is None or time < until)
