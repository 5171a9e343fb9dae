"""The command in a process of its own."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ape_jupyter.demo.generator import RunSpec, write_results

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "ape_jupyter"]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    return {
        **os.environ,
        "PYTHONPATH": path,
        "APE_JUPYTER_LIBRARY": str(tmp_path / "library"),
        "COLUMNS": "160",
        "TERM": "xterm",
    }


def at_a_terminal(arguments: list[str], environment: dict[str, str]) -> tuple[int, str]:
    """Run a command whose output is a terminal."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, *arguments], stdout=follower, stderr=follower, env=environment
    )
    os.close(follower)
    output = b""
    while True:
        try:
            chunk = os.read(leader, 65_536)
        except OSError:  # Linux reports the end of a terminal as an error
            break
        if not chunk:
            break
        output += chunk
    os.close(leader)
    return process.wait(), output.decode()


def test_import_and_list(tmp_path: Path, environment: dict[str, str]) -> None:
    run = write_results(tmp_path, RunSpec(n_patients=40))
    for count in ("1 imported", "1 already there"):
        imported = subprocess.run(
            [*COMMAND, "import", str(run)],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        assert count in imported.stdout
        assert "\x1b" not in imported.stdout + imported.stderr
    listed = subprocess.run(
        [*COMMAND, "list"], env=environment, capture_output=True, text=True, check=True
    )
    assert run.name in listed.stdout


def test_an_error_has_no_traceback(environment: dict[str, str]) -> None:
    result = subprocess.run(
        [*COMMAND, "show", "nothing"], env=environment, capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "Error: No run 'nothing' in this library.\n"


def test_a_bar_and_a_table_at_a_terminal(tmp_path: Path, environment: dict[str, str]) -> None:
    run = write_results(tmp_path, RunSpec(n_patients=40))
    code, output = at_a_terminal(["import", str(run)], environment)
    assert code == 0
    assert "\x1b[" in output
    assert f"Importing {run.name}" in output
    assert "1/1" in output
    assert "1 run: 1 imported, 0 already there, 0 refused." in output
    code, output = at_a_terminal(["list"], environment)
    assert code == 0
    assert "quiet-harbour" in output


@pytest.mark.skipif(os.name != "posix", reason="signals work differently there")
def test_ctrl_c(tmp_path: Path, environment: dict[str, str]) -> None:
    for number in range(60):
        # With their names, the lines of all runs do not fit into the pipe: a process that gets
        # ahead of a slow test waits there, and can still be interrupted.
        spec = RunSpec(n_patients=200, seed=number, memorable_name=f"wave-{number}-{'o' * 140}")
        write_results(tmp_path / "results", spec)
    process = subprocess.Popen(
        [*COMMAND, "import", str(tmp_path / "results")],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        pipesize=4_096,
    )
    assert process.stderr is not None
    # The first run is being imported: now there is something to interrupt.
    assert process.stderr.readline().startswith("[1/60]")
    time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Interrupted" in errors
    assert "Traceback" not in errors
    assert list((tmp_path / "library" / "staging").iterdir()) == []


def test_starts_without_loading_what_it_does_not_need(environment: dict[str, str]) -> None:
    code = (
        "import sys, ape_jupyter.cli; "
        "heavy = {'numpy', 'pandas', 'pyarrow', 'sqlalchemy', 'rich', 'jupyter_server', 'bokeh'}; "
        "sys.exit(', '.join(sorted(heavy & set(sys.modules))) or 0)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")


def test_listing_loads_neither_pandas_nor_scipy(environment: dict[str, str]) -> None:
    code = (
        "import sys; from ape_jupyter.cli import main; "
        "main(['list'], standalone_mode=False); "
        "heavy = {'pandas', 'scipy', 'bokeh', 'ipywidgets', 'jupyter_server'}; "
        "sys.exit(', '.join(sorted(heavy & set(sys.modules))) or 0)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.skipif(os.name != "posix", reason="signals work differently there")
def test_watch(tmp_path: Path, environment: dict[str, str]) -> None:
    folder = tmp_path / "results"
    folder.mkdir()
    (folder / "broken.zip").write_bytes(b"no zip")
    run = write_results(folder, RunSpec(n_patients=40))
    process = subprocess.Popen(
        [*COMMAND, "watch", str(folder), "--settle", "0.2"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    told = [process.stdout.readline() for _ in range(3)]
    assert f"imported       {run.name}\n" in told
    assert f"refused        {folder / 'broken.zip'}\n" in told
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert errors.startswith(f"Following {folder}")
    assert "Traceback" not in errors
    assert "not taken in" not in errors
