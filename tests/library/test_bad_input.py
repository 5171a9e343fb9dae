"""Bad input: all faults of a run are named, other runs go in, nothing half-written stays."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from ape_jupyter.demo.generator import RunSpec, write_package, write_results
from ape_jupyter.errors import Fault, InvalidArgumentError, InvalidResultsError
from ape_jupyter.library.local import LocalLibrary
from ape_jupyter.model.listing import ImportStatus

Break = Callable[[Path], None]
Expected = tuple[str, str | None, str, int | None]
"""File, column, beginning of the problem, rows."""

BAD = RunSpec(n_patients=40, memorable_name="broken-pier", seed=4, with_costs=True)
GOOD = (
    RunSpec(n_patients=30, memorable_name="able-ketch", seed=5),
    RunSpec(n_patients=30, memorable_name="zealous-wren", seed=6, model_type="visit_based"),
)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[LocalLibrary]:
    with LocalLibrary.open(tmp_path / "library") as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two sound runs; the broken one sorts between them."""
    for spec in GOOD:
        write_results(tmp_path / "results" / spec.memorable_name, spec)
    return tmp_path / "results"


@pytest.fixture
def bad_run(folder: Path) -> Path:
    return write_results(folder / "broken", BAD)


# How a run can be broken


def change_table(file: str, change: Callable[[pa.Table], pa.Table]) -> Break:
    def break_it(run: Path) -> None:
        path = run / file
        pq.write_table(change(pq.read_table(path)), path)

    return break_it


def change_column(file: str, column: str, change: Callable[[pa.ChunkedArray], Any]) -> Break:
    def change_it(table: pa.Table) -> pa.Table:
        return table.set_column(table.column_names.index(column), column, change(table[column]))

    return change_table(file, change_it)


def drop_column(file: str, column: str) -> Break:
    return change_table(file, lambda table: table.drop_columns([column]))


def remove(file: str) -> Break:
    return lambda run: (run / file).unlink()


