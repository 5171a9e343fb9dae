"""``ape-jupyter compare``."""

from __future__ import annotations

from contextlib import closing

import click

from ape_jupyter.cli.commands import ApeCommand
from ape_jupyter.cli.library_option import complete_runs, library_option, open_library
from ape_jupyter.cli.terminal import print_table, printable

__all__ = ["compare"]

_DAYS_PER_YEAR = 365.25


@click.command(
    cls=ApeCommand,
    examples=["ape-jupyter compare quiet-harbour amber-meadow copper-lantern"],
)
@click.argument("runs", metavar="RUN RUN...", nargs=-1, required=True, shell_complete=complete_runs)
@library_option
def compare(runs: tuple[str, ...], library: str | None) -> None:
    """Compare the mean vision of RUNs, year by year since each patient's enrolment."""
    with closing(open_library(library)) as opened:
        result = opened.compare_simulations(
            list(runs), metrics=["vision"], time_alignment="relative"
        )
    by_run: dict[str, dict[int, float]] = {run.sim_id: {} for run in result.runs}
    for row in result.series.to_pylist():
        year = int(row["x"] // _DAYS_PER_YEAR)
        # The first bin of a year stands for its beginning.
        if row["n"]:
            by_run[row["sim_id"]].setdefault(year, row["mean"])
    years = sorted({year for means in by_run.values() for year in means})
    headings = ["run", "protocol", *(f"year {year}" for year in years)]
    rows = [
        [
            run.name,
            run.protocol_name,
            *(
                f"{by_run[run.sim_id][year]:.1f}" if year in by_run[run.sim_id] else ""
                for year in years
            ),
        ]
        for run in result.runs
    ]
    print_table(headings, rows, numbers=headings[2:])
    click.echo(f"\n{printable(result.summary())}")
