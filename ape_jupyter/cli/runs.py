"""Commands on runs of the library: list, show, tag, delete, restore."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ape_jupyter.cli.commands import ApeCommand
from ape_jupyter.cli.library_option import (
    complete_query,
    complete_runs,
    library_option,
    open_library,
)
from ape_jupyter.cli.searches import saved_search
from ape_jupyter.cli.terminal import plural, point_at, print_table, printable
from ape_jupyter.errors import InvalidArgumentError, QuerySyntaxError
from ape_jupyter.model.listing import RELEVANCE, SORT_COLUMNS
from ape_jupyter.model.simulation import SimulationMetadata

if TYPE_CHECKING:
    from ape_jupyter.library.interface import FilterValue

__all__ = ["delete", "list_", "restore", "show", "tag"]

Command = TypeVar("Command", bound=Callable[..., Any])
_SORTED_BY_TEXT = ("name", "protocol_name")


def run_argument(command: Command) -> Command:
    """Give a command the argument RUN."""
    return click.argument("run", shell_complete=complete_runs)(command)


@click.command(
    "list",
    cls=ApeCommand,
    examples=[
        "ape-jupyter list",
        "ape-jupyter list treat-and-extend --sort n_patients --limit 5",
        "ape-jupyter list 'aflibercept n_patients>=10k' --facet engine --facet size",
        "ape-jupyter list --tag baseline --json",
    ],
)
@click.argument("query", required=False, shell_complete=complete_query)
@click.option("--saved", metavar="NAME", help="Carry out a saved search.")
@click.option("--tag", "tags", multiple=True, help="Only runs with this tag; can be repeated.")
@click.option(
    "--sort",
    type=click.Choice((RELEVANCE, *SORT_COLUMNS)),
    default=RELEVANCE,
    show_default=True,
    help="Sort by this; without words, relevance is newest first.",
)
@click.option("--reverse", is_flag=True, help="Turn the order round.")
@click.option(
    "--limit",
    type=click.IntRange(1, 1_000),
    default=20,
    show_default=True,
    help="How many runs to list at most.",
)
@click.option(
    "--facet", "facets", multiple=True, help="Also count what is found by this; can be repeated."
)
@click.option("--json", "as_json", is_flag=True, help="Print all fields as JSON.")
@library_option
def list_(  # noqa: PLR0917 - click passes them by name
    query: str | None,
    saved: str | None,
    tags: tuple[str, ...],
    sort: str,
    reverse: bool,
    limit: int,
    facets: tuple[str, ...],
    as_json: bool,
    library: str | None,
) -> None:
    """List runs, newest first; with QUERY those that match, best first.

    Texts are sorted from A to Z, numbers and times from the largest.
    """
    descending = (sort not in _SORTED_BY_TEXT) is not reverse
    filters: dict[str, FilterValue] | None = {"tag": list(tags)} if tags else None
    if saved is not None and (query or tags):
        raise InvalidArgumentError("A saved search stands alone: leave QUERY and --tag out.")
    with closing(open_library(library)) as opened:
        if saved is not None:
            terms = saved_search(opened, saved).terms
            query, filters = terms.query, dict(terms.filters)
        try:
            found = opened.search(
                query,
                filters=filters,
                sort_by=sort,
                descending=descending,
                limit=limit,
                facets=facets,
            )
        except QuerySyntaxError as error:
            point_at(query or "", error.position)
            raise
    if as_json:
        _print_json(list(found))
        return
    if not found.total:
        is_search = query or tags or saved
        hint = "" if is_search else " Add some with: ape-jupyter import PATH"
        click.echo(f"No runs{' match' if is_search else ' yet'}.{hint}")
        return
    if found.corrected_query is not None:
        click.echo(f"Nothing as written; showing {printable(found.corrected_query)}.\n")
    headings = ("name", "protocol", "patients", "years", "created", "tags", "id")
    rows = [
        (
            run.name,
            run.protocol_name,
            f"{run.n_patients:,}",
            f"{run.duration_years:g}",
            f"{run.created_at:%Y-%m-%d}",
            ", ".join(run.tags),
            run.sim_id,
        )
        for run in found
    ]
    print_table(headings, rows, numbers=("patients", "years"))
    if len(found) < found.total:
        click.echo(f"\n{len(found):,} of {plural(found.total, 'run')}; --limit shows more.")
    for facet in found.facets.values():
        click.echo()
        counts = [(value.value, f"{value.count:,}") for value in facet.values if value.count]
        print_table((facet.name, "runs"), counts, numbers=("runs",))


@click.command(
    cls=ApeCommand,
    examples=["ape-jupyter show quiet-harbour", "ape-jupyter show quiet-harbour --json"],
)
@run_argument
@click.option("--json", "as_json", is_flag=True, help="Print all fields as JSON.")
@library_option
def show(run: str, as_json: bool, library: str | None) -> None:
    """Show what is known of a RUN."""
    with closing(open_library(library)) as opened:
        metadata = opened.get_metadata(run)
    if as_json:
        _print_json(metadata)
        return
    facts = _facts(metadata)
    width = max(map(len, facts))
    for label, value in facts.items():
        click.echo(f"{label.ljust(width)}  {printable(value)}")


@click.command(
    cls=ApeCommand,
    examples=[
        "ape-jupyter tag quiet-harbour --add thesis --add figure-2",
        "ape-jupyter tag quiet-harbour --remove draft",
    ],
)
@run_argument
@click.option("--add", multiple=True, metavar="TAG", help="Add a tag; can be repeated.")
@click.option("--remove", multiple=True, metavar="TAG", help="Take a tag off; can be repeated.")
@library_option
def tag(run: str, add: tuple[str, ...], remove: tuple[str, ...], library: str | None) -> None:
    """Add tags to a RUN and take tags off."""
    if not add and not remove:
        raise InvalidArgumentError("Say which tag: with --add TAG or --remove TAG.")
    with closing(open_library(library)) as opened:
        (metadata,) = opened.set_tags([run], add=add, remove=remove)
    tags = printable(", ".join(metadata.tags)) or "none"
    click.echo(f"{printable(metadata.name)}: tags are now {tags}.")


@click.command(cls=ApeCommand, examples=["ape-jupyter delete quiet-harbour"])
@run_argument
@library_option
def delete(run: str, library: str | None) -> None:
    """Move a RUN to the trash, from where it can be restored."""
    with closing(open_library(library)) as opened:
        metadata = opened.delete(run)
    click.echo(f"{printable(metadata.name)} is in the trash.")
    click.echo(f"To bring it back: ape-jupyter restore {metadata.sim_id}")


@click.command(
    cls=ApeCommand,
    examples=["ape-jupyter restore sim_20260626_154207_05-00_quiet-harbour"],
)
@click.argument("sim_id", metavar="ID")
@library_option
def restore(sim_id: str, library: str | None) -> None:
    """Bring a run back from the trash; give its full ID."""
    with closing(open_library(library)) as opened:
        metadata = opened.restore(sim_id)
    click.echo(f"{printable(metadata.name)} is back.")


def _print_json(value: Any) -> None:
    from ape_jupyter.wire.encoding import encode

    click.echo(json.dumps(encode(value), indent=2, ensure_ascii=False))


def _facts(run: SimulationMetadata) -> dict[str, str]:
    headline = run.headline
    missing = "not recorded"
    vision, rate = headline.mean_final_vision, headline.discontinuation_rate
    with_extras = [
        name for name, has in (("costs", run.has_costs), ("staff", run.has_resources)) if has
    ]
    return {
        "name": run.name,
        "id": run.sim_id,
        "protocol": f"{run.protocol_name} {run.protocol_version}".rstrip(),
        "engine": ", ".join(filter(None, (run.engine_type, run.model_type))),
        "patients": f"{run.n_patients:,} of {run.n_patients_requested:,} asked for, "
        f"{run.n_patients_without_visits:,} without a visit",
        "visits": f"{run.n_visits:,}",
        "duration": f"{run.duration_years:g} years from {run.start_date:%Y-%m-%d}",
        "seed": missing if run.seed is None else str(run.seed),
        "mean final vision": missing if vision is None else f"{vision:.1f} ETDRS letters",
        "injections": f"{headline.total_injections:,}",
        "discontinued": missing if rate is None else f"{rate:.1%} of patients",
        "with": ", ".join(with_extras) or "no costs, no staff",
        "tags": ", ".join(run.tags) or "none",
        "notes": run.notes or "none",
        "created": f"{run.created_at:%Y-%m-%d %H:%M} UTC",
        "registered": f"{run.registered_at:%Y-%m-%d %H:%M} UTC by {run.owner}",
        "size": f"{run.file_size_mb:,.1f} MB",
        "checksum": run.checksum,
    }
