"""Memory figures, held against what the system and pandas say."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from ape_jupyter.cache import pages
from ape_jupyter.cache.leases import LEASE_FILE
from ape_jupyter.cache.mapped import map_table, write_table
from ape_jupyter.cache.pages import drop_pages, process_pages, resident_bytes
from ape_jupyter.demo.generator import RunSpec, write_results
from ape_jupyter.library.local import LocalLibrary
from ape_jupyter.library.pandas_cost import pandas_bytes
from ape_jupyter.model.memory import Optimization

linux = pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="needs /proc")

KERNEL = """
import sys
import numpy as np
import ape_jupyter as ape
import pyarrow.compute as pc
lib = ape.connect(sys.argv[1])
results = lib.load_simulation("large").load_results()
for table in (results.patients, results.visits):
    for column in table.columns:
        for buffer in column.chunk(0).buffers():
            if buffer is not None:
                int(np.frombuffer(buffer, np.uint8).sum())
if sys.argv[2] == "pandas":
    frames = [results.patients_df(), results.visits_df()]
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def large_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("large")
    return write_results(folder, RunSpec(memorable_name="large", n_patients=5000, seed=5))


@pytest.fixture
def large_library(library: LocalLibrary, large_run: Path) -> LocalLibrary:
    library.import_results(large_run)
    library.load_simulation("large", load_data=True).unload_results()
    return library


