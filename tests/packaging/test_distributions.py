"""What is published: installed in fresh environments that have no Node.js."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.packaging

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the sdist and the wheel, built by the README's own means."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "build", "--outdir", folder, ROOT], check=True)
    return folder


@pytest.fixture(scope="session")
def path_without_node(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PATH on which ``node`` and ``npm`` say that they must not be called."""
    folder = tmp_path_factory.mktemp("bin")
    for name in ("node", "npm", "npx"):
        script = folder / name
        script.write_text("#!/bin/sh\necho 'Node.js was called' >&2\nexit 97\n")
        script.chmod(0o755)
    return f"{folder}{os.pathsep}/usr/bin{os.pathsep}/bin"


def environment(folder: Path, package: Path, path: str) -> Path:
    """Install a package into a new environment and return the folder of its programs."""
    venv.create(folder, with_pip=True)
    programs = folder / "bin"
    subprocess.run(
        [programs / "pip", "install", "--quiet", package],
        check=True,
        env={**os.environ, "PATH": f"{programs}{os.pathsep}{path}"},
    )
    return programs


@pytest.fixture(scope="session")
def programs(
    distributions: Path, path_without_node: str, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Programs of an environment with the wheel."""
    (wheel,) = distributions.glob("*.whl")
    return environment(tmp_path_factory.mktemp("wheel") / "env", wheel, path_without_node)


def run(programs: Path, *command: str, home: Path) -> str:
    result = subprocess.run(
        [programs / command[0], *command[1:]],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": f"{programs}:/usr/bin:/bin", "HOME": os.fspath(home)},
    )
    # Jupyter colours its words also where nobody sees them.
    return re.sub(r"\x1b\[\d+m", "", result.stdout + result.stderr)


def test_the_lab_extension_is_enabled(programs: Path, tmp_path: Path) -> None:
    listed = run(programs, "jupyter", "labextension", "list", home=tmp_path)
    (line,) = (line for line in listed.splitlines() if "ape-jupyter" in line)
    assert "enabled" in line
    assert "OK" in line


def test_the_server_extension_is_enabled_and_valid(programs: Path, tmp_path: Path) -> None:
    listed = run(programs, "jupyter", "server", "extension", "list", home=tmp_path)
    assert "ape_jupyter enabled" in listed
    assert "Validating ape_jupyter" in listed
    lines = listed.splitlines()
    following = lines[
        next(i for i, line in enumerate(lines) if "Validating ape_jupyter" in line) + 1
    ]
    assert "OK" in following


def test_the_command_runs(programs: Path, tmp_path: Path) -> None:
    assert "ape-jupyter" in run(programs, "ape-jupyter", "--version", home=tmp_path)
    library = os.fspath(tmp_path / "library")
    assert run(programs, "ape-jupyter", "list", "--library", library, home=tmp_path)


def test_the_wheel_holds_what_it_needs_and_no_more(distributions: Path) -> None:
    (wheel,) = distributions.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        data = f"{wheel.name.removesuffix('-py3-none-any.whl')}.data/data"
        manifest = json.loads(
            archive.read(f"{data}/share/jupyter/labextensions/ape-jupyter/package.json")
        )
    for needed in (
        "ape_jupyter/py.typed",
        "ape_jupyter/widgets/static/widget.js",
        "ape_jupyter/widgets/static/widget.css",
        "ape_jupyter/demo/notebooks/quickstart.ipynb",
        f"{data}/share/jupyter/labextensions/ape-jupyter/install.json",
        f"{data}/share/jupyter/labextensions/ape-jupyter/{manifest['jupyterlab']['_build']['load']}",
        f"{data}/etc/jupyter/jupyter_server_config.d/ape_jupyter.json",
    ):
        assert needed in names
    assert not [name for name in names if "node_modules" in name or name.startswith("tests")]


def test_the_sdist_installs_without_node(
    distributions: Path, path_without_node: str, tmp_path: Path
) -> None:
    (sdist,) = distributions.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        assert not [name for name in archive.getnames() if "node_modules" in name]
    unpacked = tmp_path / "unpacked"
    shutil.unpack_archive(sdist, unpacked, filter="data")
    programs = environment(tmp_path / "env", next(unpacked.iterdir()), path_without_node)
    listed = run(programs, "jupyter", "labextension", "list", home=tmp_path)
    assert any("ape-jupyter" in line and "enabled" in line for line in listed.splitlines())
