"""Completing what is being typed."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from search_cases import query_texts

from ape_jupyter.errors import QuerySyntaxError
from ape_jupyter.services.search.completion import MAX_CANDIDATES, complete
from ape_jupyter.services.search.fields import FLAGS, find_field
from ape_jupyter.services.search.grammar import parse

VALUES = {
    "tags": {"nhs": 7, "nhs/site 2": 3, "draft": 1},
    "protocol_name": {"Treat and Extend": 5, "PRN": 2},
    "engine_type": {"abs": 9, "des": 1},
}
PATHS = {"protocol.min_interval_days": 9, "protocol.max_interval_days": 8}


class Library:
    """What is in a library of three protocols."""

    def values(self, field: str, prefix: str, limit: int) -> Sequence[tuple[str, int]]:
        found = VALUES.get(field, {}).items()
        return [entry for entry in found if entry[0].casefold().startswith(prefix.casefold())]

    def parameter_paths(self, prefix: str, limit: int) -> Sequence[str]:
        return [path for path in PATHS if path.startswith(prefix)]


def completed(marked: str) -> list[str]:
    """Return the texts after each candidate was taken; ``|`` is the cursor."""
    text, cursor = marked.replace("|", ""), marked.index("|")
    completion = complete(text, cursor, Library())
    return [
        text[: completion.start] + candidate.text + text[completion.end :]
        for candidate in completion.candidates
    ]


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        ("cre|", "created:"),
        ("a -pat|", "a -patients>="),
        ("(vis|", "(visits>="),
        ("cre|ated:<30d", "created:<30d"),
        ("pin|", "is:pinned"),
        ("is:p|", "is:pinned"),
        ("has:|", "has:costs"),
        ("nh|", "tag:nhs"),
        ("tag:|", "tag:draft"),
        ("tag:nhs,d| x", "tag:nhs,draft x"),
        ("tag:nhs/|", 'tag:"nhs/site 2"'),
        ("protocol:tr|", 'protocol:"Treat and Extend"'),
        ('protocol:"tr|eat" x', 'protocol:"Treat and Extend" x'),
        ("engine: |", "engine: abs"),
        ("protocol.mi|", "protocol.min_interval_days>="),
        ("prot|", "protocol."),
        ("created:<|", "created:<30d"),
        ("has_costs:t|", "has_costs:true"),
        ("a O|", "a OR"),
        ("a |", "a name:"),
        ("|", "name:"),
    ],
)
def test_offers(marked: str, expected: str) -> None:
    assert expected in completed(marked)


@pytest.mark.parametrize(
    "marked", ["n_patients>=1|", '"treat and|', "unknown:x|", "zzzz|", '"closed"|']
)
def test_offers_nothing(marked: str) -> None:
    assert completed(marked) == []


def test_counts_are_told() -> None:
    (candidate, *_) = complete("tag:nh", 6, Library()).candidates
    assert (candidate.text, candidate.kind, candidate.count) == ("nhs", "tag", 7)


@given(query_texts, st.integers(-2, 60))
def test_any_text_at_any_cursor(text: str, cursor: int) -> None:
    completion = complete(text, cursor, Library())
    assert 0 <= completion.start <= completion.end <= len(text)
    assert len(completion.candidates) <= MAX_CANDIDATES


@pytest.mark.parametrize("prefix", ["", "n", "tag:", "protocol:", "is:", "has:", "created:", "nh"])
def test_what_is_offered_is_understood(prefix: str) -> None:
    for text in completed(f"{prefix}|"):
        if text.endswith((":", "=", ".")):
            assert find_field(text.rstrip(":>=.")) or text in ("protocol.", "parameters.")
        elif text not in ("AND", "OR", "NOT"):
            try:
                parse(text)
            except QuerySyntaxError as error:
                pytest.fail(f"{text}: {error}")


def test_every_flag_is_offered() -> None:
    offered = {*completed("is:|"), *completed("has:|")}
    assert {flag.name for flag in FLAGS} == offered
