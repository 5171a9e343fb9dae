"""Marking why a run was found."""

from __future__ import annotations

import pytest
from hypothesis import given
from search_cases import phrases, trees

from ape_jupyter.model.query import QueryNode
from ape_jupyter.services.search.grammar import parse
from ape_jupyter.services.search.highlighting import highlights


@pytest.mark.parametrize(
    ("query", "field", "text", "expected"),
    [
        ("treat ext", "name", "Treat-and-Extend", ["Treat", "Ext"]),
        ('"and extend"', "name", "Treat-and-Extend", ["and-Extend"]),
        ("treat-and tr", "name", "Treat-and-Extend", ["Treat-and"]),
        ("name:treat", "notes", "treat", []),
        ("name:treat", "name", "treat", ["treat"]),
        ("-treat", "name", "treat", []),
        ("a OR naive", "notes", "naïve a", ["naïve", "a"]),
        ('name="x y"', "name", "x y", ["x y"]),
        ("tag:nhs", "tags", "NHS/site", ["NHS/site"]),
        ("tag=nhs", "tags", "NHS/site", []),
        ("tag:nh*", "tags", "NHS", ["NHS"]),
        ("nhs", "tags", "NHS/site", ["NHS"]),
        ("abs", "checksum", "abs", []),
    ],
)
def test_spans(query: str, field: str, text: str, expected: list[str]) -> None:
    spans = highlights(parse(query), field, text)
    assert [text[start:end] for start, end in spans] == expected


@given(trees, phrases)
def test_spans_are_apart_and_in_order(tree: QueryNode, text: str) -> None:
    spans = highlights(tree, "name", text)
    edges = [edge for span in spans for edge in span]
    assert edges == sorted(set(edges))
    assert all(0 <= edge <= len(text) for edge in edges)
