"""The record: published whole, found again, and never believed when it was damaged."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from ape_jupyter.errors import CorruptedDataError, OutOfSpaceError
from ape_jupyter.results.reading import RunFiles, RunResults, read_run
from ape_jupyter.results.store import ObjectStore


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    for name in ("objects", "staging"):
        (tmp_path / name).mkdir()
    return ObjectStore(tmp_path / "objects", tmp_path / "staging")


@pytest.fixture
def run(results_folder: Path, tmp_path: Path) -> RunResults:
    return read_run(RunFiles.of_directory(next(results_folder.glob("*bold-heron"))), tmp_path)


def test_what_was_published_is_read_back(store: ObjectStore, run: RunResults) -> None:
    stored = store.publish(run.tables, run.documents)
    again = dict(store.read(stored.digest).in_memory().items())
    for name, table in run.tables.in_memory().items():
        assert again[name].equals(table), name


def test_the_same_results_share_one_object(store: ObjectStore, run: RunResults) -> None:
    first = store.publish(run.tables, run.documents)
    before = {path: path.stat().st_mtime_ns for path in store.directory.rglob("*")}
    assert store.publish(run.tables, run.documents) == first
    assert {path: path.stat().st_mtime_ns for path in store.directory.rglob("*")} == before


def test_other_documents_make_another_object(store: ObjectStore, run: RunResults) -> None:
    first = store.publish(run.tables, run.documents)
    other = store.publish(run.tables, {**run.documents, "parameters": {"seed": 5}})
    assert other.digest != first.digest
    assert store.table_digests(other.digest) == store.table_digests(first.digest)


def test_files_are_for_their_owner_and_not_for_writing(store: ObjectStore, run: RunResults) -> None:
    path = store.path(store.publish(run.tables, run.documents).digest)
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.iterdir()} == {0o440}
    assert stat.S_IMODE(path.stat().st_mode) == 0o700


def test_manifest_holds_the_sha256_of_every_file(store: ObjectStore, run: RunResults) -> None:
    import hashlib

    path = store.path(store.publish(run.tables, run.documents).digest)
    listed = json.loads((path / "manifest.json").read_text())["files"]
    actual = {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in path.iterdir()
        if file.name != "manifest.json"
    }
    assert listed == actual
    assert {"patients.parquet", "visits.parquet", "costs.parquet", "protocol.yaml"} <= set(listed)


def test_a_flipped_bit_is_never_read_as_data(store: ObjectStore, run: RunResults) -> None:
    digest = store.publish(run.tables, run.documents).digest
    path = store.path(digest) / "visits.parquet"
    good = path.read_bytes()
    expected = run.tables.in_memory().visits
    path.chmod(0o600)
    noticed = 0
    for position in range(4, len(good) - 8, max(1, len(good) // 200)):
        path.write_bytes(good[:position] + bytes([good[position] ^ 0x10]) + good[position + 1 :])
        try:
            read = store.read(digest).in_memory().visits
        except CorruptedDataError:
            noticed += 1
        else:
            # Some bits, such as those of statistics, are not data.
            assert read.equals(expected)
    assert noticed > 100


def test_nothing_stays_when_the_disk_is_full(
    store: ObjectStore, run: RunResults, monkeypatch: pytest.MonkeyPatch
) -> None:
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    import signal

    previous = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))
    try:
        with pytest.raises(OutOfSpaceError):
            store.publish(run.tables, run.documents)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, previous)
    assert list(store.staging.iterdir()) == []
    assert list(store.directory.rglob("*")) == []
    assert store.publish(run.tables, run.documents).size_bytes > 2000


def test_two_publishers_at_once_are_both_right(
    store: ObjectStore, run: RunResults, monkeypatch: pytest.MonkeyPatch
) -> None:
    rival = ObjectStore(store.directory, store.staging)
    publish_one = store._publish

    def overtaken(staged: Path, target: Path) -> None:
        monkeypatch.undo()
        rival.publish(run.tables, run.documents)
        publish_one(staged, target)

    monkeypatch.setattr(store, "_publish", overtaken)
    stored = store.publish(run.tables, run.documents)
    assert list(store.directory.glob("*/*")) == [store.path(stored.digest)]
    assert list(store.staging.iterdir()) == []
