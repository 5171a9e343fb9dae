"""What a search means for a run."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from search_cases import NOW, conditions, runs, searchable, trees

from ape_jupyter.model.query import QueryNode, all_of, any_of, negation
from ape_jupyter.services.search.evaluation import SearchableRun, matches
from ape_jupyter.services.search.grammar import parse

RUN = searchable(
    name="Ångström run",
    notes="Saturday clinics; aflibercept, treat-and-extend.",
    tags=("NHS/Site 2", "draft"),
    has_costs=True,
    last_accessed=NOW - timedelta(days=10),
)


@pytest.mark.parametrize(
    "text",
    [
        *("", "saturday clin", "angstrom", "AFLIB", '"treat and extend"', '"treat and ext"*'),
        *("name:run", 'name="Ångström run"', "notes:saturday", "id:sim_20260101", "engine:abs"),
        *("tag:nhs", 'tag:"nhs/site 2"', "tag:dra*", "tag=DRAFT", "nhs", "tag:x,draft", "-tag:x"),
        *("has:costs", "-is:pinned", "is:imported", "has:tags", "-has:seed", "seed!=5", "-seed>0"),
        *("n_patients>=300", "patients:100..300", "vision>64", "injections=1.2k", "duration:2"),
        *("created:2026-01-01", "created:>30d", "accessed:<11d", "created<2026-02"),
        *("protocol.min_interval_days>=56", "protocol.version:1.0", "protocol.types:adverse"),
        *("protocol.author:clinical", "protocol.enabled:true", "protocol.types=3"),
        *("nothing OR saturday", "(nothing OR saturday) -sunday"),
    ],
)
def test_matches(text: str) -> None:
    assert matches(parse(text), RUN, now=NOW)


@pytest.mark.parametrize(
    "text",
    [
        *("sunday", '"and treat"', '"treat and ext"', "aturday", "name:saturday", "name=run"),
        *("tag:site", "tag:nh", "tag=nhs", "is:pinned", "has:seed", "seed:5", "seed<5", "seed>5"),
        *("n_patients>300", "n_patients:100..<300", "vision>64.5", "created:<30d", "accessed:<9d"),
        *("protocol.min_interval_days>56", "protocol.missing:x", "-protocol.types:planned"),
        *("protocol.version>1", '"run saturday"', '"2 draft"'),
    ],
)
def test_does_not_match(text: str) -> None:
    assert not matches(parse(text), RUN, now=NOW)


@given(conditions, conditions, runs)
def test_logic(one: QueryNode, other: QueryNode, run: SearchableRun) -> None:
    def holds(tree: QueryNode) -> bool:
        return matches(tree, run, now=NOW)

    assert holds(negation(one)) != holds(one)
    assert holds(all_of([one, other])) == (holds(one) and holds(other))
    assert holds(any_of([one, other])) == (holds(one) or holds(other))


@given(trees, runs)
def test_every_tree_can_be_evaluated(tree: QueryNode, run: SearchableRun) -> None:
    assert matches(tree, run, now=NOW) in (True, False)
