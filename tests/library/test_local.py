"""The library in this process, beyond what every form of it does."""

from __future__ import annotations

import json
import shutil
import stat
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from ape_jupyter.errors import CorruptedDataError, InvalidArgumentError, InvalidResultsError
from ape_jupyter.library.local import LocalLibrary
from ape_jupyter.model.listing import ImportStatus


def test_all_real_runs_come_in_and_twice_changes_nothing(
    library: LocalLibrary, real_data: Path
) -> None:
    first = library.import_results(real_data)
    assert first.refused == ()
    assert len(first.imported) == 18
    assert len(first.already_there) == 2  # the packages were made from two of the directories
    before = {path: path.stat().st_mtime_ns for path in library.directory.rglob("objects/**/*")}
    revision = library.revision()
    second = library.import_results(real_data)
    assert len(second.already_there) == 20
    assert library.revision() == revision
    assert {p: p.stat().st_mtime_ns for p in library.directory.rglob("objects/**/*")} == before


def test_headlines_of_real_runs_are_those_of_ape(library: LocalLibrary, real_data: Path) -> None:
    for run in library.import_results(real_data / "ape-results"):
        path = real_data / "ape-results" / run.sim_id
        stats = json.loads((path / "summary_stats.json").read_text())
        raw = pd.read_parquet(path / "patients.parquet")
        assert run.n_patients == stats["patient_count"]
        assert run.n_visits == stats["total_visits"]
        assert run.headline.total_injections == stats["total_injections"]
        assert run.headline.mean_final_vision == pytest.approx(stats["mean_final_vision"])
        assert run.headline.discontinuation_rate == pytest.approx(raw["discontinued"].mean())
        assert run.start_date == raw["enrollment_date"].min().tz_localize("UTC")


def test_real_tables_hold_what_the_files_hold(library: LocalLibrary, real_data: Path) -> None:
    for run in library.import_results(real_data / "ape-results"):
        path = real_data / "ape-results" / run.sim_id
        results = library.load_simulation(run.sim_id).load_results()
        raw = pd.read_parquet(path / "visits.parquet").astype({"vision": "int16"})
        raw = raw.sort_values(["patient_id", "time_days"], kind="stable", ignore_index=True)
        own = results.visits_df()
        assert own["patient_id"].astype(str).tolist() == raw["patient_id"].tolist()
        assert own["vision"].tolist() == raw["vision"].tolist()
        assert own["date"].tolist() == raw["date"].tolist()
        spelt = raw["disease_state"].str.removeprefix("DiseaseState.")
        assert own["disease_state"].astype(str).tolist() == spelt.tolist()


def test_the_record_holds_the_metadata_that_a_run_brought(
    filled_library: LocalLibrary, results_folder: Path
) -> None:
    run = filled_library.get_metadata("old-oak")
    (folder,) = filled_library.directory.glob(f"objects/*/{run.checksum}")
    original = json.loads((results_folder / run.sim_id / "metadata.json").read_text())
    assert json.loads((folder / "metadata_original.json").read_text()) == original
    manifest = json.loads((folder / "manifest.json").read_text())
    assert {"metadata_original.json"} <= set(manifest["files"])
    assert {"metadata_original"} <= set(manifest["documents"])


def test_the_log_tells_how_metadata_was_migrated(filled_library: LocalLibrary) -> None:
    told = {
        filled_library.get_metadata(event.simulation_id).name: event.data
        for event in filled_library.events(types=["migration_applied"])
    }
    add_tags = "add tags and access counts"
    assert told == {
        "calm-river": {"from": "1.5.0", "to": "2.0.0", "steps": [add_tags]},
        "bold-heron": {"from": "1.5.0", "to": "2.0.0", "steps": [add_tags]},
        "old-oak": {"from": "1.0.0", "to": "2.0.0", "steps": ["name the run", add_tags]},
    }


def test_nothing_is_told_where_nothing_was_migrated(filled_library: LocalLibrary) -> None:
    results = filled_library.load_simulation("calm-river").load_results()
    before = filled_library.events(types=["migration_applied"])
    filled_library.register(results.patients, results.visits, name="own")
    assert filled_library.events(types=["migration_applied"]) == before