def truncate(file: str) -> Break:
    def break_it(run: Path) -> None:
        content = (run / file).read_bytes()
        (run / file).write_bytes(content[: len(content) * 2 // 3])

    return break_it


def write(file: str, content: bytes) -> Break:
    def break_it(run: Path) -> None:
        (run / file).write_bytes(content)

    return break_it


def change_metadata(**values: Any) -> Break:
    """Set fields of metadata.json; None takes a field out."""

    def break_it(run: Path) -> None:
        metadata = json.loads((run / "metadata.json").read_text())
        changed = {k: v for k, v in {**metadata, **values}.items() if v is not None}
        (run / "metadata.json").write_text(json.dumps(changed))

    return break_it


def first_rows(count: int, value: Any) -> Callable[[pa.ChunkedArray], pa.Array]:
    """Replace the values of the first rows."""

    def change(column: pa.ChunkedArray) -> pa.Array:
        return pa.array([value] * count + column.to_pylist()[count:], column.type)

    return change


def not_utf8(column: pa.ChunkedArray) -> pa.Array:
    values = [value.encode() for value in column.to_pylist()]
    values[3] = b"Disease\xffState.STABLE"
    return pa.array(values, pa.large_binary()).view(pa.large_string())


def latin_1_metadata(run: Path) -> None:
    text = (run / "metadata.json").read_text().replace("broken-pier", "zerst\u00f6rter-steg")
    (run / "metadata.json").write_bytes(text.encode("latin-1"))


def first_patient_again(table: pa.Table) -> pa.Table:
    return pa.concat_tables([table, table.slice(0, 2)])


def nobody(table: pa.Table) -> pa.Table:
    return table.slice(0, 0)


def all_of(*breaks: Break) -> Break:
    def break_it(run: Path) -> None:
        for one in breaks:
            one(run)

    return break_it


CASES: dict[str, tuple[Break, list[Expected]]] = {
    # Missing files
    "no-patients": (remove("patients.parquet"), [("patients.parquet", None, "is missing", None)]),
    "no-visits": (remove("visits.parquet"), [("visits.parquet", None, "is missing", None)]),
    "no-metadata": (remove("metadata.json"), [("metadata.json", None, "is missing", None)]),
    # Required columns
    "no-vision": (
        drop_column("visits.parquet", "vision"),
        [("visits", "vision", "is missing", None)],
    ),
    "no-patient-id": (
        drop_column("patients.parquet", "patient_id"),
        [("patients", "patient_id", "is missing", None)],
    ),
    "no-visit-date": (
        drop_column("visits.parquet", "date"),
        [("visits", "date", "is missing", None)],
    ),
    "no-total-cost": (
        drop_column("visits_with_costs.parquet", "total_cost"),
        [("costs", "total_cost", "is missing", None)],
    ),
    # Types
    "vision-as-text": (
        change_column("visits.parquet", "vision", lambda c: c.cast(pa.string())),
        [("visits", "vision", "has type string", None)],
    ),
    "injected-as-number": (
        change_column("visits.parquet", "injected", lambda c: c.cast(pa.int64())),
        [("visits", "injected", "has type int64", None)],
    ),
    "date-as-number": (
        change_column("visits.parquet", "date", lambda c: c.cast(pa.int64())),
        [("visits", "date", "has type int64", None)],
    ),
    "baseline-as-flag": (
        change_column(
            "patients.parquet", "baseline_vision", lambda c: pc.greater(c, 50).combine_chunks()
        ),
        [("patients", "baseline_vision", "has type bool", None)],
    ),
    "ids-as-numbers": (
        change_column("patients.parquet", "patient_id", lambda c: pa.array(range(len(c)))),
        [("patients", "patient_id", "has type int64", None)],
    ),
    "half-letters": (
        change_column("visits.parquet", "vision", lambda c: pc.add(c.cast(pa.float64()), 0.5)),
        [("visits", "vision", "has type double", None)],
    ),
    "cost-as-text": (
        change_column("visits_with_costs.parquet", "total_cost", lambda c: c.cast(pa.string())),
        [("costs", "total_cost", "has type string", None)],
    ),
    # Empty tables
    "empty-visits": (
        change_table("visits.parquet", nobody),
        [("visits", None, "has no rows", None)],
    ),
    "empty-costs": (
        change_table("visits_with_costs.parquet", nobody),
        [("costs", None, "has no rows", None)],
    ),
    # Damaged files
    "truncated-patients": (
        truncate("patients.parquet"),
        [("patients.parquet", None, "is not a readable Parquet file", None)],
    ),
    "truncated-visits": (
        truncate("visits.parquet"),
        [("visits.parquet", None, "is not a readable Parquet file", None)],
    ),
    "no-bytes": (
        write("visits.parquet", b""),
        [("visits.parquet", None, "is not a readable Parquet file", None)],
    ),
    "truncated-metadata": (
        truncate("metadata.json"),
        [("metadata.json", None, "is not JSON", None)],
    ),
    "truncated-audit-log": (
        truncate("audit_log.json"),
        [("audit_log.json", None, "can not be parsed", None)],
    ),
    "no-yaml": (
        write("protocol.yaml", b"name: [unclosed\n"),
        [("protocol.yaml", None, "can not be parsed", None)],
    ),
    # Texts
    "latin-1-metadata": (latin_1_metadata, [("metadata.json", None, "is not UTF-8", None)]),
    "bytes-in-a-text-column": (
        change_column("visits.parquet", "disease_state", not_utf8),
        [("visits", "disease_state", "holds text that is not UTF-8", None)],
    ),
    # Values
    "duplicate-patients": (
        change_table("patients.parquet", first_patient_again),
        [("patients", "patient_id", "the same patient is there again", 2)],
    ),
    "vision-above-100": (
        change_column("visits.parquet", "vision", first_rows(3, 101)),
        [("visits", "vision", "values outside 0 to 100", 3)],
    ),
    "vision-below-0": (
        change_column("patients.parquet", "final_vision", first_rows(1, -1)),
        [("patients", "final_vision", "values outside 0 to 100", 1)],
    ),
    "missing-vision": (
        change_column("visits.parquet", "vision", first_rows(4, None)),
        [("visits", "vision", "values are missing", 4)],
    ),
    "unknown-patients": (
        change_column("visits.parquet", "patient_id", first_rows(5, "P9999")),
        [("visits", "patient_id", "patients are not in the patients table", 5)],
    ),
    "costs-of-unknown-patients": (
        change_column("visits_with_costs.parquet", "patient_id", first_rows(2, "P9999")),
        [("costs", "patient_id", "patients are not in the patients table", 2)],
    ),
    "unknown-disease-state": (
        change_column("visits.parquet", "disease_state", first_rows(6, "DiseaseState.CURED")),
        [("visits", "disease_state", "values are not one of", 6)],
    ),
    "negative-time": (
        change_column("visits.parquet", "time_days", first_rows(2, -7)),
        [("visits", "time_days", "values below 0", 2)],
    ),
    # Metadata
    "no-sim-id": (
        change_metadata(sim_id=None),
        [("metadata.json", "sim_id", "is missing", None)],
    ),
    "id-that-leads-elsewhere": (
        change_metadata(sim_id="../../etc/passwd"),
        [("metadata.json", "sim_id", "holds characters", None)],
    ),
    "not-a-mapping": (
        write("metadata.json", b"[1, 2]"),
        [("metadata.json", None, "holds no mapping", None)],
    ),
    # Several at once: every one of them is named.
    "metadata-all-wrong": (
        change_metadata(
            engine_type=None, timestamp="yesterday", n_patients="many", duration_years=-1
        ),
        [
            ("metadata.json", "timestamp", "is 'yesterday'", None),
            ("metadata.json", "engine_type", "is missing", None),
            ("metadata.json", "n_patients", "has type str", None),
            ("metadata.json", "duration_years", "is -1", None),
        ],
    ),
    "everything-at-once": (
        all_of(
            change_metadata(seed="lucky"),
            truncate("audit_log.json"),
            change_table("patients.parquet", first_patient_again),
            change_column("patients.parquet", "baseline_vision", first_rows(1, 300)),
            drop_column("patients.parquet", "total_visits"),
            change_column("visits.parquet", "vision", first_rows(2, 120)),
            change_column("visits.parquet", "injected", lambda c: c.cast(pa.int64())),
            change_column("visits_with_costs.parquet", "total_cost", lambda c: c.cast(pa.string())),
            truncate("daily_resource_usage.parquet"),
        ),
        [
            ("metadata.json", "seed", "has type str", None),
            ("audit_log.json", None, "can not be parsed", None),
            ("daily_resource_usage.parquet", None, "is not a readable Parquet file", None),
            ("patients", "baseline_vision", "values outside 0 to 100", 1),
            ("patients", "total_visits", "is missing", None),
            ("visits", "vision", "values outside 0 to 100", 2),
            ("visits", "injected", "has type int64", None),
            ("costs", "total_cost", "has type string", None),
            ("patients", "patient_id", "the same patient is there again", 2),
        ],
    ),
}


def assert_faults(faults: tuple[Fault, ...], expected: list[Expected]) -> None:
    found = [(fault.file, fault.column, fault.problem, fault.rows) for fault in faults]
    assert len(found) == len(expected), found
    for file, column, problem, rows in expected:
        matching = [
            one
            for one in found
            if one[:2] == (file, column) and one[2].startswith(problem) and one[3] == rows
        ]
        assert len(matching) == 1, (file, column, problem, rows, found)


def assert_nothing_else_stored(library: LocalLibrary) -> None:
    """Check that the directory holds the registered runs and no trace of anything more."""
    digests = {run.checksum for run in library.get_all_metadata()}
    directory = library.directory
    assert list((directory / "staging").iterdir()) == []
    assert {path.name for path in (directory / "objects").glob("*/*")} == digests
    cached = {path.name for path in (directory / "cache").iterdir() if path.name != ".locks"}
    assert cached <= digests
    locks = directory / "cache" / ".locks"
    assert {path.stem for path in locks.glob("*")} <= digests


@pytest.mark.parametrize("case", CASES)
def test_all_faults_are_named_and_other_runs_go_in(
    case: str, library: LocalLibrary, folder: Path, bad_run: Path
) -> None:
    break_it, expected = CASES[case]
    break_it(bad_run)

    report = library.import_results(folder)

    assert {outcome.metadata.name for outcome in report.imported if outcome.metadata} == {
        "able-ketch",
        "zealous-wren",
    }
    (refused,) = report.refused
    assert refused.path == str(bad_run)
    assert_faults(refused.faults, expected)
    assert_nothing_else_stored(library)


@pytest.mark.parametrize("case", ["no-vision", "everything-at-once"])
def test_a_single_run_raises_with_all_faults(
    case: str, library: LocalLibrary, bad_run: Path
) -> None:
    break_it, expected = CASES[case]
    break_it(bad_run)
    with pytest.raises(InvalidResultsError) as caught:
        library.import_results(bad_run)
    assert_faults(caught.value.faults, expected)
    for fault in caught.value.faults:
        assert str(fault) in str(caught.value)
    assert isinstance(caught.value, ValueError)
    assert_nothing_else_stored(library)
    assert len(library.get_all_metadata()) == 0


def test_patients_without_rows(library: LocalLibrary, folder: Path, bad_run: Path) -> None:
    change_table("patients.parquet", nobody)(bad_run)
    (refused,) = library.import_results(folder).refused
    assert ("patients", "has no rows") in {(f.file, f.problem) for f in refused.faults}
    assert_nothing_else_stored(library)


def test_a_directory_whose_name_is_not_utf8(
    library: LocalLibrary, folder: Path, bad_run: Path
) -> None:
    name = os.fsencode(bad_run.parent) + b"/sim_\xff\xfe"
    try:
        bad_run.rename(os.fsdecode(name))
    except OSError:
        pytest.skip("this file system takes no names that are not UTF-8")
    report = library.import_results(folder)
    assert len(report.imported) == 2
    (refused,) = report.refused
    refused.path.encode("utf-8")
    assert "\\xff" in refused.path
    (fault,) = refused.faults
    assert fault.problem == "has a name that is not UTF-8"
    assert_nothing_else_stored(library)


def test_an_empty_directory_with_a_run_s_name_is_reported(
    library: LocalLibrary, folder: Path
) -> None:
    (folder / BAD.sim_id).mkdir()
    (refused,) = library.import_results(folder).refused
    assert_faults(
        refused.faults,
        [
            ("metadata.json", None, "is missing", None),
            ("patients.parquet", None, "is missing", None),
            ("visits.parquet", None, "is missing", None),
        ],
    )


def test_the_same_run_id_with_other_results(
    library: LocalLibrary, folder: Path, bad_run: Path
) -> None:
    change_metadata(sim_id=GOOD[0].sim_id)(bad_run)
    report = library.import_results(folder)
    (refused,) = report.refused
    assert refused.path == str(bad_run)
    assert "with other results" in refused.faults[0].problem
    assert_nothing_else_stored(library)


def test_a_mended_run_goes_in(library: LocalLibrary, folder: Path, bad_run: Path) -> None:
    content = (bad_run / "visits.parquet").read_bytes()
    truncate("visits.parquet")(bad_run)
    assert len(library.import_results(folder).refused) == 1
    (bad_run / "visits.parquet").write_bytes(content)
    report = library.import_results(folder)
    assert [outcome.status for outcome in report.outcomes].count(ImportStatus.ALREADY_THERE) == 2
    assert [run.name for run in report if run.name == "broken-pier"] == ["broken-pier"]
    assert_nothing_else_stored(library)


def test_a_folder_without_runs_is_no_import(library: LocalLibrary, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InvalidArgumentError, match="no APE results"):
        library.import_results(tmp_path / "empty")


class TestPackages:
    """The same for what comes as a zip."""

    @staticmethod
    def rewrite(package: Path, name: str, content: bytes | None) -> None:
        with zipfile.ZipFile(package) as archive:
            entries = {info.filename: archive.read(info) for info in archive.infolist()}
        entries.pop(name, None)
        if content is not None:
            entries[name] = content
        with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as archive:
            for entry, data in entries.items():
                archive.writestr(entry, data)

    @pytest.fixture
    def package(self, folder: Path, tmp_path: Path) -> Path:
        results = write_results(tmp_path / "elsewhere", BAD)
        return write_package(folder / "broken.zip", results)

    def refused(self, library: LocalLibrary, folder: Path) -> tuple[Fault, ...]:
        report = library.import_results(folder)
        assert len(report.imported) == 2
        (refused,) = report.refused
        assert_nothing_else_stored(library)
        return refused.faults

    @pytest.mark.usefixtures("package")
    def test_a_sound_one_goes_in(self, library: LocalLibrary, folder: Path) -> None:
        assert len(library.import_results(folder).imported) == 3

    def test_truncated(self, library: LocalLibrary, folder: Path, package: Path) -> None:
        package.write_bytes(package.read_bytes()[:-100])
        (fault,) = self.refused(library, folder)
        assert fault.problem.startswith("is not a readable zip file")

    def test_no_zip_at_all(self, library: LocalLibrary, folder: Path, package: Path) -> None:
        package.write_bytes(b"PK\x03\x04 but not really")
        (fault,) = self.refused(library, folder)
        assert fault.problem.startswith("is not a readable zip file")

    def test_other_content_than_the_manifest_says(
        self, library: LocalLibrary, folder: Path, package: Path
    ) -> None:
        self.rewrite(package, "audit_log.json", b"[]")
        (fault,) = self.refused(library, folder)
        assert (fault.file, fault.problem[:11]) == ("audit_log.json", "has another")

    def test_several_faults(self, library: LocalLibrary, folder: Path, package: Path) -> None:
        self.rewrite(package, "data/visits.parquet", None)
        self.rewrite(package, "data/metadata.parquet", None)
        self.rewrite(package, "protocol.yaml", b"name: Other\n")
        faults = self.refused(library, folder)
        assert {(fault.file, fault.problem) for fault in faults} >= {
            ("visits.parquet", "is missing"),
            ("metadata.json", "is missing"),
            ("protocol.yaml", "has another checksum than the manifest says"),
        }

    def test_without_a_manifest(self, library: LocalLibrary, folder: Path, package: Path) -> None:
        self.rewrite(package, "manifest.json", None)
        (fault,) = self.refused(library, folder)
        assert (fault.file, fault.problem) == ("manifest.json", "is missing")


class TestTables:
    """The same for tables that a notebook registers."""

    def test_all_faults_of_data_frames(self, library: LocalLibrary, bad_run: Path) -> None:
        patients = pd.read_parquet(bad_run / "patients.parquet")
        visits = pd.read_parquet(bad_run / "visits.parquet")
        visits.loc[:2, "vision"] = 150
        patients = pd.concat([patients, patients.head(1)]).drop(columns="final_vision")
        with pytest.raises(InvalidResultsError) as caught:
            library.register(patients, visits, parameters={"duration_years": 2})
        assert_faults(
            caught.value.faults,
            [
                ("patients", "final_vision", "is missing", None),
                ("patients", "patient_id", "the same patient is there again", 1),
                ("visits", "vision", "values outside 0 to 100", 3),
            ],
        )
        assert_nothing_else_stored(library)

    def test_a_path_that_is_not_there(self, library: LocalLibrary, bad_run: Path) -> None:
        with pytest.raises(InvalidResultsError) as caught:
            library.register(bad_run / "nothing.parquet", bad_run / "visits.parquet")
        assert "nothing.parquet: is missing" in str(caught.value)
        assert_nothing_else_stored(library)
