"""Builds the demonstration library, and opens it in JupyterLab."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_core.paths import jupyter_data_dir

from ape_jupyter.demo.catalogue import CATALOGUE, DemoRun
from ape_jupyter.errors import InvalidArgumentError, SimulationNotFoundError
from ape_jupyter.library.location import LIBRARY_VARIABLE
from ape_jupyter.model.progress import Progress, ProgressCallback

if TYPE_CHECKING:
    from ape_jupyter.library.interface import Library

__all__ = [
    "BuildReport",
    "build_library",
    "copy_notebooks",
    "default_library",
    "jupyterlab_command",
    "notebooks_folder",
    "start_jupyterlab",
]

FIRST_NOTEBOOK = "quickstart.ipynb"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildReport:
    """How many runs were made, and how many the library had from an earlier start."""

    n_made: int
    n_there: int


def default_library() -> Path:
    """Return where the demonstration lives: beside the user's own library, never in it."""
    return Path(jupyter_data_dir()) / "ape-jupyter-demo"


def notebooks_folder(library: Path) -> Path:
    """Return the writable folder of notebooks that goes with a library."""
    return library.with_name(f"{library.name}-notebooks")


def build_library(
    path: Path,
    runs: Sequence[DemoRun] = CATALOGUE,
    progress: ProgressCallback | None = None,
) -> BuildReport:
    """Fill the library at ``path`` with those of ``runs`` that it does not have.

    Each run is made and registered before the next: what an interrupted build did is kept,
    and the next build goes on from there. A run that is in the trash comes back.
    """
    from ape_jupyter.demo.generator import write_results
    from ape_jupyter.library.local import LocalLibrary
    from ape_jupyter.results.durable import reporting_full_disk

    library: Library = LocalLibrary.open(path)
    try:
        missing = [run for run in runs if not _has(library, run)]
        n_there = len(runs) - len(missing)
        for number, run in enumerate(missing):
            if progress is not None:
                name = run.spec.memorable_name
                progress(Progress(done=n_there + number, total=len(runs), current=name))
            with tempfile.TemporaryDirectory(prefix="ape-jupyter-demo-") as made:
                with reporting_full_disk(Path(made)):
                    results = write_results(Path(made), run.spec)
                library.import_results(results, tags=run.tags)
        if progress is not None:
            progress(Progress(done=len(runs), total=len(runs)))
    finally:
        library.close()
    return BuildReport(n_made=len(missing), n_there=n_there)


def _has(library: Library, run: DemoRun) -> bool:
    try:
        return library.get_metadata(run.spec.sim_id).sim_id == run.spec.sim_id
    except SimulationNotFoundError:
        return False


def copy_notebooks(folder: Path) -> Path:
    """Copy the notebooks to ``folder``; those that are there, perhaps changed, are left alone."""
    source = _notebooks_source()
    folder.mkdir(parents=True, exist_ok=True)
    for notebook in sorted(source.glob("*.ipynb")):
        target = folder / notebook.name
        if not target.exists():
            # Not copy(): a read-only installation would give a read-only notebook.
            shutil.copyfile(notebook, target)
    return folder


def _notebooks_source() -> Path:
    """Return the notebooks of the wheel, or those of the checkout."""
    package = Path(__file__).parent
    for source in (package / "notebooks", package.parents[1] / "notebooks"):
        if (source / FIRST_NOTEBOOK).exists():
            return source
    raise InvalidArgumentError(
        "The notebooks are not part of this installation; install ape-jupyter again."
    )


def jupyterlab_command(
    notebooks: Path, *, port: int | None = None, open_browser: bool = True
) -> list[str]:
    """Return the command that shows the first notebook."""
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        f"--ServerApp.root_dir={notebooks}",
        f"--LabApp.default_url=/lab/tree/{FIRST_NOTEBOOK}",
        # The demonstration asks nothing and reaches out to nobody.
        "--ServerApp.answer_yes=True",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    if port is not None:
        command.append(f"--ServerApp.port={port}")
    if not open_browser:
        command.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    return command


def start_jupyterlab(command: Sequence[str], library: Path) -> int:
    """Run JupyterLab on ``library`` until it is stopped, and return its exit code."""
    environment = {**os.environ, LIBRARY_VARIABLE: str(library)}
    if os.name == "posix":
        # JupyterLab takes the place of this process: signals reach it, and nothing outlives it.
        os.execve(command[0], list(command), environment)  # noqa: S606
    return subprocess.run(list(command), env=environment, check=False).returncode
