"""Writing to people at a terminal, and to programs behind a pipe."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

__all__ = ["Row", "plural", "point_at", "print_table", "printable"]

Row = Sequence[str]


def printable(text: str) -> str:
    """Replace what would move the cursor or change colours: names come from anybody's files."""
    return "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text
    )


def plural(count: int, noun: str) -> str:
    """Return the count with the noun in the number that fits."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def point_at(text: str, position: int) -> None:
    """Show on the error stream which place of a text an error is about."""
    if 0 <= position < len(text):
        click.echo(f"{printable(text)}\n{' ' * position}^", err=True)


def print_table(headings: Row, rows: Sequence[Row], numbers: Sequence[str] = ()) -> None:
    """Print a table; behind a pipe as plain columns, with nothing shortened.

    Parameters
    ----------
    numbers : sequence of str
        The headings whose columns are set to the right.
    """
    cells = [[printable(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        _print_rich(headings, cells, numbers)
        return
    widths = [max(map(len, column)) for column in zip(headings, *cells, strict=True)]
    for row in [list(headings), *cells]:
        aligned = (
            cell.rjust(width) if heading in numbers else cell.ljust(width)
            for cell, width, heading in zip(row, widths, headings, strict=True)
        )
        click.echo("  ".join(aligned).rstrip())


def _print_rich(headings: Row, cells: Sequence[Row], numbers: Sequence[str]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for heading in headings:
        table.add_column(
            Text(heading), justify="right" if heading in numbers else "left", overflow="fold"
        )
    for row in cells:
        table.add_row(*map(Text, row))
    Console().print(table)
