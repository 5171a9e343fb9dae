"""``ape-jupyter watch``, ``watches`` and ``unwatch``."""

from __future__ import annotations

import json
import logging
import os
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ape_jupyter.cli.commands import ApeCommand
from ape_jupyter.cli.library_option import library_option, open_library
from ape_jupyter.cli.terminal import plural, print_table, printable
from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.model.listing import ImportStatus
from ape_jupyter.model.tags import normalise_tag
from ape_jupyter.model.watch import SETTLE_SECONDS, WatchState

if TYPE_CHECKING:
    from ape_jupyter.library.interface import Library
    from ape_jupyter.library.watch import Watch

__all__ = ["unwatch", "watch", "watches"]

_POLL_SECONDS = 0.5

folder_argument = click.argument("folder", type=click.Path(path_type=Path))


@click.command(
    cls=ApeCommand,
    examples=[
        "ape-jupyter watch ~/ape/simulation_results",
        "ape-jupyter watch /mnt/ape/results --tag overnight --settle 30",
    ],
)
@folder_argument
@click.option("--tag", "tags", multiple=True, help="Tag what comes in; can be repeated.")
@click.option(
    "--settle",
    "settle_seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=SETTLE_SECONDS,
    show_default=True,
    metavar="SECONDS",
    help="How long the files of a run must stay as they are before it is taken in.",
)
@library_option
def watch(folder: Path, tags: tuple[str, ...], settle_seconds: float, library: str | None) -> None:
    """Take runs in as APE writes them to a FOLDER, until Ctrl-C.

    Nothing in the folder is changed. A folder that was followed before goes on being followed
    when this command ends.
    """
    tags = tuple(map(normalise_tag, tags))
    # What a server would log is printed here anyway.
    logging.getLogger("ape_jupyter.library").addHandler(logging.NullHandler())
    with closing(open_library(library)) as opened:
        known = _watch_of(opened, folder)
        watched = opened.watch(folder, tags=tags, settle_seconds=settle_seconds)
        click.echo(f"Following {printable(watched.folder)}; Ctrl-C ends it.", err=True)
        try:
            _follow(watched)
        finally:
            if known is None:
                watched.stop()


def _follow(watched: Watch) -> None:
    told = max((run.number for run in watched.state.recent), default=0)
    problem = None
    while True:
        state = watched.state
        for run in state.recent:
            if run.number > told:
                told = run.number
                if run.status is ImportStatus.REFUSED:
                    click.echo(f"refused        {printable(run.path)}")
                    for fault in run.faults:
                        click.echo(f"  - {printable(str(fault))}")
                else:
                    label = run.status.value.replace("_", " ")
                    click.echo(f"{label:<14} {printable(run.sim_id or run.path)}")
        if state.problem and state.problem != problem:
            click.secho(printable(state.problem), fg="yellow", err=True)
        problem = state.problem
        time.sleep(_POLL_SECONDS)


@click.command(cls=ApeCommand, examples=["ape-jupyter watches", "ape-jupyter watches --json"])
@click.option("--json", "as_json", is_flag=True, help="Print all that is known as JSON.")
@library_option
def watches(as_json: bool, library: str | None) -> None:
    """List the folders that the library follows, and the runs there that are broken."""
    with closing(open_library(library)) as opened:
        states = [watched.state for watched in opened.watches()]
    if as_json:
        from ape_jupyter.wire.encoding import encode

        click.echo(json.dumps(encode(states), indent=2, ensure_ascii=False))
        return
    if not states:
        click.echo("No folder is followed.")
        return
    counts = ("taken in", "waiting", "broken")
    rows = [
        (
            state.folder,
            f"{state.n_taken_in:,}",
            f"{state.n_waiting:,}",
            f"{state.n_broken:,}",
            "never" if state.last_scan is None else f"{state.last_scan:%Y-%m-%d %H:%M}",
            _condition(state),
        )
        for state in states
    ]
    print_table(("folder", *counts, "last looked at (UTC)", "state"), rows, numbers=counts)
    for state in states:
        for run in state.broken:
            click.echo(f"\n{printable(run.path)} was refused:")
            for fault in run.faults:
                click.echo(f"  - {printable(str(fault))}")


@click.command(cls=ApeCommand, examples=["ape-jupyter unwatch ~/ape/simulation_results"])
@folder_argument
@library_option
def unwatch(folder: Path, library: str | None) -> None:
    """Follow a FOLDER no longer; its runs stay in the library."""
    with closing(open_library(library)) as opened:
        known = _watch_of(opened, folder)
        if known is None:
            raise InvalidArgumentError(f"{printable(str(folder))} is not followed.")
        count = plural(known.state.n_taken_in, "run")
        known.stop()
    click.echo(f"{printable(known.folder)} is no longer followed; {count} came from it.")


def _watch_of(library: Library, folder: Path) -> Watch | None:
    real = os.path.realpath(folder.expanduser())
    found = (known for known in library.watches() if os.path.realpath(known.folder) == real)
    return next(found, None)


def _condition(state: WatchState) -> str:
    if state.problem:
        return state.problem
    return "followed" if state.is_followed else "rests until a server of the library runs"
