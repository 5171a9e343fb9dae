"""``ape-jupyter compare``."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ape_jupyter.cli.commands import ApeCommand
from ape_jupyter.cli.library_option import complete_runs, library_option, open_library
from ape_jupyter.cli.progress import progress_bar
from ape_jupyter.cli.terminal import print_table, printable
from ape_jupyter.model.comparison import ComparisonType, TimeAlignment

if TYPE_CHECKING:
    from ape_jupyter.library.comparison import ComparisonResult

__all__ = ["compare"]

_DAYS_PER_YEAR = 365.25


def _cuts(
    _context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]
) -> dict[str, list[float]]:
    """Read ``COLUMN`` or ``COLUMN=50,70``."""
    found = {}
    for value in values:
        column, _, numbers = value.partition("=")
        try:
            found[column] = [float(number) for number in numbers.split(",") if number]
        except ValueError:
            raise click.BadParameter(
                f"{value!r}: cut points are numbers, as in baseline_vision=50,70."
            ) from None
    return found


@click.command(
    cls=ApeCommand,
    examples=[
        "ape-jupyter compare quiet-harbour amber-meadow copper-lantern",
        "ape-jupyter compare quiet-harbour amber-meadow --metric all --output comparison.html",
        "ape-jupyter compare quiet-harbour amber-meadow --subgroups baseline_vision=50,70",
    ],
)
@click.argument("runs", metavar="RUN RUN...", nargs=-1, required=True, shell_complete=complete_runs)
@click.option(
    "--metric", "metrics", multiple=True, help="What to compare, or all; can be repeated. [vision]"
)
@click.option(
    "--type",
    "kind",
    type=click.Choice([kind.value for kind in ComparisonType]),
    default=ComparisonType.OVERLAY.value,
    show_default=True,
    help="The last two are against the reference.",
)
@click.option(
    "--time",
    "alignment",
    type=click.Choice([alignment.value for alignment in TimeAlignment]),
    default=TimeAlignment.RELATIVE.value,
    show_default=True,
    help="Since enrolment, in the calendar, or as share of the run.",
)
@click.option("--reference", help="The run to compare with; the first by default.")
@click.option(
    "--subgroups",
    multiple=True,
    metavar="COLUMN[=CUT,...]",
    callback=_cuts,
    help="Also compare the patients in parts; can be repeated.",
)
@click.option(
    "--paired", is_flag=True, help="Also test patient by patient, with --type=statistical."
)
@click.option("--cost-effectiveness", is_flag=True, help="Set costs against letters gained.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Save as .html, a page that needs no network, or as .parquet or .csv.",
)
@library_option
def compare(  # noqa: PLR0917 - click passes them by name
    runs: tuple[str, ...],
    metrics: tuple[str, ...],
    kind: str,
    alignment: str,
    reference: str | None,
    subgroups: dict[str, list[float]],
    paired: bool,
    cost_effectiveness: bool,
    output: Path | None,
    library: str | None,
) -> None:
    """Compare RUNs, by default their mean vision, year by year since each patient's enrolment."""
    with closing(open_library(library)) as opened, progress_bar("Comparing") as progress:
        result = opened.compare_simulations(
            list(runs),
            kind,
            "all" if metrics == ("all",) else list(metrics) or None,
            alignment,
            reference,
            paired=paired,
            subgroups=subgroups,
            cost_effectiveness=cost_effectiveness,
            progress=progress if subgroups or paired or cost_effectiveness else None,
        )
    if kind == ComparisonType.OVERLAY and alignment == TimeAlignment.RELATIVE and not metrics:
        _print_years(result)
        click.echo()
    for metric in result.metrics:
        click.echo(printable(result.summary(metric.id)))
    if output is not None:
        for path in result.save(output):
            click.echo(f"Saved {printable(str(path))}")


def _print_years(result: ComparisonResult) -> None:
    by_run: dict[str, dict[int, float]] = {run.sim_id: {} for run in result.runs}
    for row in result.series.to_pylist():
        year = int(row["x"] // _DAYS_PER_YEAR)
        # The first bin of a year stands for its beginning.
        if row["n"] and not row["by"]:
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
