"""Files made to harm their reader: they are refused by name, and nobody else notices."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ape_jupyter.demo.generator import RunSpec, write_results
from ape_jupyter.errors import InvalidResultsError
from ape_jupyter.library import isolation
from ape_jupyter.library.isolation import prepare_isolated
from ape_jupyter.library.local import LocalLibrary
from ape_jupyter.library.preparation import Request
from ape_jupyter.model.progress import Progress
from ape_jupyter.results.reading import RunFiles
from ape_jupyter.results.store import ObjectStore

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="limits and forks are those of Linux"
)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return write_results(tmp_path / "results", RunSpec(n_patients=40, memorable_name="calm-sea"))


def fresh_readers() -> None:
    isolation._READERS.close()


def children_of(pid: int) -> list[int]:
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.append(int(status.parent.name))
    return found


def forks() -> list[int]:
    """Return the processes that carry out orders of this one."""
    readers = [pid for pid in children_of(os.getpid()) if "ape_jupyter.library.reader" in name(pid)]
    return [fork for reader in readers for fork in children_of(reader)]


def name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def test_the_file_that_crashes_its_reader_is_named(run: Path, tmp_path: Path) -> None:
    for name in ("objects", "staging", "scratch"):
        (tmp_path / name).mkdir()
    store = ObjectStore(tmp_path / "objects", tmp_path / "staging")
    (run / "visits.parquet").unlink()
    os.mkfifo(run / "visits.parquet")  # whoever opens it waits, and can be killed at that point
    files = RunFiles.of_directory(run)

    def crash() -> None:
        while not (found := forks()):
            time.sleep(0.01)
        # It opens the pipe, says so before, and never gets on.
        while "wait_for_partner" not in wchan(found[0]):
            time.sleep(0.01)
        os.kill(found[0], signal.SIGSEGV)

    killer = threading.Thread(target=crash)
    killer.start()
    with pytest.raises(InvalidResultsError) as caught:
        prepare_isolated(files, Request((), "me"), store, tmp_path / "scratch", lambda _: None)
    killer.join()
    (fault,) = caught.value.faults
    assert fault.file == "visits.parquet"
    assert "SIGSEGV" in fault.problem
    assert list((tmp_path / "objects").iterdir()) == []


def wchan(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/wchan").read_text()
    except OSError:
        return ""


def test_what_is_no_file_is_refused(run: Path, library: LocalLibrary) -> None:
    (run / "visits.parquet").unlink()
    os.mkfifo(run / "visits.parquet")
    with pytest.raises(InvalidResultsError, match=r"visits\.parquet: is no regular file"):
        library.import_results(run)


def test_a_file_that_fills_the_memory_is_refused(
    run: Path, library: LocalLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(isolation, "_LEAST_MEMORY_BYTES", 1300 * 2**20)
    monkeypatch.setattr(isolation, "memory_limit", lambda: 0)
    good = Path(shutil.copytree(run, run.with_name("sim_20260101_000000_01-00_good")))
    patients = pq.read_table(run / "patients.parquet")
    bomb = pa.array(["x" * (400 * 2**20)] + [""] * (patients.num_rows - 1), pa.large_string())
    column = patients.schema.get_field_index("final_disease_state")
    patients = patients.set_column(column, "final_disease_state", bomb)
    pq.write_table(
        patients, run / "patients.parquet", compression="zstd", use_dictionary=False,
        write_statistics=False,
    )  # fmt: skip
    assert (run / "patients.parquet").stat().st_size < 200_000
    with pytest.raises(InvalidResultsError) as caught:
        library.import_results(run)
    assert caught.value.faults[0].file == "patients.parquet"
    assert library.import_results(good).imported


def test_too_much_computing_is_refused(
    run: Path, library: LocalLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(isolation, "_CPU_SECONDS", 0)
    with pytest.raises(InvalidResultsError, match="seconds of computing"):
        library.import_results(run)
    monkeypatch.undo()
    assert library.import_results(run).imported


def test_cancelling_ends_the_reader(run: Path, library: LocalLibrary) -> None:
    class StoppedError(Exception):
        pass

    def stop(progress: Progress) -> None:
        if progress.rows_done:
            raise StoppedError

    with pytest.raises(StoppedError):
        library.import_results(run, progress=stop)
    assert forks() == []
    assert list((library.directory / "staging").iterdir()) == []
    assert library.import_results(run).imported


def test_a_killed_reader_is_replaced(run: Path, library: LocalLibrary) -> None:
    library.import_results(run)
    (reader,) = [reader._process for reader in isolation._READERS._idle][-1:]
    reader.kill()
    reader.wait()
    assert library.import_results(run).already_there


SCRIPT = """
import sys
from ape_jupyter.library.local import LocalLibrary
with LocalLibrary.open(sys.argv[1]) as library:
    print(len(library.import_results(sys.argv[2])))
"""


def test_modules_in_the_working_directory_are_not_loaded(run: Path, tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('loaded')")
    script = tmp_path / "scripts" / "script.py"
    script.parent.mkdir()
    script.write_text(SCRIPT)
    printed = subprocess.run(
        [sys.executable, script, tmp_path / "library", run],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert printed.stdout == "1\n"
