"""Canonical tables: what is accepted, what is found wrong, and that nothing is lost."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ape_jupyter.errors import Fault
from ape_jupyter.results.canonical import ResultTables, canonical_tables
from ape_jupyter.results.digest import table_digest


def raw_tables() -> dict[str, pa.Table]:
    day = datetime(2024, 1, 1)
    return {
        "patients": pa.table(
            {
                "patient_id": pa.array(["P2", "P1", "P3"], pa.large_string()),
                "enrollment_date": [day, day, day],
                "enrollment_time_days": [0, 0, 0],
                "baseline_vision": [60, 70, 80],
                "final_vision": [61, 71, 81],
                "final_disease_state": ["DiseaseState.STABLE", "ACTIVE", "DiseaseState.NAIVE"],
                "total_injections": [1, 2, 0],
                "total_visits": [1, 2, 0],
                "discontinued": [False, True, False],
                "discontinuation_time": pa.nulls(3),
                "discontinuation_type": pa.nulls(3),
                "sex": ["f", "m", "f"],
            }
        ),
        "visits": pa.table(
            {
                "patient_id": pa.array(["P1", "P2", "P1"], pa.large_string()),
                "date": [datetime(2024, 1, 29), day, day],
                "time_days": [28, 0, 0],
                "vision": [71, 61, 70],
                "injected": [True, True, False],
                "next_interval_days": pa.nulls(3),
                "disease_state": ["DiseaseState.STABLE"] * 3,
            }
        ),
    }


def convert(raw: dict[str, pa.Table], bucket_rows: int = 1000) -> ResultTables:
    faults: list[Fault] = []
    with TemporaryDirectory() as scratch:
        tables = canonical_tables(raw, Path(scratch), faults, bucket_rows=bucket_rows)
        assert faults == []
        assert tables is not None
        return tables.in_memory()


def faults_of(raw: dict[str, pa.Table]) -> set[tuple[str, str | None, int | None]]:
    faults: list[Fault] = []
    with TemporaryDirectory() as scratch:
        assert canonical_tables(raw, Path(scratch), faults) is None
        assert list(Path(scratch).iterdir()) == []
    return {(fault.file, fault.column, fault.rows) for fault in faults}


def replaced(table: pa.Table, name: str, values: object) -> pa.Table:
    index = table.column_names.index(name)
    return table.set_column(index, name, pa.array(values) if isinstance(values, list) else values)


def test_patients_are_sorted_and_visits_follow_them() -> None:
    tables = convert(raw_tables())
    assert tables.patients["patient_id"].to_pylist() == ["P1", "P2", "P3"]
    assert tables.visits["patient_id"].to_pylist() == ["P1", "P1", "P2"]
    assert tables.visits["time_days"].to_pylist() == [0, 28, 0]
    assert tables.visits["vision"].to_pylist() == [70, 71, 61]


def test_codes_of_visits_are_rows_of_patients() -> None:
    visits = convert(raw_tables()).visits["patient_id"].combine_chunks()
    assert visits.indices.to_pylist() == [0, 0, 1]
    assert visits.dictionary.to_pylist() == ["P1", "P2", "P3"]


def test_both_spellings_of_disease_states_become_one() -> None:
    states = convert(raw_tables()).patients["final_disease_state"]
    assert states.to_pylist() == ["ACTIVE", "STABLE", "NAIVE"]


def test_null_typed_and_missing_optional_columns_become_nulls_of_the_right_type() -> None:
    tables = convert(raw_tables())
    assert tables.visits["next_interval_days"].type == pa.int32()
    assert tables.patients["discontinuation_time"].null_count == 3
    assert tables.patients["retreatment_count"].type == pa.int32()


def test_columns_of_the_runs_own_are_kept() -> None:
    assert convert(raw_tables()).patients["sex"].to_pylist() == ["m", "f", "f"]


def test_letters_can_be_subtracted() -> None:
    patients = convert(raw_tables()).patients.to_pandas()
    assert (patients.baseline_vision - patients.final_vision).tolist() == [-1, -1, -1]


def test_whole_floats_with_gaps_are_whole_numbers_with_gaps() -> None:
    raw = raw_tables()
    raw["visits"] = replaced(raw["visits"], "next_interval_days", [28.0, float("nan"), 56.0])
    assert convert(raw).visits["next_interval_days"].to_pylist() == [56, 28, None]


@pytest.mark.parametrize(
    ("table", "column", "values", "rows"),
    [
        ("patients", "final_vision", [1, 2, 101], 1),
        ("patients", "baseline_vision", [-1, 2, -3], 2),
        ("patients", "total_visits", [None, 1, 2], 1),
        ("patients", "final_disease_state", ["STABLE", "CURED", "WORSE"], 2),
        ("patients", "patient_id", ["P1", "P1", "P3"], 1),
        ("patients", "enrollment_date", ["2024-01-01", "soon", "later"], None),
        ("patients", "sex", [[1], [2], [3]], None),
        ("visits", "patient_id", ["P1", "P9", "P8"], 2),
        ("visits", "vision", [1.5, 2.0, 3.0], None),
        ("visits", "injected", [1, 0, 1], None),
        ("visits", "time_days", ["0", "1", "2"], None),
        ("visits", "time_days", [0, -1, 5], 1),
    ],
)
def test_each_fault_is_named_with_column_and_rows(
    table: str, column: str, values: list[object], rows: int | None
) -> None:
    raw = raw_tables()
    raw[table] = replaced(raw[table], column, values)
    assert (table, column, rows) in faults_of(raw)


def test_text_that_is_not_utf8_is_a_fault() -> None:
    raw = raw_tables()
    bad = pa.array([b"P1", b"P2", b"\xff\xfe"], pa.binary()).view(pa.string())
    raw["patients"] = replaced(raw["patients"], "patient_id", bad)
    assert ("patients", "patient_id", None) in faults_of(raw)


def test_all_faults_are_found_together() -> None:
    raw = raw_tables()
    raw["patients"] = replaced(raw["patients"], "final_vision", [1, 2, 999]).drop_columns(
        ["total_visits"]
    )
    raw["visits"] = replaced(raw["visits"], "vision", ["a", "b", "c"]).drop_columns(["date"])
    assert faults_of(raw) >= {
        ("patients", "final_vision", 1),
        ("patients", "total_visits", None),
        ("visits", "vision", None),
        ("visits", "date", None),
    }


def test_canonical_tables_stay_as_they_are() -> None:
    once = convert(raw_tables())
    twice = convert(dict(once.items()))
    assert once.patients.equals(twice.patients)
    assert once.visits.equals(twice.visits)


@settings(max_examples=60, deadline=None)
@given(st.permutations(range(3)), st.permutations(range(3)))
def test_order_of_rows_does_not_change_the_digest(patients: list[int], visits: list[int]) -> None:
    raw = raw_tables()
    shuffled = convert(
        {"patients": raw["patients"].take(patients), "visits": raw["visits"].take(visits)}
    )
    for name, table in convert(raw).items():
        assert table_digest(dict(shuffled.items())[name]) == table_digest(table)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_other_value_changes_the_digest(data: st.DataObject) -> None:
    table = convert(raw_tables()).patients
    name = data.draw(st.sampled_from(["baseline_vision", "total_injections", "patient_id", "sex"]))
    row = data.draw(st.integers(0, 2))
    values = table[name].to_pylist()
    old = values[row]
    values[row] = data.draw(
        (st.text(max_size=3) if isinstance(old, str) else st.integers(0, 100)).filter(
            lambda value: value != old
        )
    )
    changed = replaced(table, name, pa.array(values, table[name].type))
    assert table_digest(changed) != table_digest(table)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.one_of(st.none(), st.text(max_size=5)), max_size=20),
    st.integers(0, 20),
)
def test_digest_does_not_depend_on_chunks(values: list[str | None], cut: int) -> None:
    whole = pa.array(values, pa.string())
    parts = pa.chunked_array([whole[:cut], whole[cut:]], pa.string())
    assert table_digest(pa.table({"a": whole})) == table_digest(pa.table({"a": parts}))


def test_null_and_zero_have_different_digests() -> None:
    zero, null = (pa.table({"a": pa.array([value], pa.int32())}) for value in (0, None))
    assert table_digest(zero) != table_digest(null)
    assert np.array_equal([0], zero["a"].to_numpy())
