"""``ape-jupyter import``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ape_jupyter.cli.commands import ApeCommand
from ape_jupyter.cli.library_option import library_option, open_library
from ape_jupyter.cli.terminal import plural, print_table, printable, progress_bar
from ape_jupyter.errors import Fault, InvalidArgumentError, InvalidResultsError
from ape_jupyter.model.listing import ImportOutcome, ImportStatus
from ape_jupyter.model.progress import ProgressCallback
from ape_jupyter.model.tags import normalise_tag

if TYPE_CHECKING:
    from ape_jupyter.library.interface import Library

__all__ = ["import_"]

_LABELS = {
    ImportStatus.IMPORTED: "imported",
    ImportStatus.ALREADY_THERE: "already there",
    ImportStatus.REFUSED: "refused",
}
SOMETHING_REFUSED = 1


@click.command(
    "import",
    cls=ApeCommand,
    examples=[
        "ape-jupyter import simulation_results/",
        "ape-jupyter import APE_sim_20260504_093012_05-00_quiet-harbour.zip --tag thesis",
        "ape-jupyter import run-1/ run-2/ --library /srv/shared/ape",
        "ape-jupyter import --link /archive/2025/simulation_results",
    ],
)
@click.argument(
    "paths",
    metavar="PATH...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, path_type=Path),
)
@click.option(
    "--link",
    is_flag=True,
    help="Leave the results where they are. They must stay there, unchanged.",
)
@click.option("--tag", "tags", multiple=True, help="Tag what is imported; can be repeated.")
@library_option
def import_(
    paths: tuple[Path, ...], link: bool, tags: tuple[str, ...], library: str | None
) -> None:
    """Take results directories, folders of them, and packages (.zip) into the library.

    Runs that are already there stay as they are. A run with faults is refused and keeps no
    other run out; the exit code then is 1.
    """
    # A tag that can not be is nobody's files' fault: say so before anything is read.
    tags = tuple(map(normalise_tag, tags))
    outcomes: list[ImportOutcome] = []
    with closing(open_library(library)) as opened:
        for path in paths:
            with progress_bar(f"Importing {printable(path.name)}") as progress:
                outcomes += _import_path(opened, path, tags, not link, progress)
    _print_outcomes(outcomes)
    if any(outcome.status is ImportStatus.REFUSED for outcome in outcomes):
        sys.exit(SOMETHING_REFUSED)


def _import_path(
    library: Library, path: Path, tags: Sequence[str], copy: bool, progress: ProgressCallback
) -> Sequence[ImportOutcome]:
    faults: tuple[Fault, ...]
    try:
        return library.import_results(path, copy=copy, tags=tags, progress=progress).outcomes
    except InvalidResultsError as error:
        faults = error.faults
    except InvalidArgumentError as error:
        faults = (Fault(printable(path.name), error.message),)
    return [ImportOutcome(path=str(path), status=ImportStatus.REFUSED, faults=faults)]


def _print_outcomes(outcomes: Sequence[ImportOutcome]) -> None:
    rows = []
    for outcome in outcomes:
        run = outcome.metadata
        rows.append(
            (
                run.sim_id if run else Path(outcome.path).name,
                f"{run.n_patients:,}" if run else "",
                f"{run.n_visits:,}" if run else "",
                _LABELS[outcome.status],
            )
        )
    print_table(("run", "patients", "visits", "result"), rows, numbers=("patients", "visits"))
    for outcome in outcomes:
        if outcome.faults:
            click.echo(f"\n{printable(outcome.path)} was refused:")
            for fault in outcome.faults:
                click.echo(f"  - {printable(str(fault))}")
    counts = [
        f"{sum(outcome.status is status for outcome in outcomes):,} {label}"
        for status, label in _LABELS.items()
    ]
    click.echo(f"\n{plural(len(outcomes), 'run')}: {', '.join(counts)}.")
