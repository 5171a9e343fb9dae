"""Whatever happens to the bytes of a library: they are found, set apart, and healed."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ape_jupyter.cache.answers import ANSWERS
from ape_jupyter.demo.generator import RunSpec, write_results
from ape_jupyter.errors import CorruptedDataError
from ape_jupyter.library import orphans
from ape_jupyter.library.local import LocalLibrary
from ape_jupyter.model.simulation import Status
from ape_jupyter.model.verification import Severity

NAME = "scratched-lens"
OTHER = "clear-lens"
OBJECT_FILES = (
    *("patients.parquet", "visits.parquet", "costs.parquet", "resources.parquet"),
    *("protocol.yaml", "audit_log.json", "manifest.json"),
)
CACHE_FILES = ("patients.arrow", "visits.arrow", "costs.arrow", "resources.arrow", "summary")
SETTINGS = settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

positions = st.floats(0, 1, exclude_max=True)
masks = st.integers(1, 255)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("runs")
    return [
        write_results(folder, RunSpec(n_patients=25, seed=1, with_costs=True, memorable_name=NAME)),
        write_results(folder, RunSpec(n_patients=20, seed=2, memorable_name=OTHER)),
    ]


@pytest.fixture
def library(tmp_path: Path, runs: list[Path]) -> Iterator[LocalLibrary]:
    with LocalLibrary.open(tmp_path / "library") as library:
        library.import_results(runs[0].parent)
        yield library


def object_of(library: LocalLibrary, name: str = NAME) -> Path:
    digest = library.get_metadata(name).checksum
    return library.directory / "objects" / digest[:2] / digest


def cache_file(library: LocalLibrary, name: str) -> Path:
    directory = library.directory / "cache" / library.get_metadata(NAME).checksum
    if name == "summary":
        (path,) = directory.glob("summary-*.arrow")
        return path
    return directory / name


def damage(path: Path, position: float = 0.5, mask: int = 0x10, *, keep_time: bool = True) -> None:
    before = path.stat()
    content = bytearray(path.read_bytes())
    content[int(position * len(content))] ^= mask
    path.unlink()  # who has it mapped keeps what was there
    path.write_bytes(bytes(content))
    if keep_time:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def visits_of(library: LocalLibrary, name: str = NAME) -> pa.Table:
    return library.load_simulation(name).load_results().visits


def compare(library: LocalLibrary) -> str:
    # Or the answer would be the remembered one, and no summary be read.
    shutil.rmtree(library.directory / "cache" / ANSWERS, ignore_errors=True)
    # NaN is not equal to NaN.
    return repr(library.compare_simulations([NAME, OTHER]).series.to_pylist())


@pytest.fixture(scope="module")
def shared_library(
    tmp_path_factory: pytest.TempPathFactory, runs: list[Path]
) -> Iterator[LocalLibrary]:
    with LocalLibrary.open(tmp_path_factory.mktemp("shared") / "library") as library:
        library.import_results(runs[0].parent)
        yield library


@pytest.mark.parametrize("file", OBJECT_FILES)
@SETTINGS
@given(position=positions, mask=masks)
def test_every_flipped_byte_of_the_record_is_found_and_healed(
    shared_library: LocalLibrary, runs: list[Path], file: str, position: float, mask: int
) -> None:
    library = shared_library
    damage(object_of(library) / file, position, mask)
    report = library.verify()
    assert not report.ok
    assert {finding.name for finding in report.findings} == {NAME}
    with pytest.raises(CorruptedDataError, match="Import the same results again"):
        library.load_simulation(NAME).load_results()
    visits_of(library, OTHER)
    library.import_results(runs[0])
    assert library.get_metadata(NAME).status is Status.AVAILABLE
    assert library.verify().findings == ()


@pytest.mark.parametrize("file", CACHE_FILES)
@SETTINGS
@given(position=positions, mask=masks)
def test_every_flipped_byte_of_the_cache_is_found_and_healed(
    shared_library: LocalLibrary, file: str, position: float, mask: int
) -> None:
    library = shared_library
    expected = visits_of(library)
    damage(cache_file(library, file), position, mask)
    report = library.verify()
    assert [finding.severity for finding in report.findings] == [Severity.FAULT]
    assert not report.ok
    assert library.get_metadata(NAME).status is Status.AVAILABLE
    assert library.verify(repair=True).ok
    assert visits_of(library).equals(expected)
    assert library.verify().findings == ()


@pytest.mark.parametrize("file", CACHE_FILES)
def test_damaged_caches_are_never_used(library: LocalLibrary, file: str) -> None:
    expected = visits_of(library)
    compared = compare(library)
    damage(cache_file(library, file))
    assert visits_of(library).equals(expected)
    assert compare(library) == compared
    assert library.verify().ok


@pytest.mark.parametrize(
    ("file", "position"),
    # Where values are: what else is in a file of few rows, only ``verify`` minds.
    [("visits.parquet", 0.5), ("manifest.json", 0.5), ("patients.parquet", 0.05)],
)
def test_damage_that_is_met_on_opening_quarantines_one_run(
    library: LocalLibrary, runs: list[Path], file: str, position: float
) -> None:
    damage(object_of(library) / file, position)
    for _ in range(3):
        with pytest.raises(CorruptedDataError, match=NAME):
            visits_of(library)
        with pytest.raises(CorruptedDataError, match=NAME):
            library.compare_simulations([NAME, OTHER])
    revision = library.get_metadata(NAME).revision
    assert library.get_metadata(NAME).status is Status.QUARANTINED
    assert {run.name for run in library.get_all_metadata()} == {NAME, OTHER}
    visits_of(library, OTHER)
    # Setting it apart was one change, however often it was opened.
    assert revision == 2
    (event,) = library.events(types=["state_corrupted"])
    assert event.simulation_id == library.get_metadata(NAME).sim_id
    assert file in event.data["reason"] or "manifest" in event.data["reason"]
    assert library.import_results(runs[0]).already_there
    visits_of(library)


def test_many_who_notice_at_once_tell_it_once(library: LocalLibrary) -> None:
    damage(object_of(library) / "visits.parquet")

    def open_it(_: int) -> bool:
        with LocalLibrary.open(library.directory) as own:
            try:
                visits_of(own)
            except CorruptedDataError:
                return True
        return False

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(open_it, range(6)))
    assert len(library.events(types=["state_corrupted"])) == 1


def test_a_summary_that_can_not_be_made_quarantines(library: LocalLibrary) -> None:
    cache_file(library, "summary").unlink()
    (object_of(library) / "visits.parquet").unlink()
    with pytest.raises(CorruptedDataError):
        library.compare_simulations([NAME, OTHER])
    assert library.get_metadata(NAME).status is Status.QUARANTINED


def test_older_summaries_are_made_again(library: LocalLibrary) -> None:
    expected = compare(library)
    summary = cache_file(library, "summary")
    summary.rename(summary.with_name("summary-1.arrow"))
    assert compare(library) == expected
    assert summary.exists()


def test_a_lost_registry_is_made_again(library: LocalLibrary) -> None:
    library.set_tags([NAME], add=["kept only in the registry"])
    before = {run.sim_id: run for run in library.get_all_metadata()}
    documents = {sim_id: library.documents(sim_id) for sim_id in before}
    directory = library.directory
    library.close()
    for path in directory.glob("registry.db*"):
        path.unlink()
    with LocalLibrary.open(directory) as again:
        report = again.verify()
        assert (report.ok, len(report.findings)) == (False, 2)
        assert len(again.get_all_metadata()) == 0
        assert again.verify(repair=True).ok
        for run in again.get_all_metadata():
            old = before[run.sim_id]
            assert (run.headline, run.checksum) == (old.headline, old.checksum)
            assert (run.owner, run.registered_at) == (old.owner, old.registered_at)
            assert again.documents(run.sim_id) == documents[run.sim_id]
        visits_of(again)
        assert again.verify().findings == ()


def test_a_purged_run_does_not_come_back(library: LocalLibrary) -> None:
    sim_id = library.delete(NAME).sim_id
    record = library.directory / "runs" / f"{sim_id}.json"
    content = record.read_bytes()
    library.purge(timedelta(), dry_run=False)
    record.write_bytes(content)  # as if the purge had been killed before it came to this
    assert library.verify(repair=True).ok
    assert [run.name for run in library.get_all_metadata()] == [OTHER]


def test_a_changed_history_is_found(library: LocalLibrary) -> None:
    assert library.verify(fast=True).ok
    library.close()
    with closing(sqlite3.connect(library.directory / "registry.db")) as database, database:
        database.execute("UPDATE events SET user_id = 'somebody else' WHERE seq = 1")
    with LocalLibrary.open(library.directory) as again:
        report = again.verify(fast=True)
        assert not report.ok
        assert "history is broken" in str(report)


def test_a_damaged_record_is_written_again(library: LocalLibrary) -> None:
    record = library.directory / "runs" / f"{library.get_metadata(NAME).sim_id}.json"
    content = record.read_bytes()
    damage(record)
    assert not library.verify(fast=True).ok
    assert library.verify(repair=True).ok
    assert record.read_bytes() == content
    record.unlink()
    assert library.verify(repair=True).ok
    assert record.read_bytes() == content


def test_orphans_are_removed_when_they_are_a_day_old(
    library: LocalLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    orphan = library.directory / "objects" / "ab" / ("ab" * 32)
    shutil.copytree(object_of(library), orphan)
    leftover = library.directory / "staging" / "of-a-killed-import"
    leftover.mkdir()
    report = library.verify(repair=True)
    assert report.ok
    assert [finding.severity for finding in report.findings] == [Severity.NOTE] * 2
    assert orphan.exists()
    now = orphans.time.time()
    monkeypatch.setattr(orphans.time, "time", lambda: now + 25 * 3600)
    assert not library.verify().ok
    assert library.verify(repair=True).ok
    assert (orphan.exists(), leftover.exists()) == (False, False)
    assert library.verify().findings == ()
    visits_of(library)


def test_a_missing_object_is_found_fast(library: LocalLibrary) -> None:
    shutil.rmtree(object_of(library))
    (object_of(library, OTHER) / "visits.parquet").chmod(0o600)
    with (object_of(library, OTHER) / "visits.parquet").open("ab") as file:
        file.write(b"more")
    report = library.verify(fast=True)
    assert {finding.name for finding in report.findings} == {NAME, OTHER}
    assert all(finding.severity is Severity.DAMAGE for finding in report.findings)


def test_objects_of_the_first_version_are_read(library: LocalLibrary) -> None:
    manifest = object_of(library) / "manifest.json"
    content = json.loads(manifest.read_bytes())
    old = {name: content[name] for name in ("tables", "documents", "files")}
    manifest.chmod(0o600)
    manifest.write_text(json.dumps({"manifest_version": 1, **old}, indent=1, sort_keys=True))
    visits_of(library)
    assert library.verify().ok
    damage(object_of(library) / "visits.parquet")
    assert not library.verify().ok


class TestLinkedRuns:
    @pytest.fixture
    def folder(self, tmp_path: Path, runs: list[Path]) -> Path:
        return Path(shutil.copytree(runs[0], tmp_path / "linked" / runs[0].name))

    @pytest.fixture
    def linked(self, tmp_path: Path, folder: Path) -> Iterator[LocalLibrary]:
        with LocalLibrary.open(tmp_path / "links") as library:
            library.import_results(folder, copy=False)
            yield library

    def test_no_table_is_stored(self, linked: LocalLibrary) -> None:
        assert not list((linked.directory / "objects").rglob("*.parquet"))
        assert linked.get_metadata(NAME).file_size_mb > 0

    def test_a_touched_file_is_the_same_file(self, linked: LocalLibrary, folder: Path) -> None:
        expected = visits_of(linked)
        os.utime(folder / "visits.parquet")
        assert visits_of(linked).equals(expected)
        assert linked.verify(fast=True).ok

    @pytest.mark.parametrize("file", ["patients.parquet", "visits_with_costs.parquet"])
    def test_a_changed_file_is_noticed_on_opening(
        self, linked: LocalLibrary, folder: Path, file: str
    ) -> None:
        visits_of(linked)
        damage(folder / file, keep_time=False)
        with pytest.raises(CorruptedDataError, match=f"{file} has changed"):
            visits_of(linked)
        assert linked.get_metadata(NAME).status is Status.QUARANTINED

    def test_a_change_in_disguise_is_noticed_by_verify(
        self, linked: LocalLibrary, folder: Path
    ) -> None:
        content = (folder / "visits.parquet").read_bytes()
        before = (folder / "visits.parquet").stat()
        damage(folder / "visits.parquet")
        assert linked.verify(fast=True).ok
        report = linked.verify(repair=True)
        assert not report.ok
        assert str(folder / "visits.parquet") in str(report)
        (folder / "visits.parquet").write_bytes(content)
        os.utime(folder / "visits.parquet", ns=(before.st_atime_ns, before.st_mtime_ns))
        assert linked.verify(repair=True).ok
        visits_of(linked)

    def test_changed_results_are_linked_again(
        self, linked: LocalLibrary, folder: Path, tmp_path: Path
    ) -> None:
        other = write_results(
            tmp_path / "other", RunSpec(n_patients=30, seed=7, memorable_name=NAME)
        )
        before = linked.add_tag(NAME, "mine")
        for file in folder.iterdir():
            file.unlink()
        for file in other.iterdir():
            shutil.copy(file, folder)
        metadata = json.loads((folder / "metadata.json").read_text())
        (folder / "metadata.json").write_text(json.dumps({**metadata, "sim_id": before.sim_id}))
        with pytest.raises(CorruptedDataError):
            visits_of(linked)
        assert linked.import_results(folder, copy=False).imported
        after = linked.get_metadata(NAME)
        assert (after.seed, after.tags, after.has_costs) == (7, ("mine",), False)
        assert visits_of(linked).num_rows == after.n_visits
        assert linked.verify(repair=True).ok

    def test_a_lost_registry_is_made_again(self, linked: LocalLibrary, tmp_path: Path) -> None:
        linked.close()
        for path in linked.directory.glob("registry.db*"):
            path.unlink()
        with LocalLibrary.open(linked.directory) as again:
            assert again.verify(repair=True).ok
            assert again.get_metadata(NAME).source.value == "linked"
            visits_of(again)


def test_a_repair_ends_a_purge_that_was_killed(library: LocalLibrary) -> None:
    run = library.delete(NAME)
    # The first half of a purge; the second removes the files.
    library._registry.purge(datetime.now(UTC))
    assert library.verify().ok
    assert object_of_checksum(library, run.checksum)
    assert library.verify(repair=True).ok
    assert not object_of_checksum(library, run.checksum)
    assert run.sim_id not in library._records.ids()
    assert run.sim_id not in {other.sim_id for other in library._registry.all_runs()}


def object_of_checksum(library: LocalLibrary, checksum: str) -> list[Path]:
    return list(library.directory.glob(f"objects/*/{checksum}"))
