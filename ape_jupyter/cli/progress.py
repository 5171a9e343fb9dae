"""Telling how far work on runs is."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from ape_jupyter.cli.terminal import printable
from ape_jupyter.model.progress import Progress, ProgressCallback

__all__ = ["progress_bar"]


@contextmanager
def progress_bar(what: str) -> Iterator[ProgressCallback]:
    """Show progress on stderr: a bar at a terminal, else a line for each step."""
    if not sys.stderr.isatty():
        yield _print_step
        return

    from ape_jupyter.cli.bars import RunBars

    with RunBars(what) as bars:
        yield bars.update


def _print_step(progress: Progress) -> None:
    if progress.current and not progress.rows_total:
        step = f"[{progress.done + 1}/{progress.total}] {printable(progress.current)}"
        click.echo(step, err=True)
