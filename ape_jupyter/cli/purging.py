"""``ape-jupyter purge``."""

from __future__ import annotations

from datetime import timedelta

import click

from ape_jupyter.cli.commands import ApeCommand
from ape_jupyter.cli.library_option import library_option, open_directory
from ape_jupyter.cli.terminal import printable

__all__ = ["purge"]


@click.command(
    cls=ApeCommand,
    examples=["ape-jupyter purge", "ape-jupyter purge --older-than-days 30 --yes"],
)
@click.option(
    "--older-than-days",
    type=click.FloatRange(0, 100_000),
    default=7.0,
    show_default=True,
    help="Only runs that have been in the trash for so long.",
)
@click.option("--yes", is_flag=True, help="Remove them, and not only say what would go.")
@library_option
def purge(older_than_days: float, yes: bool, library: str | None) -> None:
    """Remove for good what is in the trash."""
    with open_directory(library) as opened:
        report = opened.purge(timedelta(days=older_than_days), dry_run=not yes)
    for run in report.runs:
        click.echo(f"{printable(run.name)}  {run.sim_id}")
    click.echo(str(report))
    if report.dry_run and report.runs:
        click.echo("To remove them, add --yes.")
