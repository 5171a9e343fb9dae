"""Imports outlive the server that was asked for them."""

from __future__ import annotations

import threading
import time

import pytest

from ape_jupyter.demo.generator import RunSpec, write_results
from ape_jupyter.library.local import LocalLibrary
from ape_jupyter.testing.processes import ServerProcess


@pytest.fixture
def folder(tmp_path, large_run):
    folder = tmp_path / "results"
    for number in range(6):
        write_results(folder, RunSpec(memorable_name=f"small-{number}", n_patients=30, seed=number))
    (folder / large_run.name).mkdir()
    for file in large_run.iterdir():
        (folder / large_run.name / file.name).hardlink_to(file)
    return folder


def wait_for(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.01)


def test_an_import_outlives_its_server(tmp_path, folder, large_run):
    directory = tmp_path / "library"
    told = []
    reports = []
    with ServerProcess(tmp_path / "home", directory) as server, server.library() as library:

        def follow():
            reports.append(library.import_results(folder, tags=["kept"], progress=told.append))

        client = threading.Thread(target=follow)
        client.start()
        wait_for(lambda: any(step.current == large_run.name and step.rows_done for step in told))
        server.kill()
        assert client.is_alive()
        assert ".owner" in {path.suffix for path in (directory / "staging").iterdir()}

        server.start()
        client.join(60)
        [report] = reports
        assert len(report) == 7
        assert all("kept" in run.tags for run in report)
        assert library.search().total == 7
    assert not list((directory / "staging").iterdir())
    with LocalLibrary.open(directory) as local:
        stored = {path.name for path in (directory / "objects").glob("*/*")}
        assert stored == {run.checksum for run in local.get_all_metadata()}
