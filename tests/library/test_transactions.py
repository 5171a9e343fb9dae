"""Transactions and purges of a library in this process, and what a kill leaves of them."""

from __future__ import annotations

import queue
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ape_jupyter.errors import OutOfSpaceError
from ape_jupyter.library.local import LocalLibrary
from ape_jupyter.testing.runs import EXAMPLE_NAMES, write_example_runs

QUIET = EXAMPLE_NAMES[0]


@pytest.fixture(scope="module")
def example_runs(tmp_path_factory):
    return write_example_runs(tmp_path_factory.mktemp("runs"))


@pytest.fixture
def library(tmp_path):
    with LocalLibrary.open(tmp_path / "library") as library:
        yield library


def files_below(*directories: Path) -> list[Path]:
    return [path for place in directories for path in place.rglob("*") if path.is_file()]


def test_what_was_staged_is_gone_after_an_exception(library, example_runs):
    objects, staging = library.directory / "objects", library.directory / "staging"
    with pytest.raises(ZeroDivisionError), library.transaction() as tx:
        for run in example_runs:
            tx.add_simulation(run)
        assert not files_below(objects)
        assert files_below(staging)
        raise ZeroDivisionError
    assert not files_below(objects, staging, library.directory / "runs")


def test_what_was_published_is_gone_when_the_commit_fails(library, example_runs, monkeypatch):
    known = library.import_results(example_runs[0])[0]

    def fail(*_, **__):
        raise OutOfSpaceError("The disk is full.")

    monkeypatch.setattr("ape_jupyter.registry.writing.carry_out", fail)
    with pytest.raises(OutOfSpaceError), library.transaction() as tx:
        for run in example_runs:
            tx.add_simulation(run)
    monkeypatch.undo()
    assert [run.sim_id for run in library.get_all_metadata()] == [known.sim_id]
    assert library._store.digests() == [known.checksum]
    assert not files_below(library.directory / "staging")
    assert len(library.import_results(example_runs[0].parent)) == 3


KILLED_AT_COMMIT = """
import os, signal, sys
import sqlalchemy as sa
from ape_jupyter.library.local import LocalLibrary

library = LocalLibrary.open(sys.argv[1])
with library.transaction() as tx:
    for run in sys.argv[3:]:
        tx.add_simulation(run)
        tx.add_tag(run.rsplit("/")[-1], "x")
    if sys.argv[2] == "before":
        sa.event.listen(sa.Engine, "commit", lambda _: os.kill(os.getpid(), signal.SIGKILL))
print("committed", flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_kill_around_the_commit_shows_all_or_nothing(library, example_runs, moment):
    arguments = [sys.executable, "-c", KILLED_AT_COMMIT, library.location, moment]
    arguments += map(str, example_runs)
    done = subprocess.run(arguments, check=False, capture_output=True, text=True)
    assert done.returncode == -9
    found = list(library.get_all_metadata())
    assert len(found) == (3 if done.stdout == "committed\n" else 0)
    assert [run.tags for run in found] == [("x",)] * len(found)
    report = library.verify(repair=True)
    assert not [finding for finding in report.findings if finding.severity.value == "damage"]
    assert list(library.get_all_metadata()) == found
    assert len(library.import_results(example_runs[0].parent)) == 3
    for run in library.get_all_metadata():
        assert library.load_simulation(run.sim_id).load_results().visits.num_rows == run.n_visits


def test_a_purge_that_was_killed_is_finished_by_the_next(library, example_runs):
    library.import_results(example_runs[0].parent)
    gone, back = (library.delete(name) for name in EXAMPLE_NAMES[:2])
    library._registry.purge(datetime.now(UTC))  # and the process dies
    assert len(library._store.digests()) == 3
    library.import_results(example_runs[1])
    library.purge(timedelta(days=1), dry_run=False)
    assert gone.checksum not in library._store.digests()
    assert gone.sim_id not in library._records.ids()
    assert len(library._store.digests()) == 2
    rows = library.load_simulation(back.sim_id).load_results().visits.num_rows
    assert rows == back.n_visits
    assert library.verify().ok


def test_a_purge_leaves_linked_files(library, example_runs):
    before = {path: path.read_bytes() for path in example_runs[0].iterdir()}
    run = library.import_results(example_runs[0], copy=False)[0]
    library.delete(run.sim_id)
    report = library.purge(timedelta(), dry_run=False)
    assert report.size_bytes < run.file_size_mb * 1e6
    assert {path: path.read_bytes() for path in example_runs[0].iterdir()} == before
    assert library._store.digests() == []


CHANGES = """
import sys
from ape_jupyter.library.local import LocalLibrary
with LocalLibrary.open(sys.argv[1]) as library:
    library.add_tag(sys.argv[2], "elsewhere", user="ada")
"""


def test_other_processes_are_heard(library, example_runs):
    run = library.import_results(example_runs[0])[0]
    heard = queue.Queue()
    with library.subscribe("tags_changed", heard.put):
        code = [sys.executable, "-c", CHANGES, library.location, run.sim_id]
        subprocess.run(code, check=True)
        event = heard.get(timeout=20)
    assert (event.simulation_id, event.user_id) == (run.sim_id, "ada")
    assert event.data["after"] == {"tags": ["elsewhere"]}


def test_changes_are_attributed(library, example_runs):
    run = library.import_results(example_runs[0], user="ada")[0]
    library.pin(run.sim_id, user="bob")
    library.delete(run.sim_id, user="eve")
    with library.transaction(user="kim") as tx:
        tx.restore(run.sim_id)
    told = [e for e in library.events(sim_id=run.sim_id) if e.type.value != "migration_applied"]
    assert [event.user_id for event in told] == ["ada", "bob", "eve", "kim"]


def test_a_parent_can_be_of_the_same_transaction(library, example_runs):
    import pyarrow.parquet as pq

    tables = [pq.read_table(example_runs[0] / f"{name}.parquet") for name in ("patients", "visits")]
    with library.transaction() as tx:
        parent = tx.register(*tables, name="parent")
        tx.register(*tables, name="child", parent="parent")
    assert library.get_metadata("child").parent == parent
