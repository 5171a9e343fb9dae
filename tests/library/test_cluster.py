"""Imports and summaries on real worker processes, one of which is killed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace

import dask
import pytest
from distributed import Client, LocalCluster

from ape_jupyter.demo.generator import write_results
from ape_jupyter.errors import (
    CorruptedDataError,
    InvalidArgumentError,
    ServerUnavailableError,
)
from ape_jupyter.library.cluster import Cluster, _called
from ape_jupyter.library.local import LocalLibrary
from ape_jupyter.library.on_workers import prepared_on_worker
from ape_jupyter.library.preparation import Request
from ape_jupyter.results.parcels import packed, unpacked
from ape_jupyter.testing.runs import EXAMPLE_NAMES, example_specs, write_example_runs

N_RUNS = 9
# Begun, on either cluster, when the second or the fourth run is waited for.
LONG_RUN = 13


@pytest.fixture(scope="module")
def client():
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        Client(cluster) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    paths = write_example_runs(folder)
    spec = example_specs()[0]
    for seed in range(10, 10 + N_RUNS - len(paths)):
        # One takes long enough to be killed at.
        n_patients = 2000 if seed == LONG_RUN else 60
        named = replace(spec, seed=seed, memorable_name=f"run-{seed}", n_patients=n_patients)
        write_results(folder, named)
    return folder


@pytest.fixture(scope="module")
def expected(runs, tmp_path_factory):
    with LocalLibrary.open(tmp_path_factory.mktemp("expected") / "library") as library:
        library.import_results(runs)
        yield library


@pytest.fixture
def library(tmp_path):
    with LocalLibrary.open(tmp_path / "library") as library:
        yield library


def contents(library: LocalLibrary) -> dict[str, bytes]:
    """Return all objects and summaries, byte for byte."""
    places = [*library.directory.glob("objects/*/*/*"), *library.directory.glob("cache/*/s*.arrow")]
    return {str(path.relative_to(library.directory)): path.read_bytes() for path in places}


def described(library: LocalLibrary) -> list:
    runs = library.get_all_metadata()
    return sorted((replace(run, registered_at=run.created_at) for run in runs), key=repr)


def assert_nothing_is_left(library: LocalLibrary) -> None:
    assert list((library.directory / "staging").iterdir()) == []
    assert library.verify().ok


def kill_one(client: Client) -> int:
    """Kill a worker that has something to do."""
    for _ in range(1000):
        busy = [address for address, tasks in client.processing().items() if tasks]
        if busy:
            break
    pid = client.run(os.getpid, workers=busy[:1])[busy[0]]
    os.kill(pid, signal.SIGKILL)
    return pid


def test_workers_import_to_the_bit_what_one_core_imports(client, library, runs, expected):
    told = []
    with library.use_cluster(client):
        report = library.import_results(runs, tags=["t"], progress=told.append)
        assert len(report.imported) == N_RUNS
        assert [progress.done for progress in told] == list(range(N_RUNS + 1))
        assert contents(library) == contents(expected)
        assert [replace(run, tags=()) for run in described(library)] == described(expected)
        again = library.import_results(runs)
        assert len(again.already_there) == N_RUNS
    assert_nothing_is_left(library)


def test_refusals_are_those_of_one_core(client, library, tmp_path, runs):
    folder = tmp_path / "results"
    first, second, third, *_ = sorted(runs.iterdir())
    shutil.copytree(first, folder / "a")
    shutil.copytree(first, folder / "b")  # the same run again
    shutil.copytree(second, folder / "c")
    shutil.copy(folder / "a" / "metadata.json", folder / "c" / "metadata.json")  # a conflict
    shutil.copytree(third, folder / "d")
    (folder / "d" / "visits.parquet").write_bytes(b"PAR1 and no more")
    (folder / "e.zip").write_bytes(b"no package")
    with LocalLibrary.open(tmp_path / "alone") as alone:
        wanted = alone.import_results(folder)
    with library.use_cluster(client):
        found = library.import_results(folder)
    assert [outcome.status.value for outcome in wanted.outcomes] == [
        "imported",
        "already_there",
        "refused",
        "refused",
        "refused",
    ]
    assert [(o.path, o.status, o.faults) for o in found.outcomes] == [
        (o.path, o.status, o.faults) for o in wanted.outcomes
    ]
    assert_nothing_is_left(library)


def test_links_what_workers_read_in_place(client, library, runs):
    with library.use_cluster(client):
        report = library.import_results(min(runs.iterdir()), copy=False)
    (run,) = report
    assert run.source.value == "linked"
    assert not list(library.directory.glob("objects/*/*/*.parquet"))
    assert library.load_simulation(run.sim_id).load_results().visits.num_rows == run.n_visits


def test_a_killed_worker_changes_nothing(client, library, runs, expected):
    killed = []

    def kill_in_the_middle(progress):
        if progress.done == 1:
            killed.append(kill_one(client))

    with library.use_cluster(client):
        library.import_results(runs, progress=kill_in_the_middle)
    assert len(killed) == 1
    assert contents(library) == contents(expected)
    assert described(library) == described(expected)
    assert_nothing_is_left(library)
    client.wait_for_workers(2)
    assert killed[0] not in client.run(os.getpid).values()


def test_what_came_before_the_cluster_was_lost_is_complete(library, runs, expected):
    def kill_in_the_middle(progress):
        if progress.done == 3:
            kill_one(client)

    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0") as cluster,
        Client(cluster, set_as_default=False) as client,
        library.use_cluster(client),
        pytest.raises(ServerUnavailableError, match="What was registered before is complete"),
    ):
        library.import_results(runs, progress=kill_in_the_middle)
    assert 3 <= len(library.get_all_metadata()) < N_RUNS
    assert_nothing_is_left(library)
    library.import_results(runs)
    assert contents(library) == contents(expected)


def test_stopping_leaves_the_cluster_idle(client, library, runs):
    begun = set()

    class StoppedError(Exception):
        pass

    def stop(progress):
        if progress.done == 1:
            begun.update(client.futures)
            raise StoppedError

    with library.use_cluster(client), pytest.raises(StoppedError):
        library.import_results(runs, progress=stop)
    assert len(library.get_all_metadata()) == 1
    assert_nothing_is_left(library)
    # All that was begun ends, and nobody holds what came of it.
    assert client.submit(sum, [1, 2]).result() == 3
    assert not client.cluster.scheduler.tasks.keys() & begun


def test_workers_make_missing_summaries(client, library, runs, expected):
    library.import_results(runs)
    for path in library.directory.glob("cache/*/summary*.arrow"):
        path.unlink()
    before = client.cluster.scheduler.transition_counter
    with library.use_cluster(client):
        library.compare_simulations(EXAMPLE_NAMES)
    assert client.cluster.scheduler.transition_counter > before
    made = [path for path in contents(library) if path.startswith("cache/")]
    assert len(made) == len(EXAMPLE_NAMES)
    assert {path: contents(library)[path] for path in made}.items() <= contents(expected).items()


def test_what_a_worker_finds_damaged_is_looked_at_here(client, library, runs):
    library.import_results(runs)
    run = library.get_metadata(EXAMPLE_NAMES[0])
    for path in library.directory.glob("cache/*/summary*.arrow"):
        path.unlink()
    (visits,) = library.directory.glob(f"objects/*/{run.checksum}/visits.parquet")
    content = bytearray(visits.read_bytes())
    content[len(content) // 2] ^= 1
    visits.chmod(0o600)
    visits.write_bytes(content)
    with library.use_cluster(client), pytest.raises(CorruptedDataError, match="quarantined"):
        library.compare_simulations(EXAMPLE_NAMES)
    assert library.get_metadata(run.sim_id).status.value == "quarantined"


def test_says_that_a_worker_does_not_see_the_results(client, tmp_path):
    cluster = Cluster(client)
    request = Request((), "me")
    future = cluster.submit(prepared_on_worker, str(tmp_path / "only here"), request)
    with pytest.raises(InvalidArgumentError, match=r"The worker tcp://.* does not see .*only here"):
        cluster.result(future)


def test_says_that_a_worker_has_another_version():
    with pytest.raises(InvalidArgumentError, match=r"this process 0\.0\.0"):
        _called("0.0.0", len, [])


def test_a_parcel_with_a_changed_byte_is_refused(expected, tmp_path):
    checksum = expected.get_metadata(EXAMPLE_NAMES[1]).checksum
    files = packed(expected.directory / "objects" / checksum[:2] / checksum)
    for number, name in enumerate(files):
        content = bytearray(files[name])
        content[len(content) // 2] ^= 1
        place = tmp_path / str(number)
        place.mkdir()
        with pytest.raises(CorruptedDataError):
            unpacked({**files, name: bytes(content)}, checksum, place)
    for name in files.keys() - {"manifest.json"}:
        place = tmp_path / name
        place.mkdir()
        with pytest.raises(CorruptedDataError):
            unpacked({n: files[n] for n in files if n != name}, checksum, place)


def test_dask_is_loaded_by_those_who_use_it_only(runs, tmp_path):
    run = min(runs.iterdir())
    code = (
        "import sys; from pathlib import Path; import ape_jupyter as ape\n"
        "lib, run = ape.connect(sys.argv[1]), Path(sys.argv[2])\n"
        "lib.import_results(run); lib.use_cluster(None)\n"
        "lib.register(run / 'patients.parquet', run / 'visits.parquet')\n"
        "import ape_jupyter.client.packing, ape_jupyter.client.remote\n"
        "print([m for m in ('dask', 'distributed') if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "library", run],
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
    )
    assert result.stdout.strip() == "[]"
