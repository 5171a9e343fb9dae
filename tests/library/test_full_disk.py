"""On a full disk nothing is lost, and with room again all works, without a restart."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ape_jupyter.demo.generator import RunSpec, write_results

# In a mount and user namespace of its own, anybody may mount a small disk.
MOUNT = 'mount -t tmpfs -o size=40m tmpfs "$1" && exec "$2" -c "$3" "$1" "$4" disk'
TMPFS = ["unshare", "-Urm", "sh", "-c", MOUNT, "sh"]

SCRIPT = """
import resource, signal, sys
from pathlib import Path
from ape_jupyter.errors import OutOfSpaceError
from ape_jupyter.library import isolation
from ape_jupyter.library.local import LocalLibrary

place, runs, kind = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
small, large = runs / "small", runs / "large"
filler = place / "filler"

def fill():
    if kind == "limit":
        isolation._READERS.close()
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
    else:
        with filler.open("wb", buffering=0) as file:
            try:
                while file.write(bytes(2**16)):
                    pass
            except OSError:
                pass

def make_room():
    if kind == "limit":
        isolation._READERS.close()
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
    else:
        filler.unlink()

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with LocalLibrary.open(place / "library") as library:
    (first,) = library.import_results(small)
    library.load_simulation(first.sim_id).load_results()
    fill()
    for _ in range(2):
        try:
            library.import_results(large)
        except OutOfSpaceError as error:
            assert "full" in str(error), error
        else:
            raise AssertionError("there was room")
    assert [run.sim_id for run in library.get_all_metadata()] == [first.sim_id]
    assert library.load_simulation(first.sim_id).load_results().visits.num_rows == first.n_visits
    assert not list((library.directory / "staging").iterdir())
    make_room()
    (second,) = library.import_results(large)
    assert library.load_simulation(second.sim_id).load_results().visits.num_rows == second.n_visits
    report = library.verify()
    assert not report.findings, str(report)
print("done")
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    for name, n_patients in (("small", 20), ("large", 8_000)):
        run = write_results(folder, RunSpec(n_patients=n_patients, memorable_name=name))
        run.rename(folder / name)
    return folder


def test_small_disk(tmp_path: Path, runs: Path) -> None:
    probe = subprocess.run(["unshare", "-Urm", "true"], capture_output=True, check=False)
    if probe.returncode:
        pytest.skip("this system lets nobody mount a disk of their own; see the next test")
    arguments = [str(tmp_path), sys.executable, SCRIPT, str(runs)]
    assert output_of([*TMPFS, *arguments]) == "done\n"


def test_limited_files(tmp_path: Path, runs: Path) -> None:
    arguments = [str(tmp_path), str(runs), "limit"]
    assert output_of([sys.executable, "-c", SCRIPT, *arguments]) == "done\n"


def output_of(command: list[str]) -> str:
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout
