"""``ape-jupyter demo``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ape_jupyter.cli.commands import ApeCommand
from ape_jupyter.cli.progress import progress_bar
from ape_jupyter.cli.terminal import plural, printable

__all__ = ["demo"]


# Without the environment variable of the other commands: demonstration runs have no place
# in the library that somebody works with, unless it is named on purpose.
@click.command(
    cls=ApeCommand,
    examples=[
        "ape-jupyter demo",
        "ape-jupyter demo --runs 6 --no-browser --port 8899",
        "ape-jupyter demo --library /tmp/ape-demo",
    ],
)
@click.option(
    "--library",
    type=click.Path(file_okay=False, path_type=Path),
    help="Directory of the demonstration library; one of its own by default.",
)
@click.option("--port", type=click.IntRange(1, 65_535), help="Port of JupyterLab.")
@click.option("--runs", type=click.IntRange(min=1), help="Make only the first so many runs.")
@click.option("--no-browser", is_flag=True, help="Do not open a browser; print the address.")
def demo(library: Path | None, port: int | None, runs: int | None, no_browser: bool) -> None:
    """Make a library of demonstration runs and open it in JupyterLab.

    A second start uses the library of the first. Ctrl-C stops JupyterLab.
    """
    from ape_jupyter.demo import launcher
    from ape_jupyter.demo.catalogue import CATALOGUE

    path = (library or launcher.default_library()).expanduser().absolute()
    click.echo(f"Demonstration library: {printable(str(path))}")
    with progress_bar("Making runs") as progress:
        report = launcher.build_library(path, CATALOGUE[:runs], progress)
    there = f", {report.n_there:,} were there" if report.n_there else ""
    click.echo(f"{plural(report.n_made, 'run')} made{there}.")
    notebooks = launcher.copy_notebooks(launcher.notebooks_folder(path))
    click.echo(f"Notebooks: {printable(str(notebooks))}")
    command = launcher.jupyterlab_command(notebooks, port=port, open_browser=not no_browser)
    sys.stdout.flush()
    sys.exit(launcher.start_jupyterlab(command, path))
