"""``ape-jupyter completion``."""

from __future__ import annotations

import click
from click.shell_completion import BashComplete, FishComplete, ZshComplete

from ape_jupyter.cli.commands import ApeCommand

__all__ = ["completion"]

_SHELLS = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}


@click.command(
    cls=ApeCommand,
    examples=[
        "ape-jupyter completion bash >> ~/.bashrc",
        "ape-jupyter completion zsh >> ~/.zshrc",
        "ape-jupyter completion fish > ~/.config/fish/completions/ape-jupyter.fish",
    ],
)
@click.argument("shell", type=click.Choice(list(_SHELLS)))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print what makes a SHELL complete commands, options and names of runs."""
    command = ctx.find_root().command
    script = _SHELLS[shell](command, {}, "ape-jupyter", "_APE_JUPYTER_COMPLETE")
    click.echo(script.source())
