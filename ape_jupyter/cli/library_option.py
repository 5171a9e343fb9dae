"""Which library a command works on, and the completion of its runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem

from ape_jupyter.errors import InvalidArgumentError

if TYPE_CHECKING:
    from ape_jupyter.library.interface import Library
    from ape_jupyter.library.local import LocalLibrary

__all__ = ["complete_query", "complete_runs", "library_option", "open_directory", "open_library"]

Command = TypeVar("Command", bound=Callable[..., Any])
Answer = TypeVar("Answer")
_COMPLETED_RUNS = 1_000


def library_option(command: Command) -> Command:
    """Give a command the option ``--library``."""
    return click.option(
        "--library",
        metavar="PATH|URL",
        envvar="APE_JUPYTER_LIBRARY",
        show_envvar=True,
        help="The library: a directory, the URL of a server, or "
        "postgresql://HOST/DATABASE?library=DIRECTORY.",
    )(command)


def open_library(target: str | None) -> Library:
    """Open a library; without a target the one that notebooks open, too."""
    from ape_jupyter.connection import connect

    return connect(target)


def open_directory(target: str | None) -> LocalLibrary:
    """Open a library in this process, for what can not be asked of a server.

    Raises
    ------
    InvalidArgumentError
        If the target is a server.
    """
    from ape_jupyter.library.local import LocalLibrary
    from ape_jupyter.library.location import default_target

    if target and target.startswith(("http://", "https://")):
        message = f"This needs the directory of a library; {target} is the URL of a server."
        raise InvalidArgumentError(message)
    return LocalLibrary.open(target or default_target())


def complete_runs(
    ctx: click.Context, _param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the runs whose name or id begins with what was typed."""
    found = []
    for run in _asked(ctx, lambda library: library.search(limit=_COMPLETED_RUNS)):
        for text in (run.name, run.sim_id):
            if text.startswith(incomplete):
                found.append(CompletionItem(text, help=f"{run.protocol_name}, {run.n_patients:,}"))
                break
    return found


def complete_query(
    ctx: click.Context, _param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return what a search could go on with, after what was typed of it."""
    found = []
    for completion in _asked(ctx, lambda library: [library.complete(incomplete)]):
        before = incomplete[: completion.start]
        for candidate in completion.candidates:
            found.append(CompletionItem(before + candidate.text, help=candidate.description))
    return found


def _asked(ctx: click.Context, question: Callable[[Library], Sequence[Answer]]) -> Sequence[Answer]:
    """Ask the library that a command line names, of which the Tab key should make nothing."""
    from ape_jupyter.library.location import default_target

    target = ctx.params.get("library") or default_target()
    if "://" not in target and not Path(target).expanduser().is_dir():
        return ()
    try:
        with closing(open_library(target)) as library:
            return question(library)
    except Exception:  # noqa: BLE001 - a message would land in the middle of the user's line
        return ()
