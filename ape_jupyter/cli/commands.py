"""What all commands share: examples in their help, and how they fail."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from ape_jupyter.errors import ApeError

__all__ = ["INTERRUPTED", "ApeCommand", "ApeGroup"]

FAILED = 2
INTERRUPTED = 130
"""What a shell reports of a process that Ctrl-C ended."""


class _Failure(click.ClickException):
    """An expected error: one sentence, no traceback."""

    exit_code = FAILED

    def show(self, file: Any = None) -> None:
        click.secho(f"Error: {self.message}", fg="red", err=True, file=file)


class _WithExamples(click.Command):
    """A command whose help ends with examples.

    Parameters
    ----------
    examples : sequence of str
        Command lines as a user would type them.
    """

    def __init__(self, *args: Any, examples: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = tuple(examples)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the examples as they are: wrapped ones could not be copied."""
        with formatter.section("Examples"):
            for line in self.examples:
                formatter.write(f"{'':{formatter.current_indent}}{line}\n")


class ApeCommand(_WithExamples):
    """One command."""


class ApeGroup(_WithExamples, click.Group):
    """The group of all commands; turns expected errors into a sentence and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except ApeError as error:
            raise _Failure(error.message) from error
        except KeyboardInterrupt:
            click.secho("Interrupted. What was finished is kept.", fg="yellow", err=True)
            ctx.exit(INTERRUPTED)
