"""Filters give the tree that a typed search gives."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ape_jupyter.errors import InvalidArgumentError, QuerySyntaxError
from ape_jupyter.model.query import EVERYTHING
from ape_jupyter.services.search.filters import FilterValue, filters_tree
from ape_jupyter.services.search.grammar import MAX_TERMS, parse


@pytest.mark.parametrize(
    ("field", "values", "same"),
    [
        ("protocol", ("Fixed 100% dose",), 'protocol="Fixed 100% dose"'),
        ("engine", ("abs", "des"), "engine=abs,des"),
        ("seed", (1, 234), "seed=1 OR seed=234"),
        ("n_patients", ("200",), "n_patients=200"),
        ("n_patients", (">=10k",), "n_patients>=10000"),
        ("n_patients", ("1k..5k", "7k"), "n_patients:1000..5000,7000"),
        ("created_at", ("<30d",), "created<30d"),
        (
            "created_at",
            (datetime(2026, 1, 1, 10, 0, 0, 5, tzinfo=UTC),),
            "created=2026-01-01T10:00:00.000005Z",
        ),
        ("tag", ("NHS", "b"), "tag=nhs tag=b"),
        ("has_costs", (True,), "has:costs"),
        ("has_costs", ("false",), "-has:costs"),
        ("is", ("pinned",), "is:pinned"),
        ("protocol.min_interval_days", ("56",), "protocol.min_interval_days=56"),
        ("protocol.author", ("Clinical Team",), 'protocol.author="Clinical Team"'),
        ("duration_years", (1.5,), "duration=1.5"),
    ],
)
def test_same_as_typed(field: str, values: tuple[FilterValue, ...], same: str) -> None:
    assert filters_tree([(field, values)]) == parse(same)


def test_all_filters_hold() -> None:
    assert filters_tree([("engine", ("abs",)), ("seed", (1,))]) == parse("engine=abs seed=1")
    assert filters_tree([]) == EVERYTHING


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("nothing", ("x",)),
        ("n_patients", ("many",)),
        ("n_patients", (float("nan"),)),
        ("n_patients", (True,)),
        ("has_costs", ("perhaps",)),
        ("engine", ()),
        ("engine", ("a\x00",)),
        ("name", ("\ud800",)),
        ("tag", ("",)),
        ("seed", tuple(range(MAX_TERMS + 1))),
    ],
)
def test_refused(field: str, values: tuple[FilterValue, ...]) -> None:
    with pytest.raises(QuerySyntaxError) as caught:
        filters_tree([(field, values)])
    assert isinstance(caught.value, InvalidArgumentError)
    assert caught.value.hint
