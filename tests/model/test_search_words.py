"""What a word is, and that an index of ASCII says the same."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from search_cases import phrases

from ape_jupyter.model.search_words import (
    MAX_TOKEN_CHARACTERS,
    find_tokens,
    fold,
    has_tokens,
    index_text,
    indexed_token,
    tokens,
)

TEXTS = phrases | st.text(max_size=40)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Treat-and-Extend (8 weeks)", ("treat", "and", "extend", "8", "weeks")),
        ("sim_20260101_120000_01-00_x", ("sim", "20260101", "120000", "01", "00", "x")),
        ("Ångström naïve e\u0301te\u0301", ("angstrom", "naive", "ete")),
        ("STRASSE straße ﬁxed ①", ("strasse", "strasse", "fixed", "1")),
        ("İstanbul ΠΟΔΌΣ ποδός", ("istanbul", "ποδοσ", "ποδοσ")),
        ("don't soft\u00adhyphen zero\u200bwidth", ("don", "t", "softhyphen", "zerowidth")),
        ("眼科 abc", ("眼", "科", "abc")),
        ("& — * ½", ("1", "2")),
        ("", ()),
    ],
)
def test_tokens(text: str, expected: tuple[str, ...]) -> None:
    assert tokens(text) == expected


@given(TEXTS)
def test_tokens_are_their_own_tokens(text: str) -> None:
    found = tokens(text)
    assert tokens(" ".join(found)) == found
    assert tokens("-".join(found)) == found
    assert tokens(fold(text)) == found
    assert all(0 < len(token) <= MAX_TOKEN_CHARACTERS for token in found)


def test_folding_every_character_twice_changes_nothing_more() -> None:
    # All that are assigned, without ideographs and Hangul, of which there are 190,000 alike.
    for code in (*range(0x3400), *range(0xA000, 0xAC00), *range(0xD7B0, 0x20000)):
        if unicodedata.category(character := chr(code)) not in ("Cn", "Co", "Cs"):
            once = fold(character)
            assert fold(once) == once, hex(code)
            assert tokens(once) == tokens(character), hex(code)


@given(TEXTS, TEXTS, st.booleans())
def test_the_index_text_says_what_the_tokens_say(text: str, query: str, is_prefix: bool) -> None:
    wanted = tokens(query)
    asked = f" {' '.join(map(indexed_token, wanted))}{'' if is_prefix else ' '}"
    indexed = index_text(text)
    assert indexed.isascii()
    assert not wanted or (asked in indexed) == has_tokens(tokens(text), wanted, is_prefix=is_prefix)


@given(TEXTS, TEXTS, st.booleans())
def test_what_is_found_is_what_was_asked_for(text: str, query: str, is_prefix: bool) -> None:
    wanted = tokens(query)
    places = find_tokens(text, wanted, is_prefix=is_prefix)
    assert bool(places) == (bool(wanted) and has_tokens(tokens(text), wanted, is_prefix=is_prefix))
    for start, end in places:
        shown = tokens(text[start:end])
        assert shown[: len(wanted) - 1] == wanted[:-1]
        assert shown[len(wanted) - 1].startswith(wanted[-1])


@pytest.mark.parametrize(
    ("text", "query", "is_prefix", "expected"),
    [
        ("Aflibercept T&E", "afli", True, ["Afli"]),
        ("Aflibercept T&E", "t e", False, ["T&E"]),
        ("une E\u0301te\u0301 ici", "été", False, ["E\u0301te\u0301"]),
        ("Straße", "stras", True, ["Straß"]),
        ("a a a", "a a", False, ["a a", "a a"]),
        ("extend", "ext", False, []),
    ],
)
def test_where_it_is_found(text: str, query: str, is_prefix: bool, expected: list[str]) -> None:
    places = find_tokens(text, tokens(query), is_prefix=is_prefix)
    assert [text[start:end] for start, end in places] == expected
