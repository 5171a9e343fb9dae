"""The shared cache: made once, mapped by all, missed by nobody."""

from __future__ import annotations

import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from ape_jupyter.cache.mapped import PersistentCache, map_table, write_table


def table(rows: int = 1000) -> pa.Table:
    return pa.table({"value": np.arange(rows)})


def test_a_mapped_table_takes_no_memory_of_its_own(tmp_path: Path) -> None:
    write_table(table(1_000_000), tmp_path / "t.arrow")
    before = pa.total_allocated_bytes()
    mapped = map_table(tmp_path / "t.arrow")
    assert mapped.equals(table(1_000_000))
    assert pa.total_allocated_bytes() - before < 100_000


def test_files_can_not_be_written(tmp_path: Path) -> None:
    write_table(table(), tmp_path / "t.arrow")
    assert stat.S_IMODE((tmp_path / "t.arrow").stat().st_mode) == 0o440
    mapped = map_table(tmp_path / "t.arrow")
    with pytest.raises(ValueError, match="read-only"):
        mapped["value"].to_numpy()[0] = 5


def test_build_is_called_for_what_is_missing_only(tmp_path: Path) -> None:
    cache = PersistentCache(tmp_path)
    calls = []

    def build() -> Mapping[str, pa.Table]:
        calls.append(1)
        return {"a": table(), "b": table(2)}

    cache.files("d", ["a", "b"], build)
    cache.files("d", ["a", "b"], build)
    assert len(calls) == 1
    cache.path("d", "b").unlink()
    assert map_table(cache.files("d", ["a", "b"], build)["b"]).num_rows == 2
    assert len(calls) == 2


def test_maps_survive_the_loss_of_the_directory(tmp_path: Path) -> None:
    cache = PersistentCache(tmp_path / "cache")
    build = lambda: {"a": table()}  # noqa: E731
    mapped = map_table(cache.files("d", ["a"], build)["a"])
    shutil.rmtree(tmp_path / "cache")
    assert mapped["value"].to_pylist() == list(range(1000))
    assert map_table(cache.files("d", ["a"], build)["a"]).equals(mapped)


def test_a_failed_build_leaves_nothing(tmp_path: Path) -> None:
    cache = PersistentCache(tmp_path)

    def build() -> Mapping[str, pa.Table]:
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        cache.files("d", ["a"], build)
    assert not list(tmp_path.rglob("*.arrow"))
    assert not list(tmp_path.rglob("*.partial"))


BUILDER = """
import sys, time
from pathlib import Path
import pyarrow as pa
from ape_jupyter.cache.mapped import PersistentCache

folder = Path(sys.argv[1])

def build():
    with (folder / "builds").open("a") as file:
        file.write("built\\n")
    return {"a": pa.table({"value": [1, 2, 3]})}

(folder / f"ready-{sys.argv[2]}").touch()
while not (folder / "go").exists():
    time.sleep(0.001)
PersistentCache(folder / "cache").files("d", ["a"], build)
"""


def test_of_several_processes_one_builds(tmp_path: Path) -> None:
    processes = [
        subprocess.Popen([sys.executable, "-c", BUILDER, tmp_path, str(number)])
        for number in range(4)
    ]
    while len(list(tmp_path.glob("ready-*"))) < 4:
        assert all(process.poll() is None for process in processes)
        time.sleep(0.01)
    (tmp_path / "go").touch()
    assert [process.wait(60) for process in processes] == [0, 0, 0, 0]
    assert (tmp_path / "builds").read_text() == "built\n"
