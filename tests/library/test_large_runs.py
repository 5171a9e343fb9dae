"""Runs that do not fit into one bucket, through the library; progress by rows; cancelling."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

import pytest

from ape_jupyter.demo.generator import RunSpec, write_results
from ape_jupyter.library import intake
from ape_jupyter.library.local import LocalLibrary
from ape_jupyter.library.preparation import prepare_run
from ape_jupyter.model.progress import Progress
from ape_jupyter.results import canonical, parquet_parts

SPEC = RunSpec(n_patients=300, memorable_name="long-canal", seed=9, with_costs=True)


class StoppedError(Exception):
    pass


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return write_results(tmp_path / "results", SPEC)


def cut_finely(monkeypatch: pytest.MonkeyPatch) -> None:
    # What is changed here would not be changed in another process.
    monkeypatch.setattr(intake, "prepare_isolated", prepare_run)
    monkeypatch.setattr(parquet_parts, "BATCH_ROWS", 60)
    defaults = {**canonical.canonical_tables.__kwdefaults__, "bucket_rows": 150}
    monkeypatch.setattr(canonical.canonical_tables, "__kwdefaults__", defaults)


def traces(library: LocalLibrary) -> list[Path]:
    places = ("staging", "objects", "cache")
    return [p for place in places for p in (library.directory / place).iterdir()]


def test_a_large_run_is_registered_as_a_small_one_is(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with LocalLibrary.open(tmp_path / "whole") as library:
        library.import_results(run)
        whole = library.get_metadata("long-canal")
        expected = library.load_simulation("long-canal").load_results()
    cut_finely(monkeypatch)
    with LocalLibrary.open(tmp_path / "cut") as library:
        library.import_results(run)
        cut = library.get_metadata("long-canal")
        results = library.load_simulation("long-canal").load_results()
        assert list((library.directory / "staging").iterdir()) == []
        assert len(library.import_results(run).already_there) == 1
    assert cut.checksum == whole.checksum
    assert cut.headline == whole.headline
    assert cut.n_patients_without_visits == whole.n_patients_without_visits
    assert results.visits["patient_id"].num_chunks > 5
    assert results.visits.equals(expected.visits)
    assert results.costs is not None
    assert results.costs.equals(expected.costs)


def test_one_patient_is_found_within_a_millisecond(
    run: Path, library: LocalLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_finely(monkeypatch)
    library.import_results(run)
    results = library.load_simulation("long-canal").load_results()
    ids = results.patients["patient_id"].to_pylist()
    times = []
    for patient_id in ids[:100]:
        begin = perf_counter()
        results.patient(patient_id)
        times.append(perf_counter() - begin)
    assert min(times) < 0.001


def test_progress_counts_rows(
    run: Path, library: LocalLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_finely(monkeypatch)
    told: list[Progress] = []
    library.import_results(run, progress=told.append)
    n_visits = library.get_metadata("long-canal").n_visits
    rows = [step.rows_done for step in told if step.rows_total]
    assert {step.rows_total for step in told} == {0, n_visits}
    assert rows == sorted(rows)
    assert rows[-1] == n_visits
    assert len(set(rows)) > 10
    assert {step.current for step in told[:-1]} == {run.name}
    assert told[-1] == Progress(done=1, total=1)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.5, 0.8, 1.0])
def test_cancelling_leaves_nothing_behind(
    share: float, run: Path, library: LocalLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_finely(monkeypatch)

    def stop(progress: Progress) -> None:
        if progress.rows_total and progress.rows_done >= share * progress.rows_total:
            raise StoppedError

    with pytest.raises(StoppedError):
        library.import_results(run, progress=stop)
    assert traces(library) == []
    assert len(library.get_all_metadata()) == 0
    assert len(library.import_results(run).imported) == 1
