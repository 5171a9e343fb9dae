"""The ``ape-jupyter`` command."""

from __future__ import annotations

import click

from ape_jupyter.cli.commands import ApeGroup
from ape_jupyter.cli.comparison import compare
from ape_jupyter.cli.completion import completion
from ape_jupyter.cli.demonstration import demo
from ape_jupyter.cli.history import history
from ape_jupyter.cli.importing import import_
from ape_jupyter.cli.memory import evict, memory, optimize, pin, unpin
from ape_jupyter.cli.migration import migrate
from ape_jupyter.cli.performance import performance
from ape_jupyter.cli.purging import purge
from ape_jupyter.cli.runs import delete, list_, restore, show, tag
from ape_jupyter.cli.tags import tags
from ape_jupyter.cli.verification import verify
from ape_jupyter.cli.watching import unwatch, watch, watches

__all__ = ["main"]


def _print_version(ctx: click.Context, _param: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from ape_jupyter.model.version import package_version

        click.echo(f"ape-jupyter {package_version()}")
        ctx.exit()


@click.group(
    cls=ApeGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    examples=[
        "ape-jupyter demo",
        "ape-jupyter import ~/ape/simulation_results",
        "ape-jupyter list treat-and-extend",
    ],
)
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_print_version,
    help="Show the version and exit.",
)
def main() -> None:
    """Keep simulation runs of APE in one library for all notebooks.

    Wherever a command takes a RUN, give its id, its name, or the beginning of either.
    """


COMMANDS = (
    *(demo, import_, watch, watches, unwatch),
    *(list_, show, compare, tag, tags, delete, restore, purge, history),
    *(pin, unpin, evict, memory, optimize, performance, verify, migrate, completion),
)
for command in COMMANDS:
    main.add_command(command)
