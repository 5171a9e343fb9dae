"""``ape-jupyter tags``: tags wherever they are."""

from __future__ import annotations

import json
from contextlib import closing

import click

from ape_jupyter.cli.commands import ApeCommand, ApeGroup
from ape_jupyter.cli.library_option import complete_runs, library_option, open_library
from ape_jupyter.cli.terminal import plural, print_table, printable
from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.model.tags import TAG_COLOURS, TagsChanged

__all__ = ["tags"]


@click.group(
    cls=ApeGroup,
    invoke_without_command=True,
    examples=["ape-jupyter tags", "ape-jupyter tags rename draft archive/draft"],
)
@click.option("--json", "as_json", is_flag=True, help="Print the tags as JSON.")
@library_option
@click.pass_context
def tags(ctx: click.Context, as_json: bool, library: str | None) -> None:
    """List all tags, or change them wherever they are.

    A tag "nhs/site" is below "nhs": what is done to "nhs" is done to it, too.
    """
    if ctx.invoked_subcommand is not None:
        return
    with closing(open_library(library)) as opened:
        found = opened.tags()
    if as_json:
        from ape_jupyter.wire.encoding import encode

        click.echo(json.dumps(encode(found), indent=2, ensure_ascii=False))
        return
    rows = [
        (entry.tag, f"{entry.count:,}", f"{entry.total:,}", entry.colour or "") for entry in found
    ]
    headings = ("tag", "runs", "with those below", "colour")
    print_table(headings, rows, numbers=("runs", "with those below"))


@tags.command(cls=ApeCommand, examples=["ape-jupyter tags rename draft archive/draft"])
@click.argument("old")
@click.argument("new")
@library_option
def rename(old: str, new: str, library: str | None) -> None:
    """Give the tag OLD and those below it the name NEW."""
    with closing(open_library(library)) as opened:
        _tell(opened.rename_tag(old, new), library)


@tags.command(cls=ApeCommand, examples=["ape-jupyter tags merge aflibercept Eylea --into eylea"])
@click.argument("sources", metavar="TAG...", nargs=-1, required=True)
@click.option("--into", required=True, metavar="TAG", help="The tag that stays.")
@library_option
def merge(sources: tuple[str, ...], into: str, library: str | None) -> None:
    """Replace several TAGs and those below them by one."""
    with closing(open_library(library)) as opened:
        _tell(opened.merge_tags(sources, into), library)


@tags.command(
    cls=ApeCommand,
    examples=["ape-jupyter tags colour nhs teal", "ape-jupyter tags colour nhs none"],
)
@click.argument("tag")
@click.argument("colour")
@library_option
def colour(tag: str, colour: str, library: str | None) -> None:
    """Give a TAG a COLOUR: a name, "#rrggbb", or "none"."""
    with closing(open_library(library)) as opened:
        opened.set_tag_colour(tag, None if colour == "none" else colour)
    click.echo(f"{printable(tag)} is {printable(colour)} now.")


colour.help = f"{colour.help}\n\nNames are: {', '.join(TAG_COLOURS)}."


@tags.command(
    cls=ApeCommand,
    examples=[
        "ape-jupyter tags change --add appraisal --query 'protocol:eylea created:<30d'",
        "ape-jupyter tags change --remove draft quiet-harbour amber-meadow",
    ],
)
@click.argument("runs", metavar="[RUN...]", nargs=-1, shell_complete=complete_runs)
@click.option("--add", multiple=True, metavar="TAG", help="Add a tag; can be repeated.")
@click.option("--remove", multiple=True, metavar="TAG", help="Take a tag off; can be repeated.")
@click.option("--query", metavar="QUERY", help="Instead of RUNs: all that this search finds.")
@library_option
def change(
    runs: tuple[str, ...],
    add: tuple[str, ...],
    remove: tuple[str, ...],
    query: str | None,
    library: str | None,
) -> None:
    """Add tags to many runs and take tags off, on all of them or on none."""
    if bool(runs) is (query is not None):
        raise InvalidArgumentError("Name runs, or give a search with --query.")
    with closing(open_library(library)) as opened:
        changed = opened.change_tags(add, remove, sim_ids=runs or None, query=query)
    _tell(changed, library)


@tags.command(cls=ApeCommand, examples=["ape-jupyter tags undo 1234"])
@click.argument("change", metavar="NUMBER", type=int)
@library_option
def undo(change: int, library: str | None) -> None:
    """Take the change with this NUMBER back.

    What somebody changed on the same runs since then stays.
    """
    with closing(open_library(library)) as opened:
        _tell(opened.undo_tags(change), library)


def _tell(changed: TagsChanged, library: str | None) -> None:
    if changed.change is None:
        click.echo("Nothing was to be changed.")
    else:
        option = f" --library {library}" if library else ""
        click.echo(f"Changed the tags of {plural(changed.n_runs, 'run')}.")
        click.echo(f"To take it back: ape-jupyter tags undo {changed.change}{printable(option)}")
    if changed.n_left:
        was = "was" if changed.n_left == 1 else "were"
        click.echo(f"{plural(changed.n_left, 'run')} {was} changed since, and left as found there.")
