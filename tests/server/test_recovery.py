"""What a server was asked for outlives it: imports, and folders that are followed."""

from __future__ import annotations

import threading

import pytest

from ape_jupyter.demo.generator import RunSpec, write_results
from ape_jupyter.library.local import LocalLibrary
from ape_jupyter.library.watch_files import WatchLedger
from ape_jupyter.testing.processes import ServerProcess
from ape_jupyter.testing.suite_watching import SETTLE_SECONDS, eventually

N_SMALL = 6
N_WATCHED = 25


@pytest.fixture
def results(tmp_path, large_run):
    """A folder to be imported: small runs, and at the end one that takes a while."""
    folder = tmp_path / "results"
    for number in range(N_SMALL):
        write_results(folder, RunSpec(memorable_name=f"small-{number}", n_patients=30, seed=number))
    (folder / large_run.name).mkdir()
    for file in large_run.iterdir():
        (folder / large_run.name / file.name).hardlink_to(file)
    return folder


@pytest.fixture
def followed(tmp_path):
    folder = tmp_path / "followed"
    for number in range(N_WATCHED):
        write_results(folder, RunSpec(memorable_name=f"new-{number}", n_patients=20, seed=number))
    return folder


def test_a_server_is_killed_at_work(tmp_path, results, followed, large_run):
    directory = tmp_path / "library"
    told = []
    reports = []
    with ServerProcess(tmp_path / "home", directory) as server, server.library() as library:
        watch = library.watch(followed, settle_seconds=SETTLE_SECONDS)
        eventually(lambda: watch.state.n_taken_in >= 3)

        def follow():
            reports.append(library.import_results(results, tags=["kept"], progress=told.append))

        client = threading.Thread(target=follow)
        client.start()
        eventually(lambda: any(step.current == large_run.name and step.rows_done for step in told))
        server.kill()
        assert client.is_alive()
        assert ".owner" in {path.suffix for path in (directory / "staging").iterdir()}
        ledger = WatchLedger(directory / "watches" / watch.watch_id / "ledger.jsonl")
        assert 3 <= len(ledger.runs()) <= N_WATCHED

        server.start()
        client.join(60)
        [report] = reports
        assert len(report) == N_SMALL + 1
        assert all("kept" in run.tags for run in report)
        eventually(lambda: watch.state.n_taken_in == N_WATCHED)
        assert watch.state.recent[-1].number == N_WATCHED  # none was dealt with twice
        write_results(followed, RunSpec(memorable_name="one-more", n_patients=20, seed=99))
        eventually(lambda: watch.state.n_taken_in == N_WATCHED + 1)
        assert library.search().total == N_SMALL + 1 + N_WATCHED + 1
    with LocalLibrary.open(directory) as local:
        assert not list((directory / "staging").iterdir())
        stored = {path.name for path in (directory / "objects").glob("*/*")}
        assert stored == {run.checksum for run in local.get_all_metadata()}
