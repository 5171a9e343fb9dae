"""Runs larger than memory: the same result however they are cut, and nothing left behind."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from ape_jupyter.cache.mapped import write_table
from ape_jupyter.errors import CorruptedDataError, Fault
from ape_jupyter.library.data import SimulationResults
from ape_jupyter.library.registration import VisitedPatients
from ape_jupyter.results import parquet_parts, sources
from ape_jupyter.results.canonical import ResultTables, RunTables, canonical_tables
from ape_jupyter.results.patient_rows import PatientRows
from ape_jupyter.results.store import ObjectStore
from ape_jupyter.results.summary import summarise
from ape_jupyter.results.summing import SummaryOfBuckets

START = datetime(2024, 1, 1)


def made_run(n_patients: int, n_visits: int, seed: int = 0) -> dict[str, pa.Table]:
    """A run with ties in time, gaps, words, patients without visits, and no order at all."""
    random = np.random.default_rng(seed)
    ids = np.array([f"P{number}" for number in random.permutation(n_patients)])
    patients = pa.table(
        {
            "patient_id": ids,
            "enrollment_date": [START] * n_patients,
            "enrollment_time_days": [0] * n_patients,
            "baseline_vision": random.integers(0, 101, n_patients),
            "final_vision": random.integers(0, 101, n_patients),
            "final_disease_state": ["STABLE"] * n_patients,
            "total_injections": [1] * n_patients,
            "total_visits": [1] * n_patients,
        }
    )
    # Squares crowd the visits onto few patients.
    owner = ids[(random.random(n_visits) ** 2 * n_patients).astype(int)]
    days = random.integers(0, 5, n_visits)
    dates = np.datetime64(START, "us") + days.astype("timedelta64[D]")
    visits = pa.table(
        {
            "patient_id": owner,
            "date": dates,
            "time_days": days,
            "vision": random.integers(0, 101, n_visits),
            "injected": random.random(n_visits) < 0.5,
            "next_interval_days": pa.array(
                random.integers(0, 90, n_visits), mask=random.random(n_visits) < 0.05
            ),
            "disease_state": random.choice(["DiseaseState.ACTIVE", "STABLE"], n_visits),
            "eye": pa.array(random.choice(["left", "right", "both"], n_visits)).dictionary_encode(),
            "note": random.choice(["", "a", "bb"], n_visits),
        }
    )
    costs = pa.table(
        {
            "patient_id": owner,
            "date": dates,
            "visit_type": random.choice(["regular", "initial"], n_visits),
            "total_cost": random.random(n_visits),
        }
    )
    return {"patients": patients, "visits": visits, "costs": costs}


def canonical(raw: dict[str, Any], scratch: Path, bucket_rows: int) -> RunTables:
    faults: list[Fault] = []
    tables = canonical_tables(raw, scratch, faults, bucket_rows=bucket_rows)
    assert faults == []
    assert tables is not None
    return tables


def in_batches_of(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (sources, parquet_parts):
        monkeypatch.setattr(module, "BATCH_ROWS", rows)


def opened_store(directory: Path) -> ObjectStore:
    for name in ("objects", "staging"):
        (directory / name).mkdir()
    return ObjectStore(directory / "objects", directory / "staging")


@settings(max_examples=40, deadline=None)
@given(
    n_patients=st.integers(1, 40),
    n_visits=st.integers(1, 200),
    bucket_rows=st.integers(1, 120),
    batch_rows=st.integers(1, 90),
    seed=st.integers(0, 10),
)
def test_results_do_not_depend_on_batches_and_buckets(
    n_patients: int, n_visits: int, bucket_rows: int, batch_rows: int, seed: int
) -> None:
    raw = made_run(n_patients, n_visits, seed)
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        scratch = Path(name)
        store = opened_store(scratch)
        whole = canonical(raw, scratch, 10**6)
        expected = whole.in_memory()
        assert not list(scratch.glob("*.arrow"))
        in_batches_of(batch_rows, patch)
        cut = canonical(raw, scratch, bucket_rows)
        assert bool(list(scratch.glob("*.arrow"))) == (n_visits > bucket_rows)

        years = 1.0
        start = START.replace(tzinfo=UTC)
        summary, visited = SummaryOfBuckets(start, years), VisitedPatients()
        stored = store.publish(cut, {}, [summary, visited])
        assert stored.digest == store.publish(whole, {}).digest
        assert cut.digests() == whole.digests() == store.table_digests(stored.digest)
        whole_summary = summarise(expected, start, years).to_arrow()
        # Unlike Arrow, pandas takes a missing maximum for equal to a missing maximum.
        assert_frame_equal(summary.result(cut).to_pandas(), whole_summary.to_pandas())
        assert visited.n_patients == n_patients
        assert visited.n_without == n_patients - len(set(raw["visits"]["patient_id"].to_pylist()))
        for tables in (cut, store.read(stored.digest)):
            for table, content in tables.in_memory().items():
                assert content.equals(dict(expected.items())[table])


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 60), st.integers(1, 60))
def test_buckets_are_bounded_and_cover_all_patients(bucket_rows: int, n_patients: int) -> None:
    raw = made_run(n_patients, 150)
    with tempfile.TemporaryDirectory() as scratch:
        buckets = list(canonical(raw, Path(scratch), bucket_rows).visits.buckets())
    assert buckets[0].first == 0
    assert buckets[-1].stop == n_patients
    assert all(one.stop == two.first for one, two in pairwise(buckets))
    for bucket in buckets:
        owners = set(bucket.localised()["patient_id"].combine_chunks().indices.to_pylist())
        assert owners
        assert max(owners) < bucket.stop - bucket.first
        assert bucket.rows.num_rows <= bucket_rows or len(owners) == 1


@pytest.mark.parametrize("batch_rows", [1, 7, 1000])
def test_faults_do_not_depend_on_batches(
    batch_rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = made_run(20, 100)
    vision = raw["visits"]["vision"].to_pylist()
    ids = raw["visits"]["patient_id"].to_pylist()
    days = raw["visits"]["time_days"].cast(pa.float64()).to_pylist()
    states = raw["visits"]["disease_state"].to_pylist()
    vision[3] = vision[50] = vision[99] = 101
    vision[98] = None
    ids[10] = ids[60] = "P999"
    days[70] = 0.5
    days[80] = -1
    states[0] = states[90] = "CURED"
    raw["visits"] = pa.table(
        {
            **{name: raw["visits"][name] for name in raw["visits"].column_names},
            "vision": vision,
            "patient_id": ids,
            "time_days": days,
            "disease_state": states,
        }
    )
    in_batches_of(batch_rows, monkeypatch)
    faults: list[Fault] = []
    assert canonical_tables(raw, tmp_path, faults, bucket_rows=5) is None
    assert {(fault.column, fault.problem, fault.rows) for fault in faults} == {
        ("time_days", "has type double, expected int32", None),
        ("patient_id", "patients are not in the patients table", 2),
        ("vision", "values outside 0 to 100", 3),
        ("vision", "values are missing", 1),
        ("disease_state", "values are not one of NAIVE, STABLE, ACTIVE, HIGHLY_ACTIVE", 2),
    }
    assert len(faults) == 5


def test_parquet_in_many_row_groups_is_as_good_as_a_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = made_run(50, 1000)
    paths = {}
    for name, table in raw.items():
        paths[name] = tmp_path / f"{name}.parquet"
        pq.write_table(table, paths[name], row_group_size=77)
    expected = canonical(raw, tmp_path, 10**6).digests()
    in_batches_of(100, monkeypatch)
    assert canonical(paths, tmp_path, 90).digests() == expected


@pytest.fixture
def stored(tmp_path: Path) -> tuple[ObjectStore, str, ResultTables]:
    tables = canonical(made_run(60, 1500), tmp_path, 100)
    store = opened_store(tmp_path)
    return store, store.publish(tables, {}).digest, tables.in_memory()


def opened_results(store: ObjectStore, digest: str, directory: Path) -> SimulationResults:
    paths = {}
    for name, stream in store.read(digest).streams().items():
        paths[name] = directory / f"{name}.arrow"
        write_table(stream, paths[name])
    return SimulationResults.open(paths)


def test_the_cache_has_a_batch_for_each_row_group(
    stored: tuple[ObjectStore, str, ResultTables], tmp_path: Path
) -> None:
    store, digest, expected = stored
    results = opened_results(store, digest, tmp_path)
    groups = pq.ParquetFile(store.path(digest) / "visits.parquet").num_row_groups
    assert results.visits["patient_id"].num_chunks == groups > 10
    assert results.visits.equals(expected.visits)
    assert results.costs is not None
    assert results.costs.equals(expected.costs)


def test_each_patient_is_found_among_chunks(
    stored: tuple[ObjectStore, str, ResultTables], tmp_path: Path
) -> None:
    store, digest, expected = stored
    results = opened_results(store, digest, tmp_path)
    frame = expected.visits.to_pandas()
    for patient_id in expected.patients["patient_id"].to_pylist():
        record = results.patient(patient_id)
        assert record.patient["patient_id"] == patient_id
        own = frame[frame["patient_id"] == patient_id].reset_index(drop=True)
        assert record.visits.num_rows == len(own)
        assert record.visits["vision"].to_pylist() == own["vision"].tolist()


def test_other_data_than_was_stored_never_gets_into_the_cache(
    stored: tuple[ObjectStore, str, ResultTables], tmp_path: Path
) -> None:
    store, digest, expected = stored
    path = store.path(digest) / "visits.parquet"
    path.chmod(0o600)
    vision = expected.visits.schema.get_field_index("vision")
    changed = pa.array(expected.visits["vision"].to_numpy() // 2, pa.int16())
    pq.write_table(expected.visits.set_column(vision, "vision", changed), path)
    with pytest.raises(CorruptedDataError, match="other data"):
        write_table(store.read(digest).streams()["visits"], tmp_path / "visits.arrow")
    assert not list(tmp_path.glob("*visits.arrow*"))


@settings(max_examples=200, deadline=None)
@given(
    st.sets(st.text("ab\0é", max_size=4), min_size=1, max_size=20),
    st.lists(st.text("ab\0é", max_size=4), max_size=20),
)
def test_rows_of_patients_are_those_of_a_search(ids: set[str], wanted: list[str]) -> None:
    ordered = sorted(ids, key=str.encode)
    rows = PatientRows(pa.array(ordered))
    # Ids that come in order are found in another way than others.
    for names in (wanted, sorted(wanted, key=str.encode), [*ordered, *ordered]):
        expected = [ordered.index(name) if name in ids else None for name in names]
        plain = pa.array(names, pa.string())
        for values in (plain, plain.cast(pa.large_string()), plain.dictionary_encode()):
            codes, n_unknown = rows.encode(values)
            assert codes.to_pylist() == expected
            assert n_unknown == expected.count(None)


@pytest.mark.parametrize("length", [64, 65, 500])
def test_long_ids_are_found_too(length: int) -> None:
    ids = pa.array(["a" * length, "b"])
    codes, n_unknown = PatientRows(ids).encode(pa.array(["b", "a" * length, "c"]))
    assert codes.to_pylist() == [1, 0, None]
    assert n_unknown == 1


def in_parts(
    table: pa.Table, cuts: list[int], directory: Path, random: np.random.Generator
) -> Path:
    """Write parts as different programs would: other orders of columns, other types."""
    directory.mkdir()
    bounds = [0, *sorted(cut % (len(table) + 1) for cut in cuts), len(table)]
    for number, (begin, end) in enumerate(pairwise(bounds)):
        part = table.slice(begin, end - begin)
        for name in part.column_names:
            values = part[name]
            if pa.types.is_dictionary(values.type):
                values = values.cast(pa.string()).dictionary_encode()
            elif pa.types.is_integer(values.type) and random.random() < 0.3:
                values = values.cast(random.choice([pa.int16(), pa.float64()]))
            elif pa.types.is_string(values.type) and random.random() < 0.3:
                values = values.cast(pa.large_string())
            part = part.set_column(part.column_names.index(name), name, values)
        shuffled = part.select(random.permutation(part.column_names).tolist())
        if number == 0:
            # Which order the columns of the run's own have is taken from the first part.
            shuffled = part
        pq.write_table(shuffled, directory / f"{number}.parquet", row_group_size=7)
    return directory


@settings(max_examples=20, deadline=None)
@given(
    n_patients=st.integers(1, 20),
    n_visits=st.integers(1, 100),
    cuts=st.lists(st.integers(0, 1000), max_size=12),
    seed=st.integers(0, 2**16),
)
def test_a_dataset_says_what_its_rows_say(
    n_patients: int, n_visits: int, cuts: list[int], seed: int
) -> None:
    raw = made_run(n_patients, n_visits, seed)
    random = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as scratch, tempfile.TemporaryDirectory() as other:
        expected = canonical(raw, Path(scratch), 50).digests()
        parts = {name: in_parts(raw[name], cuts, Path(other) / name, random) for name in raw}
        assert canonical(parts, Path(other), 50).digests() == expected
        joined = {name: Path(other) / f"{name}.parquet" for name in raw}
        for name, directory in parts.items():
            assert parquet_parts.join_parts(directory, joined[name], [])
        assert canonical(joined, Path(other), 50).digests() == expected
