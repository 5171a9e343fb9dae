"""What could stand at the cursor of a search that is being typed."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from ape_jupyter.model.completion import Candidate, Completion
from ape_jupyter.model.query import PARAMETER_ROOTS
from ape_jupyter.model.search_words import fold
from ape_jupyter.services.search.conditions import FLAG_GROUPS
from ape_jupyter.services.search.fields import FIELDS, FLAGS, Field, FieldKind, find_field
from ape_jupyter.services.search.printing import quoted

__all__ = ["MAX_CANDIDATES", "Vocabulary", "complete"]

MAX_CANDIDATES = 20
AGES = ("<1d", "<7d", "<30d", "<1y", ">1y")
KEYWORDS = ("AND", "OR", "NOT")

_VALUE = r'"(?:[^"\\]|\\.)*(?:"\*?|\Z)|[^\s,()"][^\s,()]*'
_PIECE = re.compile(
    r"(?P<name>[^\W\d]\w*(?:\.\w+)*)(?P<operator>\s*(?::?(?:[<>]=?|!=|==?)|:)\s*)"
    rf"(?:(?:{_VALUE}),)*(?P<value>{_VALUE})?"
    r"|(?P<word>[^\s()\"-][^\s()]*)"
    r'|"(?:[^"\\]|\\.)*"?'
    r"|(?P<separator>.)",
    re.DOTALL,
)
_REST_OF_WORD = re.compile(r"[\w.]*")
_REST_OF_VALUE = re.compile(r"[^\s,()\"]*")
_REST_OF_QUOTED = re.compile(r'[^"]*"?')
_OPERATOR = re.compile(r"\s*[:<>=!]")
_PLAIN = re.compile(r"[^\s,()\"“”„*\\<>=.][^\s,()\"*\\]*")


class Vocabulary(Protocol):
    """What is in a library; values with the most frequent first."""

    def values(self, field: str, prefix: str, limit: int) -> Sequence[tuple[str, int]]:
        """Return values of a field that begin so, whatever the case, and their runs."""

    def parameter_paths(self, prefix: str, limit: int) -> Sequence[str]:
        """Return paths of parameters that begin so."""


def complete(text: str, cursor: int, vocabulary: Vocabulary) -> Completion:
    """Return what could stand at the cursor, likeliest first, at most 20."""
    cursor = max(0, min(cursor, len(text)))
    pieces = deque(_PIECE.finditer(text, 0, cursor), maxlen=1)
    piece = pieces[0] if pieces else None
    if piece is None or piece["separator"]:
        return _completion(cursor, cursor, _beginnings("", vocabulary))
    if piece["name"]:
        start = cursor if piece["value"] is None else piece.start("value")
        typed = text[start:cursor]
        rest = _REST_OF_QUOTED if typed.startswith('"') else _REST_OF_VALUE
        is_closed = len(typed) > 1 and typed.endswith('"')
        end = cursor if is_closed else rest.match(text, cursor).end()  # type: ignore[union-attr]
        operator = piece["operator"].strip().lstrip(":")
        candidates = _values(piece["name"], operator, typed.strip('"'), vocabulary)
        return _completion(start, end, candidates)
    if piece["word"]:
        end = _REST_OF_WORD.match(text, cursor).end()  # type: ignore[union-attr]
        candidates = _beginnings(piece["word"], vocabulary)
        if _OPERATOR.match(text, end):
            candidates = _before_operator(candidates)
        return _completion(piece.start(), end, candidates)
    return Completion(cursor, cursor, ())


def _completion(start: int, end: int, candidates: Iterable[Candidate]) -> Completion:
    return Completion(start, end, tuple(dict.fromkeys(candidates))[:MAX_CANDIDATES])


def _before_operator(candidates: Iterable[Candidate]) -> Iterator[Candidate]:
    for candidate in candidates:
        if candidate.kind in ("field", "parameter"):
            yield replace(candidate, text=candidate.text.rstrip(":<>="))


def _beginnings(typed: str, vocabulary: Vocabulary) -> Iterator[Candidate]:
    """Yield what a condition that begins like ``typed`` could be."""
    folded = fold(typed)
    root = folded.partition(".")[0]
    if "." in folded and root in PARAMETER_ROOTS:
        for path in vocabulary.parameter_paths(folded, MAX_CANDIDATES):
            yield Candidate(f"{path}>=", "parameter", "A parameter of the run")
        return
    yield from _fields(folded)
    for flag in FLAGS:
        if flag.name.startswith(folded) or flag.name.partition(":")[2].startswith(folded):
            yield Candidate(flag.name, "flag", flag.description)
    if not typed:
        return
    for root in PARAMETER_ROOTS:
        if root.startswith(folded):
            yield Candidate(f"{root}.", "parameter", "Parameters of the run")
    for tag, count in vocabulary.values("tags", typed, MAX_CANDIDATES):
        yield Candidate(f"tag:{_written(tag)}", "tag", "", count)
    for keyword in KEYWORDS:
        if keyword.startswith(typed):
            yield Candidate(keyword, "operator")


def _fields(folded: str) -> Iterator[Candidate]:
    for is_near in (str.startswith, str.__contains__):
        for field in FIELDS:
            name = next((name for name in _names(field) if is_near(name, folded)), None)
            if name is not None:
                operator = ">=" if field.kind is FieldKind.NUMBER else ":"
                unit = f" ({field.unit})" if field.unit else ""
                yield Candidate(f"{name}{operator}", "field", f"{field.description}{unit}")


def _names(field: Field) -> tuple[str, ...]:
    # The short ones first: they are what people type.
    return (*field.aliases, field.name)


def _values(name: str, operator: str, typed: str, vocabulary: Vocabulary) -> Iterator[Candidate]:
    """Yield the values that a field could have which begin like ``typed``."""
    folded = fold(typed)
    if fold(name) in FLAG_GROUPS:
        for flag in FLAGS:
            group, _, value = flag.name.partition(":")
            if group == fold(name) and value.startswith(folded):
                yield Candidate(value, "flag", flag.description)
        return
    field = find_field(name)
    if field is None:
        return
    match field.kind:
        case FieldKind.TIME:
            # A sign that was typed already belongs to the operator.
            for age in AGES:
                if age.startswith(f"{operator}{folded}"):
                    yield Candidate(age.removeprefix(operator), "value")
        case FieldKind.FLAG:
            yield from (Candidate(t, "value") for t in ("true", "false") if t.startswith(folded))
        case FieldKind.NUMBER:
            return
        case _:
            for value, count in vocabulary.values(field.name, typed, MAX_CANDIDATES):
                kind = "tag" if field.kind is FieldKind.TAG else "value"
                yield Candidate(_written(value), kind, "", count)


def _written(value: str) -> str:
    return value if _PLAIN.fullmatch(value) else quoted(value)
