"""``ape-jupyter similar``."""

from __future__ import annotations

import json
from contextlib import closing

import click

from ape_jupyter.cli.commands import ApeCommand
from ape_jupyter.cli.library_option import library_option, open_library
from ape_jupyter.cli.runs import run_argument
from ape_jupyter.cli.terminal import print_table
from ape_jupyter.model.similarity import MAX_SIMILAR_RUNS, ParameterDifference

__all__ = ["similar"]

_SHOWN_DIFFERENCES = 3


@click.command(
    cls=ApeCommand,
    examples=[
        "ape-jupyter similar quiet-harbour",
        "ape-jupyter similar quiet-harbour --limit 3 --json",
    ],
)
@run_argument
@click.option(
    "--limit",
    type=click.IntRange(1, MAX_SIMILAR_RUNS),
    default=10,
    show_default=True,
    help="How many runs to list at most.",
)
@click.option("--json", "as_json", is_flag=True, help="Print all differences as JSON.")
@library_option
def similar(run: str, limit: int, as_json: bool, library: str | None) -> None:
    """List the runs most like a RUN, and what they differ in.

    They are compared by the parameters of their protocols, engine, model, duration and size.
    """
    with closing(open_library(library)) as opened:
        found = opened.similar(run, limit)
    if as_json:
        from ape_jupyter.wire.encoding import encode

        click.echo(json.dumps(encode(found), indent=2, ensure_ascii=False))
        return
    rows = [
        (
            one.metadata.name,
            f"{1 - one.distance:.1%}",
            f"{len(one.agreeing)} of {len(one.agreeing) + len(one.differing)}",
            "; ".join(map(_told, one.differing[:_SHOWN_DIFFERENCES]))
            + (" …" if len(one.differing) > _SHOWN_DIFFERENCES else ""),
        )
        for one in found
    ]
    print_table(("name", "alike", "agreeing", "differing"), rows, numbers=("alike", "agreeing"))


def _told(one: ParameterDifference) -> str:
    values = ("none" if value is None else value for value in (one.reference, one.other))
    return f"{one.name}: {' → '.join(values)}"
