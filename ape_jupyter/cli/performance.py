"""The command that tells how well a library works, and what would help."""

from __future__ import annotations

import json
from contextlib import closing

import click

from ape_jupyter.cli.commands import ApeCommand
from ape_jupyter.cli.library_option import library_option, open_library
from ape_jupyter.cli.terminal import printable

__all__ = ["performance"]


@click.command(
    cls=ApeCommand,
    examples=[
        "ape-jupyter performance",
        "ape-jupyter performance --json",
        "ape-jupyter performance --apply pin-0a1b2c3d4e5f",
    ],
)
@click.option("--json", "as_json", is_flag=True, help="Print all figures as JSON.")
@click.option("--apply", "suggestion_id", metavar="ID", help="Do what a suggestion says.")
@library_option
def performance(as_json: bool, suggestion_id: str | None, library: str | None) -> None:
    """Show how long things take, how the cache is used, and what would help."""
    with closing(open_library(library)) as opened:
        if suggestion_id is not None:
            for line in str(opened.apply_suggestion(suggestion_id)).splitlines():
                click.echo(printable(line))
            return
        report = opened.performance()
        suggestions = opened.get_optimization_suggestions()
    if as_json:
        from ape_jupyter.wire.encoding import encode

        advice = [suggestion.advice for suggestion in suggestions]
        figures = {"performance": encode(report), "suggestions": encode(advice)}
        click.echo(json.dumps(figures, indent=2, ensure_ascii=False))
        return
    for line in str(report).splitlines():
        click.echo(printable(line))
    for suggestion in suggestions:
        click.echo(printable(f"{suggestion.suggestion_id}: {suggestion}"))