class Kernels:
    def __init__(self, library: LocalLibrary) -> None:
        self._library = library
        self.processes: list[subprocess.Popen[str]] = []

    def start(self, way: str = "mapped") -> int:
        process = subprocess.Popen(
            [sys.executable, "-c", KERNEL, self._library.location, way],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.processes.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process.pid


@pytest.fixture
def kernels(large_library: LocalLibrary) -> Iterator[Kernels]:
    kernels = Kernels(large_library)
    yield kernels
    for process in kernels.processes:
        process.kill()
        process.communicate()


@linux
def test_kernels_share_one_copy(large_library: LocalLibrary, kernels: Kernels) -> None:
    pids = {f"kernel-{number}": kernels.start() for number in range(3)}
    report = large_library.memory(pids)
    (run,) = report.runs
    assert {kernel.kernel_id: kernel.pid for kernel in report.kernels} == pids
    for kernel in report.kernels:
        (mapped,) = kernel.runs
        assert mapped.resident_mb == pytest.approx(run.cached_mb, rel=0.1)
        assert mapped.pss_mb == pytest.approx(run.cached_mb / 3, rel=0.15)
    assert report.shared_mb == pytest.approx(run.cached_mb, rel=0.15)
    assert run.resident_mb == pytest.approx(run.cached_mb, rel=0.1)
    assert report.pandas_mb == pytest.approx(3 * run.pandas_mb)
    assert (run.n_readers, run.is_in_use) == (3, True)
    assert report.notes == ()
    print(f"{report.shared_mb:.1f} MB shared, {report.pandas_mb:.1f} MB as pandas copies")


@linux
def test_a_private_copy_is_seen_from_outside(large_library: LocalLibrary, kernels: Kernels) -> None:
    pids = {"mapped": kernels.start(), "pandas": kernels.start("pandas")}
    report = large_library.memory(pids)
    private = {kernel.kernel_id: kernel.private_mb for kernel in report.kernels}
    more = private["pandas"] - private["mapped"]  # type: ignore[operator]
    assert more > 0.5 * report.runs[0].pandas_mb


@linux
def test_processes_of_nobody_s_kernel_are_reported(
    large_library: LocalLibrary, kernels: Kernels
) -> None:
    pid = kernels.start()
    (kernel,) = large_library.memory({}).kernels
    assert (kernel.kernel_id, kernel.pid, len(kernel.runs)) == (None, pid, 1)
    assert os.getpid() in {kernel.pid for kernel in large_library.memory().kernels}
    # A kernel that ended between two looks is left out.
    assert [k.pid for k in large_library.memory({"gone": 2**22 - 1}).kernels] == [pid]


def test_the_cost_of_pandas_is_about_right(large_library: LocalLibrary) -> None:
    results = large_library.load_simulation("large").load_results()
    for table, frame in (
        (results.patients, results.patients_df()),
        (results.visits, results.visits_df()),
    ):
        actual = int(frame.memory_usage(deep=True, index=False).sum())
        assert pandas_bytes(table) == pytest.approx(actual, rel=0.25)


@linux
def test_pages_are_counted_and_dropped(tmp_path: Path) -> None:
    path = tmp_path / "with space\nand newline.arrow"
    write_table(pa.table({"value": np.arange(1_000_000)}), path)
    assert resident_bytes(path) == path.stat().st_size
    mapped = map_table(path)
    assert int(mapped["value"].to_numpy().sum()) > 0
    files = [file for file in process_pages(os.getpid()).files if file.path == path]
    assert files[0].resident >= 8_000_000
    assert files[0].private_copies == 0
    path.unlink()
    assert [f for f in process_pages(os.getpid()).files if f.path == path]
    other = tmp_path / "other.arrow"
    write_table(pa.table({"value": np.arange(1_000_000)}), other)
    assert drop_pages(other)
    assert resident_bytes(other) == 0


@linux
def test_idle_runs_leave_memory_and_stay_on_disk(large_library: LocalLibrary) -> None:
    run = large_library.get_metadata("large")
    stamp = large_library.directory / "cache" / run.checksum / LEASE_FILE
    two_hours_ago = stamp.stat().st_mtime - 7200
    os.utime(stamp, (two_hours_ago, two_hours_ago))
    report = large_library.optimize_memory()
    (step,) = report.steps
    assert (step.action, step.sim_id) == (Optimization.RELEASED, run.sim_id)
    assert "2 h" in step.reason
    assert report.freed_memory_mb == step.freed_mb > 1
    assert large_library.get_memory_usage()[run.sim_id] == 0
    assert large_library.memory().runs[0].cached_mb > 1


def test_optimizing_keeps_the_budget(large_run: Path, tmp_path: Path) -> None:
    directory = tmp_path / "library"
    with LocalLibrary.open(directory) as library:
        library.import_results(large_run)
        library.load_simulation("large", load_data=True).unload_results()
    with LocalLibrary.open(directory, cache_budget_mb=0.1) as library:
        (step,) = library.optimize_memory().steps
        assert step.action is Optimization.EVICTED
        assert "budget" in step.reason
        assert library.get_memory_usage() == {}
        assert library.load_simulation("large").load_results().visits.num_rows > 0


def test_two_runs_with_one_result_set(library: LocalLibrary, results_folder: Path) -> None:
    """Pinning either keeps both; the files are counted once."""
    library.import_results(results_folder)
    one = library.get_metadata("calm-river")
    results = library.load_simulation("calm-river").load_results()
    two = library.register(results.patients, results.visits, name="a").sim_id
    three = library.register(results.patients, results.visits, name="b").sim_id
    assert library.get_metadata(two).checksum == library.get_metadata(three).checksum
    library.load_simulation(two, load_data=True).unload_results()
    library.pin(three)
    with pytest.raises(Exception, match="pinned"):
        library.evict(two)
    report = library.memory()
    assert {run.sim_id for run in report.runs} == {one.sim_id, two, three}
    size = {run.sim_id: run.cached_mb for run in report.runs}
    assert report.cached_mb == pytest.approx(size[one.sim_id] + size[two])


def test_without_proc_it_says_what_it_can_not_know(
    large_library: LocalLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages.Path, "read_bytes", _no_proc)
    monkeypatch.setattr(pages.ctypes, "CDLL", _no_proc)
    results = large_library.load_simulation("large").load_results()
    usage = results.memory_usage()
    assert usage.mapped_mb > 1
    assert (usage.resident_mb, usage.private_mb) == (None, None)
    report = large_library.memory()
    assert len(report.notes) == 2
    assert report.shared_mb is None
    assert report.kernels[0].private_mb > 1
    assert large_library.get_memory_usage()[report.runs[0].sim_id] == report.runs[0].cached_mb


def _no_proc(*_: object, **__: object) -> bytes:
    raise OSError("no such thing here")
