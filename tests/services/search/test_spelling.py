"""Searches with slips."""

from __future__ import annotations

import pytest

from ape_jupyter.services.search.grammar import parse
from ape_jupyter.services.search.spelling import corrected, nearest_word

VOCABULARY = {"aflibercept": 9, "ranibizumab": 4, "treat": 9, "trial": 8, "extend": 3, "pond": 1}


def is_known(word: str) -> bool:
    return any(known.startswith(word) for known in VOCABULARY)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("afliberzept", "aflibercept"),
        ("aflibrecept", "aflibercept"),
        ("ranibizmab", "ranibizumab"),
        ("extedn", "extend"),
        ("treet", "treat"),
        ("pnd", None),
        ("something", None),
        ("", None),
    ],
)
def test_nearest_word(word: str, expected: str | None) -> None:
    assert nearest_word(word, VOCABULARY) == expected


def test_only_unknown_words_are_replaced() -> None:
    found = corrected(parse("treat (afliberzept OR pond) n_patients>5"), VOCABULARY, is_known)
    assert found is not None
    assert found.tree == parse("treat (aflibercept OR pond) n_patients>5")
    assert found.replaced == (("afliberzept", "aflibercept"),)


@pytest.mark.parametrize("query", ["aflib", "-afliberzept", "owner:afliberzept", "zzzzzz", ""])
def test_nothing_better(query: str) -> None:
    assert corrected(parse(query), VOCABULARY, is_known) is None
