"""``ape-jupyter searches``: searches that are kept."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING

import click

from ape_jupyter.cli.commands import ApeCommand, ApeGroup
from ape_jupyter.cli.library_option import library_option, open_library
from ape_jupyter.cli.terminal import print_table, printable
from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.model.saved_searches import SavedSearch, SearchTerms

if TYPE_CHECKING:
    from ape_jupyter.library.interface import Library

__all__ = ["saved_search", "searches"]


@click.group(
    cls=ApeGroup,
    invoke_without_command=True,
    examples=[
        "ape-jupyter searches",
        "ape-jupyter searches save recent-eylea 'protocol:eylea created:<30d'",
    ],
)
@click.option("--json", "as_json", is_flag=True, help="Print the searches as JSON.")
@library_option
@click.pass_context
def searches(ctx: click.Context, as_json: bool, library: str | None) -> None:
    """List saved searches, or save, rename, share and delete them.

    To carry one out: ape-jupyter list --saved NAME
    """
    if ctx.invoked_subcommand is not None:
        return
    with closing(open_library(library)) as opened:
        found = opened.saved_searches()
    if as_json:
        from ape_jupyter.wire.encoding import encode

        click.echo(json.dumps(encode(found), indent=2, ensure_ascii=False))
        return
    rows = [
        (saved.name, _asked(saved.terms), saved.owner, "all" if saved.is_shared else "owner")
        for saved in found
    ]
    print_table(("name", "search", "owner", "seen by"), rows)


@searches.command(
    cls=ApeCommand,
    examples=["ape-jupyter searches save recent-eylea 'protocol:eylea created:<30d' --share"],
)
@click.argument("name")
@click.argument("query")
@click.option("--share", is_flag=True, help="Let all users of the library see it.")
@click.option("--replace", is_flag=True, help="Replace the one of this name.")
@library_option
def save(name: str, query: str, share: bool, replace: bool, library: str | None) -> None:
    """Save the search QUERY under a NAME."""
    with closing(open_library(library)) as opened:
        saved = opened.save_search(name, query, shared=share, replace=replace)
    click.echo(f"{printable(saved.name)} is saved.")


@searches.command(cls=ApeCommand, examples=["ape-jupyter searches rename recent-eylea eylea"])
@click.argument("name")
@click.argument("new")
@library_option
def rename(name: str, new: str, library: str | None) -> None:
    """Give the search NAME the name NEW."""
    with closing(open_library(library)) as opened:
        saved = opened.rename_search(name, new)
    click.echo(f"{printable(name)} is {printable(saved.name)} now.")


@searches.command(
    cls=ApeCommand,
    examples=["ape-jupyter searches share eylea", "ape-jupyter searches share eylea --no-longer"],
)
@click.argument("name")
@click.option("--no-longer", is_flag=True, help="Hide it from others again.")
@library_option
def share(name: str, no_longer: bool, library: str | None) -> None:
    """Let all users of the library see the search NAME."""
    with closing(open_library(library)) as opened:
        saved = opened.share_search(name, not no_longer)
    seen_by = "all users" if saved.is_shared else "its owner only"
    click.echo(f"{printable(saved.name)} is seen by {seen_by} now.")


@searches.command(cls=ApeCommand, examples=["ape-jupyter searches delete recent-eylea"])
@click.argument("name")
@library_option
def delete(name: str, library: str | None) -> None:
    """Remove the search NAME."""
    with closing(open_library(library)) as opened:
        saved = opened.delete_search(name)
    click.echo(f"{printable(saved.name)} is deleted.")


@searches.command(
    cls=ApeCommand,
    examples=["ape-jupyter searches recent", "ape-jupyter searches recent --clear"],
)
@click.option("--clear", is_flag=True, help="Forget them.")
@library_option
def recent(clear: bool, library: str | None) -> None:
    """List what you searched for lately; nobody else sees it."""
    with closing(open_library(library)) as opened:
        if clear:
            opened.clear_recent_searches()
        found = opened.recent_searches()
    rows = [(f"{one.searched_at:%Y-%m-%d %H:%M}", _asked(one.terms)) for one in found]
    print_table(("when (UTC)", "search"), rows)


def saved_search(library: Library, name: str) -> SavedSearch:
    """Return the saved search of this name; one's own, where others share one of the name.

    Raises
    ------
    InvalidArgumentError
        If there is none.
    """
    for saved in library.saved_searches():
        if saved.name.casefold() == name.casefold():
            return saved
    raise InvalidArgumentError(f"There is no saved search {name!r}; see: ape-jupyter searches")


def _asked(terms: SearchTerms) -> str:
    filters = (f"{field}={','.join(map(str, values))}" for field, values in terms.filters.items())
    return " ".join([*filter(None, [terms.query]), *filters])
