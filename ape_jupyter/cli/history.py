"""``ape-jupyter history``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import click

from ape_jupyter.cli.commands import ApeCommand
from ape_jupyter.cli.library_option import library_option, open_directory
from ape_jupyter.cli.runs import run_argument
from ape_jupyter.cli.terminal import print_table, printable
from ape_jupyter.model.events import SimulationEvent

__all__ = ["history"]


@click.command(
    cls=ApeCommand,
    examples=["ape-jupyter history quiet-harbour", "ape-jupyter history quiet-harbour --json"],
)
@run_argument
@click.option("--json", "as_json", is_flag=True, help="Print the events as JSON.")
@library_option
def history(run: str, as_json: bool, library: str | None) -> None:
    """Show who changed what of a RUN, and when.

    A run in the trash or a purged one is named by its full id.
    """
    with open_directory(library) as opened:
        events = opened.events(sim_id=run)
    if as_json:
        from ape_jupyter.wire.encoding import encode

        click.echo(json.dumps(encode(events), indent=2, ensure_ascii=False))
        return
    rows = [
        (
            str(event.seq),
            f"{event.timestamp:%Y-%m-%d %H:%M}",
            event.user_id,
            event.type.value.replace("_", " "),
            _changes(event),
        )
        for event in events
    ]
    print_table(("no.", "when (UTC)", "who", "what", "changes"), rows, numbers=("no.",))


def _changes(event: SimulationEvent) -> str:
    before: Mapping[str, Any] = event.data.get("before", {})
    after: Mapping[str, Any] = event.data.get("after", {})
    if not before:
        return ""
    changes = (f"{name}: {_shown(before[name])} → {_shown(after.get(name))}" for name in before)
    return printable("; ".join(changes))


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return str(value) if value not in (None, "") else "none"
