"""The parts of a run add up to the whole, however it is split, in whatever order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from summary_cases import START, Patient, runs_, tables_of, years_
from summary_money import costs_of, resources_of

from ape_jupyter.results.canonical import ResultTables
from ape_jupyter.results.summary import (
    CountTable,
    MomentTable,
    Summary,
    SummaryBuilder,
    TableKey,
    summarise,
)


def assert_same(a: Summary, b: Summary) -> None:
    assert set(a.tables) == set(b.tables)
    for key, table in a.tables.items():
        same_table(key, table, b.tables[key])


def same_table(key: TableKey, a: CountTable | MomentTable, b: CountTable | MomentTable) -> None:
    assert a.bins.tolist() == b.bins.tolist(), key
    assert a.counts.tolist() == b.counts.tolist(), key
    if isinstance(a, CountTable):
        assert a.values.tolist() == b.values.tolist(), key
        return
    for name in ("sums", "squares", "minima", "maxima"):
        np.testing.assert_allclose(getattr(a, name), getattr(b, name), rtol=1e-9, atol=1e-6)


def with_costs(patients: Sequence[Patient]) -> ResultTables:
    tables = tables_of(patients)
    return ResultTables(
        patients=tables.patients, visits=tables.visits, costs=costs_of(patients, tables)
    )


@settings(max_examples=60, deadline=None)
@given(runs_, years_, st.data())
def test_any_parts_in_any_order_add_up_to_the_whole(
    patients: list[Patient], years: float, data: st.DataObject
) -> None:
    part_of = data.draw(st.lists(st.integers(0, 3), min_size=len(patients), max_size=len(patients)))
    parts = [
        summarise(
            with_costs([p for p, n in zip(patients, part_of, strict=True) if n == k]), START, years
        )
        for k in sorted(set(part_of))
    ]
    whole = summarise(with_costs(patients), START, years)
    shuffled = data.draw(st.permutations(parts))
    one_by_one = Summary({})
    for part in shuffled:
        one_by_one += part
    assert_same(one_by_one, whole)
    assert_same(Summary.total(parts), whole)
    assert_same(Summary.from_arrow(Summary.total(shuffled).to_arrow()), whole)


@settings(max_examples=40, deadline=None)
@given(runs_, years_, st.integers(1, 3))
def test_a_run_can_be_added_in_buckets(patients: list[Patient], years: float, bucket: int) -> None:
    tables = with_costs(patients)
    builder = SummaryBuilder(START, years)
    codes = tables.visits["patient_id"].combine_chunks().indices.to_numpy()
    costs = tables.costs
    assert costs is not None
    cost_codes = costs["patient_id"].combine_chunks().indices.to_numpy()
    for first in range(0, len(patients), bucket):
        begin, end = np.searchsorted(codes, [first, first + bucket])
        some = tables.patients.slice(first, bucket)
        builder.add(some, tables.visits.slice(begin, end - begin), first)
        begin, end = np.searchsorted(cost_codes, [first, first + bucket])
        builder.add_costs(some, costs.slice(begin, end - begin), first)
    assert_same(builder.result(), summarise(tables, START, years))


def test_many_buckets_are_joined_on_the_way() -> None:
    patients = [Patient(i % 50, 70) for i in range(40)]
    builder = SummaryBuilder(START, 1.0)
    for first, patient in enumerate(patients):
        one = tables_of([patient])
        builder.add(one.patients, one.visits)
        assert len(builder._parts) <= 9, first
    assert_same(builder.result(), summarise(tables_of(patients), START, 1.0))


def test_equal_summaries_have_equal_bytes() -> None:
    tables = tables_of([Patient(0, 70), Patient(30, 60)])
    a, b = (summarise(tables, START, 1.0).to_arrow() for _ in range(2))
    assert a.equals(b)
    halves = [tables_of([Patient(0, 70)]), tables_of([Patient(30, 60)])]
    joined = Summary.total(summarise(half, START, 1.0) for half in reversed(halves))
    assert joined.to_arrow().equals(a)


def test_a_summary_of_another_version_is_refused() -> None:
    table = summarise(tables_of([Patient(0, 70)]), START, 1.0).to_arrow()
    other = table.replace_schema_metadata({"ape_jupyter.summary_version": "1"})
    for wrong in (other, table.replace_schema_metadata(None), table.drop_columns(["counts"])):
        with pytest.raises(ValueError, match="not a summary of version"):
            Summary.from_arrow(wrong)


def test_the_empty_summary_can_be_stored() -> None:
    assert dict(Summary.from_arrow(SummaryBuilder(START, 1.0).result().to_arrow()).tables) == {}


def test_resources_are_added_by_day() -> None:
    days = resources_of([3, None, 5, 40_000])
    builder = SummaryBuilder(START, 1.0)
    builder.add_resources(days.slice(2))
    builder.add_resources(days.slice(0, 2))
    whole = SummaryBuilder(START, 1.0)
    whole.add_resources(days)
    assert_same(builder.result(), whole.result())


@settings(max_examples=30, deadline=None)
@given(runs_, st.integers(1, 5))
def test_large_parts_are_counted_piece_by_piece(patients: list[Patient], at_once: int) -> None:
    tables = tables_of(patients)
    whole = summarise(tables, START, 1.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ape_jupyter.results.summary.summary._VISITS_AT_ONCE", at_once)
        assert_same(summarise(tables, START, 1.0), whole)