def test_costs_and_resources_of_a_real_run(library: LocalLibrary, real_data: Path) -> None:
    (path,) = (real_data / "ape-results").glob("*black-art")
    library.import_results(path)
    run = library.get_metadata("black-art")
    assert run.has_costs
    assert run.has_resources
    results = library.load_simulation("black-art").load_results()
    assert results.costs is not None
    assert results.resources is not None
    raw = pq.read_table(path / "visits_with_costs.parquet").to_pandas()
    assert results.costs.to_pandas()["total_cost"].sum() == raw["total_cost"].sum()
    assert results.costs["drug"].to_pandas().sum() == raw["drug"].sum()
    assert "injector" in results.resources.column_names


def test_a_file_name_as_a_run_keeps_its_memorable_part(filled_library: LocalLibrary) -> None:
    old = filled_library.get_metadata("old-oak")
    assert old.name == "old-oak"
    assert old.model_type == "time_based"  # said by its protocol only
    assert old.created_at == datetime(2026, 5, 3, tzinfo=UTC)
    assert old.headline.discontinuation_rate is None


def test_one_patient_is_all_of_that_patient(filled_library: LocalLibrary) -> None:
    results = filled_library.load_simulation("calm-river", load_data=True).load_results()
    visits = results.visits_df()
    for row in results.patients.to_pylist():
        record = results.patient(row["patient_id"])
        assert record.patient == row
        expected = visits[visits["patient_id"] == row["patient_id"]]
        assert record.visits["vision"].to_pylist() == expected["vision"].tolist()
    for unknown in ("", "P", "ZZZ"):
        with pytest.raises(InvalidArgumentError, match="no patient"):
            results.patient(unknown)


def test_results_come_back_when_the_cache_was_cleared(filled_library: LocalLibrary) -> None:
    data = filled_library.load_simulation("calm-river")
    first = data.load_results()
    shutil.rmtree(filled_library.directory / "cache")
    assert first.visits.num_rows == data.metadata.n_visits
    data.unload_results()
    assert data.load_results().visits.equals(first.visits)
    assert filled_library.compare_simulations(["calm-river", "bold-heron"]).series.num_rows > 0


def test_damage_of_the_record_is_told(filled_library: LocalLibrary) -> None:
    run = filled_library.get_metadata("calm-river")
    (path,) = filled_library.directory.glob(f"objects/*/{run.checksum}/visits.parquet")
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(CorruptedDataError, match=r"visits\.parquet"):
        filled_library.load_simulation("calm-river").load_results()


def test_another_run_of_the_same_id_is_refused(
    filled_library: LocalLibrary, results_folder: Path, tmp_path: Path
) -> None:
    (other,) = results_folder.glob("*bold-heron")
    impostor = tmp_path / "sim_impostor"
    shutil.copytree(other, impostor)
    metadata = json.loads((impostor / "metadata.json").read_text())
    metadata["sim_id"] = filled_library.get_metadata("calm-river").sim_id
    (impostor / "metadata.json").write_text(json.dumps(metadata))
    with pytest.raises(InvalidResultsError, match="with other results"):
        filled_library.import_results(impostor)
    assert len(filled_library.get_all_metadata()) == 3


def test_importing_a_deleted_run_brings_it_back(
    filled_library: LocalLibrary, results_folder: Path
) -> None:
    filled_library.delete("calm-river")
    report = filled_library.import_results(next(results_folder.glob("*calm-river")))
    assert report.outcomes[0].status is ImportStatus.ALREADY_THERE
    assert filled_library.get_metadata("calm-river").status == "available"


def test_cancelling_keeps_what_was_done(library: LocalLibrary, results_folder: Path) -> None:
    class StopError(Exception):
        pass

    def progress(step: object) -> None:
        if step.done == 2:  # type: ignore[attr-defined]
            raise StopError

    with pytest.raises(StopError):
        library.import_results(results_folder, progress=progress)
    assert len(library.get_all_metadata()) == 2
    assert list((library.directory / "staging").iterdir()) == []


def test_the_library_is_its_owners(library: LocalLibrary) -> None:
    for path in (library.directory, library.directory / "objects", library.directory / "cache"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700


def test_a_file_is_no_library(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(InvalidArgumentError, match="No library can be kept"):
        LocalLibrary.open(tmp_path / "file")


def test_a_folder_of_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.docx").write_text("x")
    with pytest.raises(InvalidArgumentError, match="holds other things"):
        LocalLibrary.open(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.docx"]


def test_a_folder_without_runs_says_what_was_looked_for(
    library: LocalLibrary, tmp_path: Path
) -> None:
    with pytest.raises(InvalidArgumentError, match=r"patients\.parquet"):
        library.import_results(tmp_path)
    with pytest.raises(InvalidArgumentError, match="nothing at"):
        library.import_results(tmp_path / "missing")
