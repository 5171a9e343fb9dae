"""The query language: what means what, and what is said when it means nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from search_cases import query_texts, trees

from ape_jupyter.errors import QuerySyntaxError
from ape_jupyter.model.query import EVERYTHING, QueryNode
from ape_jupyter.services.search.grammar import MAX_CHARACTERS, MAX_DEPTH, MAX_TERMS, parse
from ape_jupyter.services.search.printing import query_text


@pytest.mark.parametrize(
    ("text", "same"),
    [
        # Precedence: NOT, then AND, then OR.
        ("a b OR c d", "(a AND b) OR (c AND d)"),
        ("a OR b c", "a OR (b c)"),
        ("-a b", "(-a) b"),
        ("NOT a OR b", "(NOT a) OR b"),
        ("NOT NOT a", "a"),
        ("--a", "a"),
        ("((a))", "a"),
        ("a (b (c d))", "a b c d"),
        # Words
        ("Treat-and-Extend", "treat-and-extend"),
        ("aflib*", "aflib"),
        ("sim_2026_01-00_flat-pond", '"sim 2026 01 00 flat pond"*'),
        ("a & b - c *", "a b c"),
        ("-& a", "a"),
        ("“Treat and Extend”", '"treat and extend"'),
        ("patient's", '"patient s"*'),
        ('5" needle', "5 needle"),
        ("10:30", '"10 30"*'),
        ("ranibizumab <script>", "ranibizumab script"),
        ("treat and extend or not", 'treat "and"* extend "or"* "not"*'),
        # Fields, by any of their names
        ("PROTOCOL:x", "protocol_name:x"),
        ("engine:abs,des", "engine_type:abs OR engine_type:des"),
        ('protocol:"Treat, Extend",prn', 'protocol:"treat extend" OR protocol:prn'),
        ("n_patients >= 10k", "patients>=10000"),
        ("patients:>=10k", "patients>=10000"),
        ("seed==5", "seed=5"),
        ("seed!=5", "-seed:5"),
        ("size>1GB", "file_size_mb>1000"),
        ("size<10M", "file_size_mb<10"),
        ("discontinuation>20%", "headline.discontinuation_rate>0.2"),
        ("n_patients:1.1k..2k", "n_patients:1100..2000"),
        ("n_patients:..5", "n_patients<=5"),
        ("n_patients:5<..", "n_patients>5"),
        ("has_costs:no", "-has:costs"),
        ("is:pinned,linked", "is:pinned OR is:linked"),
        # Times
        ("created:2026-01..2026-06", "created_at>=2026-01-01 created_at<2026-07-01"),
        ("created:2026", "created:2026-01..2026-12"),
        ("created<=2026-06", "created<2026-07-01"),
        ("created>2026-06-05T10:30", "created>=2026-06-05T10:31"),
        ("created:>2w", "created>14d"),
        ("created:30d..90d", "created:90d..30d"),
        ("created>=2026-01-01T00:00+02:00", "created>=2025-12-31T22:00Z"),
        # Parameters
        ("protocol.Min_Interval_Days>=8w", "protocol.min_interval_days>=56"),
        ("protocol.größe:x", 'protocol.grosse:"x"*'),
        ("protocol.version:1.0", "protocol.version=1"),
    ],
)
def test_same_meaning(text: str, same: str) -> None:
    tree = parse(text)
    if "created" in text and ".." in text and "d" not in text.split(":")[1]:
        # A range is one node, two comparisons are two.
        assert _ends(tree) == _ends(parse(same))
    else:
        assert tree == parse(same)


def _ends(tree: QueryNode) -> set[object]:
    nodes = getattr(tree, "operands", (tree,))
    return {end for node in nodes for end in (node.since, node.until)} - {None}


@pytest.mark.parametrize(
    ("text", "position", "says"),
    [
        ("foo:bar", 0, 'put it in quotes: "foo:bar"'),
        ("a protcol:x", 2, "'protocol'"),
        ("is:pined", 0, "is:pinned"),
        ("has:everything", 0, "has:costs"),
        ('a "b', 2, "not closed"),
        ("(a", 2, "Add )"),
        ("a)", 1, "was not opened"),
        ("a ()", 3, "nothing between"),
        ("a AND", 5, "need something after"),
        ("OR a", 0, "nothing before"),
        ("a OR OR b", 5, "nothing before"),
        ("tag:", 4, "value is missing"),
        ("tag:(a b)", 4, "field:a,b"),
        ("tag:a, b", 5, "without a space"),
        ("n_patients:10,000", 0, "Write 10000"),
        ("n_patients>10,000", 0, "Write 10000"),
        ("n_patients>1,2", 0, "one value"),
        ("n_patients:many", 0, "is a number"),
        ("n_patients:5..2", 0, "Write 2..5"),
        ("duration>ten", 0, "of years"),
        ("x name>3", 2, "has no order"),
        ("created:30d", 0, "created_at:<30d"),
        ("created:2026-02-30", 0, "is a time"),
        ("created:2027..2026", 0, "ends before"),
        ("created:yesterday", 0, "created_at:<30d"),
        ("has_costs:perhaps", 0, "has:costs"),
        ('tag:""', 0, "can not be empty"),
        ("name:&", 0, "letters or digits"),
        ("protocol.author>clinical", 0, "not a number"),
        ("a\x00b", 1, "can not be searched"),
        ("ab\ud800", 2, "can not be searched"),
    ],
)
def test_errors_help(text: str, position: int, says: str) -> None:
    with pytest.raises(QuerySyntaxError) as caught:
        parse(text)
    assert caught.value.position == position
    assert says in str(caught.value)
    assert caught.value.hint


def test_size_is_bounded() -> None:
    assert parse("a " * MAX_TERMS)
    for text in (
        "a " * (MAX_TERMS + 1),
        "a" * (MAX_CHARACTERS + 1),
        "a (b OR " * (MAX_DEPTH + 1) + "c" + ")" * (MAX_DEPTH + 1),
    ):
        with pytest.raises(QuerySyntaxError) as caught:
            parse(text)
        assert caught.value.hint
    # Depth that says nothing is no depth.
    assert parse("(" * 4000 + "a" + ")" * 4000) == parse("-" * 4000 + "a") == parse("a")


@given(query_texts)
@settings(max_examples=400)
@example('name:"\\')
@example("tag:\u037a")
def test_any_text_has_a_meaning_or_an_error(text: str) -> None:
    parsed = _parsed(text)
    if isinstance(parsed, QuerySyntaxError):
        assert 0 <= parsed.position <= len(text)
        assert parsed.hint
    else:
        assert parse(query_text(parsed)) == parsed


def _parsed(text: str) -> QueryNode | QuerySyntaxError:
    try:
        return parse(text)
    except QuerySyntaxError as error:
        return error


@given(trees)
@settings(max_examples=400)
def test_a_printed_tree_is_parsed_to_itself(tree: QueryNode) -> None:
    assert parse(query_text(tree)) == tree


def test_every_example_of_the_documentation_is_understood() -> None:
    page = (Path(__file__).parents[3] / "docs" / "search.md").read_text()
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    examples = [example for row in rows for example in re.findall(r"`([^`]+)`", row)]
    assert len(examples) > 15
    for text in examples:
        assert parse(text.replace("…", "a"))


def test_nothing_means_everything() -> None:
    assert parse("") == parse("  ") == parse("*") == parse("(&)") == EVERYTHING
    assert query_text(EVERYTHING) == ""
