"""What is in a folder that is written to, and what of it is complete."""

from __future__ import annotations

import os
import shutil
import stat

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ape_jupyter.demo.generator import RunSpec, write_package, write_results
from ape_jupyter.services import following
from ape_jupyter.services.following import is_complete, scan_folder, stamp_of

NEEDED = ("metadata.json", "audit_log.json", "patients.parquet", "visits.parquet")
COSTS = ("visits_with_costs.parquet", "daily_resource_usage.parquet")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    spec = RunSpec(n_patients=20, with_costs=True)
    return write_results(tmp_path_factory.mktemp("one"), spec)


@pytest.fixture(scope="module")
def package(tmp_path_factory, run):
    return write_package(tmp_path_factory.mktemp("zip") / "run.zip", run).read_bytes()


def test_whole_runs_are_complete(run, package, tmp_path):
    assert is_complete(run)
    path = tmp_path / "run.zip"
    path.write_bytes(package)
    assert is_complete(path)
    assert not is_complete(tmp_path / "nowhere")


def test_all_real_runs_are_complete(real_data):
    runs = [path for path in (real_data / "ape-results").iterdir() if path.is_dir()]
    packages = list((real_data / "ape-packages").glob("*.zip"))
    assert len(runs) == 18
    assert all(map(is_complete, [*runs, *packages]))
    assert set(scan_folder(real_data, {}).stamps) == {*map(str, runs), *map(str, packages)}


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_run_that_is_being_written_is_not_complete(run, tmp_path, data):
    """Files come in any order, and the last one so far is there up to any byte."""
    names = [path.name for path in run.iterdir()]
    order = data.draw(st.permutations(names))
    n_whole = data.draw(st.integers(0, len(order) - 1))
    partial = tmp_path / "partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    for name in order[:n_whole]:
        shutil.copy(run / name, partial)
    content = (run / order[n_whole]).read_bytes()
    n_bytes = data.draw(st.integers(0, len(content) - 1))
    (partial / order[n_whole]).write_bytes(content[:n_bytes])
    is_whole = set(order[:n_whole]) >= {*NEEDED, *COSTS, "protocol.yaml"}
    if not is_whole and order[n_whole] != "protocol.yaml":
        assert not is_complete(partial)
    elif is_whole:
        assert is_complete(partial)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_package_that_is_being_copied_is_not_complete(package, tmp_path, share):
    path = tmp_path / "run.zip"
    path.write_bytes(package[: int(share * len(package))])
    assert not is_complete(path)


def test_finds_runs_below_and_leaves_out_what_is_hidden_or_linked(run, package, tmp_path):
    folder = tmp_path / "folder"
    shutil.copytree(run, folder / "a" / "b" / run.name)
    shutil.copytree(run, folder / "named-otherwise")
    shutil.copytree(run, folder / f".{run.name}.partial")
    (folder / "sim_empty").mkdir()
    (folder / "of-no-interest").mkdir()
    (folder / "a.zip").write_bytes(package)
    (folder / "link").symlink_to(folder)
    found = scan_folder(folder, {}).stamps
    expected = (f"a/b/{run.name}", "named-otherwise", "sim_empty", "a.zip")
    assert set(found) == {str(folder / name) for name in expected}
    assert all(found[path] == stamp_of(folder / path) for path in found)


@pytest.mark.parametrize(
    "change",
    [
        lambda run: (run / "visits.parquet").write_bytes(b"other"),
        lambda run: os.utime(run / "visits.parquet", ns=(1, 1)),
        lambda run: (run / "audit_log.json").unlink(),
        lambda run: (run / "more.parquet").touch(),
        lambda run: (run / "metadata.json").chmod(stat.S_IRUSR | stat.S_IXUSR),
    ],
)
def test_a_stamp_changes_with_any_file(run, tmp_path, change):
    copied = tmp_path / run.name
    shutil.copytree(run, copied)
    before = stamp_of(copied)
    assert scan_folder(tmp_path, {}).stamps == {str(copied): before}
    change(copied)
    assert stamp_of(copied) != before
    assert scan_folder(tmp_path, {}).stamps == {str(copied): stamp_of(copied)}


def test_runs_that_are_known_are_not_looked_into(tmp_path, monkeypatch):
    for number in range(50):
        run = tmp_path / f"sim_{number}"
        run.mkdir()
        (run / "metadata.json").touch()
    known = scan_folder(tmp_path, {}).stamps
    looked_into = []
    scandir = os.scandir

    def counted(path):
        looked_into.append(str(path))
        return scandir(path)

    monkeypatch.setattr(following.os, "scandir", counted)
    assert scan_folder(tmp_path, known).stamps == known
    assert looked_into == [str(tmp_path)]
    (tmp_path / "sim_7" / "visits.parquet").touch()
    assert scan_folder(tmp_path, known).stamps != known
    assert looked_into[1:] == [str(tmp_path), str(tmp_path / "sim_7")]


def test_a_folder_that_can_not_be_looked_into_hides_no_other(run, tmp_path, monkeypatch):
    shutil.copytree(run, tmp_path / "open" / run.name)
    for name in ("closed", "sim_closed"):
        (tmp_path / name).mkdir()
    scandir = os.scandir

    def refusing(path):
        if "closed" in str(path):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    # Tests may run as root, whom no mode keeps out.
    monkeypatch.setattr(following.os, "scandir", refusing)
    scan = scan_folder(tmp_path, {})
    assert scan.unreadable == [str(tmp_path / "closed"), str(tmp_path / "sim_closed")]
    expected = {tmp_path / "open" / run.name, tmp_path / "sim_closed"}
    assert set(scan.stamps) == set(map(str, expected))
