"""Searches with slips."""

from __future__ import annotations

import pytest

from ape_jupyter.model.query import Words
from ape_jupyter.model.search_words import has_tokens
from ape_jupyter.services.search.grammar import parse
from ape_jupyter.services.search.spelling import corrected, near_words

VOCABULARY = {"aflibercept": 9, "ranibizumab": 4, "treat": 9, "trial": 8, "extend": 3, "pond": 1}


def is_found(words: Words) -> bool:
    (word,) = words.tokens
    return any(has_tokens([known], [word], is_prefix=words.is_prefix) for known in VOCABULARY)


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
def test_near_words(word: str, expected: str | None) -> None:
    assert next(iter(near_words(word, VOCABULARY)), None) == expected


def test_only_unknown_words_are_replaced() -> None:
    found = corrected(parse("treat (afliberzept OR pond) n_patients>5"), VOCABULARY, is_found)
    assert found is not None
    assert found.tree == parse("treat (aflibercept OR pond) n_patients>5")
    assert found.replaced == (("afliberzept", "aflibercept"),)


@pytest.mark.parametrize("query", ["aflib", "-afliberzept", "owner:afliberzept", "zzzzzz", ""])
def test_nothing_better(query: str) -> None:
    assert corrected(parse(query), VOCABULARY, is_found) is None


def test_a_word_that_no_search_finds_is_not_told() -> None:
    query = parse("treat afliberzept")
    hidden = {**VOCABULARY, "afliberzepd": 99}
    found = corrected(query, hidden, is_found)
    assert found is not None
    assert found.tree == parse("treat aflibercept")
    assert corrected(query, {"afliberzepd": 99}, is_found) is None
