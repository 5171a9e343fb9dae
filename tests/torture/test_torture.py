"""A short torture; the long one is ``nox -s torture``. And that the harness can tell."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ape_jupyter.library.local import LocalLibrary
from torture.audit import audit
from torture.ledger import Change, Ledger, Model

TESTS = Path(__file__).parents[1]


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_nothing_that_was_confirmed_is_lost() -> None:
    paths = os.pathsep.join([str(TESTS), *filter(None, sys.path)])
    done = subprocess.run(
        [sys.executable, "-m", "torture", "kills", "clients", "sample", "--scale", "0.02"],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("| 0 violations |") == 5


def test_a_lost_change_is_noticed(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger")
    for steps in ((("import", "a", ""),), (("tag", "a", "x"), ("delete", "b", ""))):
        ledger.begin(Change(steps))
        ledger.confirm()
    ledger.begin(Change((("tag", "a", "y"), ("restore", "b", ""))))

    def violations(a: dict, b: dict) -> list[str]:
        model = Model()
        model.follow(tmp_path / "ledger")
        return model.violations({"a": a, "b": b})

    available, trashed = {"status": "available"}, {"status": "trashed"}
    assert not violations({**available, "tags": ["x"]}, {**trashed, "tags": []})
    assert not violations({**available, "tags": ["x", "y"]}, {**available, "tags": []})
    assert violations({**available, "tags": []}, {**trashed, "tags": []})
    # Half of the last change.
    assert violations({**available, "tags": ["x", "y"]}, {**trashed, "tags": []})


@pytest.mark.parametrize("lost", ["visits.parquet", "manifest.json", "protocol.yaml"])
def test_damage_is_noticed(filled_library: LocalLibrary, lost: str) -> None:
    path = filled_library.directory
    filled_library.close()
    assert audit(path)["wrong"] == []
    next(path.glob(f"objects/*/*/{lost}")).unlink()
    assert audit(path)["wrong"] != []


def test_an_orphan_is_noticed(filled_library: LocalLibrary) -> None:
    path = filled_library.directory
    (path / "staging" / "left-behind").mkdir()
    assert audit(path)["orphans"] == 1
