"""``ape-jupyter verify``."""

from __future__ import annotations

import json
import sys
from contextlib import closing

import click

from ape_jupyter.cli.commands import ApeCommand
from ape_jupyter.cli.library_option import complete_runs, library_option, open_library
from ape_jupyter.cli.terminal import printable, progress_bar

__all__ = ["verify"]

SOMETHING_WRONG = 1


@click.command(
    cls=ApeCommand,
    examples=[
        "ape-jupyter verify",
        "ape-jupyter verify --fast --json",
        "ape-jupyter verify quiet-harbour --repair",
    ],
)
@click.argument("run", required=False, shell_complete=complete_runs)
@click.option("--repair", is_flag=True, help="Mend what can be mended.")
@click.option("--fast", is_flag=True, help="Check names, sizes and times; read no results.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@library_option
def verify(run: str | None, repair: bool, fast: bool, as_json: bool, library: str | None) -> None:
    """Check that all results, or those of a RUN, are what was stored.

    Runs that are damaged are quarantined. The exit code is 1 when anything is wrong and was
    not repaired.
    """
    with closing(open_library(library)) as opened, progress_bar("Verifying") as progress:
        report = opened.verify(run, repair, fast, progress=progress)
    if as_json:
        from ape_jupyter.wire.encoding import encode

        document = {"ok": report.ok, **encode(report)}
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        for line in str(report).splitlines():
            click.echo(printable(line))
    if not report.ok:
        sys.exit(SOMETHING_WRONG)
