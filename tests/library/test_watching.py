"""Folders are followed through killed writers, killed watchers, and all that happens to them."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import subprocess
import sys

import pytest

from ape_jupyter.demo.generator import write_package
from ape_jupyter.errors import ConflictError
from ape_jupyter.library.local import LocalLibrary
from ape_jupyter.library.watch_files import WatchLedger
from ape_jupyter.testing.suite_watching import SETTLE_SECONDS, eventually

# Writes the files of a run one after the other and in pieces; says when each piece is written.
WRITER = """
import sys, time
from pathlib import Path
source, target, names = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]
target.mkdir(parents=True, exist_ok=True)
for name in names:
    content = (source / name).read_bytes()
    step = len(content) // 3 + 1
    with (target / name).open("wb") as file:
        for start in range(0, len(content), step):
            file.write(content[start : start + step])
            file.flush()
            print(name, flush=True)
            time.sleep(0.02)
"""


def written(source, target, names):
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(source), str(target), *names],
        stdout=subprocess.PIPE,
        text=True,
    )


def names_of(run, seed):
    names = sorted(path.name for path in run.iterdir())
    random.Random(seed).shuffle(names)
    return names


def fingerprint(folder):
    """Return everything about a folder that a program could have changed."""
    found = {}
    for path in sorted([folder, *folder.rglob("*")]):
        status = path.lstat()
        content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
        found[str(path)] = (content, status.st_mode, status.st_mtime_ns, status.st_nlink)
    return found


@pytest.fixture
def runs(results_folder):
    return sorted(results_folder.iterdir())


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "simulation_results"
    folder.mkdir()
    return folder


def test_slow_and_killed_writers(library, runs, folder, tmp_path):
    watch = library.watch(folder, settle_seconds=SETTLE_SECONDS)
    with written(runs[0], folder / runs[0].name, names_of(runs[0], 1)) as killed:
        for _ in range(names_of(runs[0], 1).index("visits.parquet") * 3 + 1):
            assert killed.stdout.readline()
        killed.kill()
    with written(runs[1], folder / runs[1].name, names_of(runs[1], 2)) as slow:
        for _ in slow.stdout:
            assert library.search().total == 0
    eventually(lambda: watch.state.n_taken_in == 1)
    # The half run is named, once there is no hope for it, and is still not in the library.
    eventually(lambda: watch.state.n_broken == 1)
    assert [run.path for run in watch.state.broken] == [str(folder / runs[0].name)]
    assert [run.sim_id for run in library.get_all_metadata()] == [runs[1].name]
    # Its writer is started again.
    with written(runs[0], folder / runs[0].name, names_of(runs[0], 3)) as again:
        assert len(again.stdout.readlines()) > len(names_of(runs[0], 3))
    eventually(lambda: watch.state.n_taken_in == 2)
    assert watch.state.n_broken == 0
    with LocalLibrary.open(tmp_path / "other") as other:
        for run in runs[:2]:
            [expected] = other.import_results(run)
            assert library.get_metadata(run.name).checksum == expected.checksum


def test_nothing_in_the_folder_is_changed(library, runs, folder):
    for run in runs:
        shutil.copytree(run, folder / run.name)
    write_package(folder / "again.zip", runs[0])
    (folder / "broken.zip").write_bytes(b"PK")
    (folder / runs[2].name / "metadata.json").write_text("{}")
    for path in [*folder.rglob("*"), folder]:
        path.chmod(0o500 if path.is_dir() else 0o400)
    before = fingerprint(folder)
    watch = library.watch(folder, settle_seconds=SETTLE_SECONDS)
    eventually(lambda: (watch.state.n_taken_in, watch.state.n_broken) == (3, 2))
    watch.stop()
    assert fingerprint(folder) == before
    assert library.search().total == 2


def test_one_library_follows_and_another_takes_over(tmp_path, runs, folder):
    first = LocalLibrary.open(tmp_path / "library")
    second = LocalLibrary.open(tmp_path / "library")
    first.watch(folder, settle_seconds=SETTLE_SECONDS)
    second.follow_watches()
    shutil.copytree(runs[0], folder / runs[0].name)
    [watch] = second.watches()
    eventually(lambda: watch.state.n_taken_in == 1)
    first.close()
    shutil.copytree(runs[1], folder / runs[1].name)
    eventually(lambda: watch.state.n_taken_in == 2)
    assert [run.number for run in watch.state.recent] == [1, 2]
    second.close()
    with LocalLibrary.open(tmp_path / "library") as third:
        assert [known.state.is_followed for known in third.watches()] == [False]


def test_a_broken_run_is_told_once(tmp_path, runs, folder, caplog):
    shutil.copytree(runs[0], folder / runs[0].name)
    (folder / runs[0].name / "patients.parquet").unlink()

    def follow_until(is_so):
        with LocalLibrary.open(tmp_path / "library") as library:
            watch = library.watch(folder, settle_seconds=SETTLE_SECONDS)
            eventually(lambda: watch.state.n_broken == 1 and is_so(watch.state))
            seen = watch.state.last_scan
            eventually(lambda: watch.state.last_scan > seen)

    follow_until(lambda state: True)
    # Looked at again after a restart, and after somebody else's run came in.
    shutil.copytree(runs[1], folder / runs[1].name)
    follow_until(lambda state: state.n_taken_in == 1)
    told = [record for record in caplog.records if "is not taken in" in record.getMessage()]
    assert len(told) == 1
    assert "patients.parquet" in told[0].getMessage()


def test_a_run_whose_files_change_meanwhile_is_not_kept(library, runs, folder):
    run = folder / runs[0].name
    shutil.copytree(runs[0], run)
    attempts = []
    take_in = library._followed._take_in

    def rewriting(path, definition, progress):
        def follow(step):
            if step.rows_done and not attempts:
                attempts.append(step)
                (run / "visits.parquet").write_bytes((runs[0] / "visits.parquet").read_bytes())
            progress(step)

        outcome = take_in(path, definition, follow)
        attempts.append(outcome)
        return outcome

    library._followed._take_in = rewriting
    watch = library.watch(folder, settle_seconds=SETTLE_SECONDS)
    eventually(lambda: watch.state.n_taken_in == 1)
    assert len(attempts) == 2  # the first one had no outcome
    assert len(watch.state.recent) == 1


def test_a_folder_that_goes_and_comes_back(library, runs, folder):
    shutil.copytree(runs[0], folder / runs[0].name)
    watch = library.watch(folder, settle_seconds=SETTLE_SECONDS)
    eventually(lambda: watch.state.n_taken_in == 1)
    away = folder.rename(folder.with_name("elsewhere"))
    eventually(lambda: watch.state.problem)
    assert str(folder) in watch.state.problem
    shutil.copytree(runs[1], away / runs[1].name)
    away.rename(folder)
    eventually(lambda: watch.state.n_taken_in == 2)
    assert watch.state.problem is None
    assert len(watch.state.recent) == 2


def test_a_run_that_was_deleted_stays_deleted(library, runs, folder):
    shutil.copytree(runs[0], folder / runs[0].name)
    watch = library.watch(folder, settle_seconds=SETTLE_SECONDS)
    eventually(lambda: watch.state.n_taken_in == 1)
    library.delete(runs[0].name)
    watch.stop()
    watch = library.watch(folder, settle_seconds=SETTLE_SECONDS)
    shutil.copytree(runs[1], folder / runs[1].name)
    eventually(lambda: watch.state.n_taken_in == 2)
    assert [run.sim_id for run in library.get_all_metadata()] == [runs[1].name]


def test_names_that_are_not_utf8(library, runs, tmp_path):
    folder = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9")
    shutil.copytree(runs[0], os.path.join(folder, runs[0].name))  # noqa: PTH118
    watch = library.watch(folder, settle_seconds=SETTLE_SECONDS)
    eventually(lambda: watch.state.n_broken == 1)
    assert "not UTF-8" in str(watch.state.broken[0].faults[0])
    watch.folder.encode()


def test_a_torn_ledger(library, runs, folder, tmp_path):
    for run in runs[:2]:
        shutil.copytree(run, folder / run.name)
    watch = library.watch(folder, settle_seconds=SETTLE_SECONDS)
    eventually(lambda: watch.state.n_taken_in == 2)
    watch.stop()
    path = tmp_path / "library" / "watches" / watch.watch_id / "ledger.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    ledger = WatchLedger(path)
    assert len(ledger.runs()) == 1
    assert ledger.next_number == 2
    assert whole.startswith(path.read_bytes())
    watch = library.watch(folder, settle_seconds=SETTLE_SECONDS)
    eventually(lambda: watch.state.n_taken_in == 2)
    assert library.search().total == 2


def test_what_the_configuration_names(library, tmp_path, runs, folder):
    later = tmp_path / "not-there-yet"
    library.follow_watches([str(folder), str(later)])
    by_folder = {watch.folder: watch for watch in library.watches()}
    assert all(watch.state.is_configured for watch in by_folder.values())
    with pytest.raises(ConflictError, match="watched_folders"):
        by_folder[str(folder)].stop()
    eventually(lambda: by_folder[str(later)].state.problem)
    library.follow_watches([str(later)])
    assert [watch.folder for watch in library.watches()] == [str(later)]


def test_runs_can_be_linked(library, runs, folder):
    shutil.copytree(runs[0], folder / runs[0].name)
    before = fingerprint(folder)
    watch = library.watch(folder, copy=False, settle_seconds=SETTLE_SECONDS)
    eventually(lambda: watch.state.n_taken_in == 1)
    watch.stop()
    assert library.get_metadata(runs[0].name).source == "linked"
    assert library.load_simulation(runs[0].name).load_results().visits.num_rows
    assert fingerprint(folder) == before
