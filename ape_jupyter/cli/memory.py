"""Commands on the cache: pin, unpin, evict, and what it takes of memory and disk."""

from __future__ import annotations

import json
from contextlib import closing

import click

from ape_jupyter.cli.commands import ApeCommand
from ape_jupyter.cli.library_option import library_option, open_library
from ape_jupyter.cli.runs import run_argument
from ape_jupyter.cli.terminal import print_table, printable
from ape_jupyter.model.memory import MemoryReport

__all__ = ["evict", "memory", "optimize", "pin", "unpin"]


@click.command(cls=ApeCommand, examples=["ape-jupyter pin quiet-harbour"])
@run_argument
@library_option
def pin(run: str, library: str | None) -> None:
    """Keep a RUN ready to be opened, however full the cache is."""
    with closing(open_library(library)) as opened:
        metadata = opened.pin(run)
    click.echo(f"{printable(metadata.name)} is pinned.")


@click.command(cls=ApeCommand, examples=["ape-jupyter unpin quiet-harbour"])
@run_argument
@library_option
def unpin(run: str, library: str | None) -> None:
    """Let the cache drop a RUN again when it is full."""
    with closing(open_library(library)) as opened:
        metadata = opened.unpin(run)
    click.echo(f"{printable(metadata.name)} is no longer pinned.")


@click.command(cls=ApeCommand, examples=["ape-jupyter evict quiet-harbour"])
@run_argument
@library_option
def evict(run: str, library: str | None) -> None:
    """Drop a RUN from the cache; its next use makes it ready again.

    A run that is pinned, or open in some notebook, stays.
    """
    with closing(open_library(library)) as opened:
        eviction = opened.evict(run)
    click.echo(f"{eviction.freed_mb:,.1f} MB of disk are free again.")


@click.command(cls=ApeCommand, examples=["ape-jupyter memory", "ape-jupyter memory --json"])
@click.option("--json", "as_json", is_flag=True, help="Print all figures as JSON.")
@library_option
def memory(as_json: bool, library: str | None) -> None:
    """Show what runs take in memory and on disk, and would take in pandas."""
    with closing(open_library(library)) as opened:
        report = opened.memory()
    if as_json:
        from ape_jupyter.wire.encoding import encode

        click.echo(json.dumps(encode(report), indent=2, ensure_ascii=False))
        return
    _print_runs(report)
    _print_kernels(report)
    limit = "" if report.limit_mb is None else f"; this machine has {_mb(report.limit_mb)} MB"
    click.echo(
        f"Cache: {_mb(report.cached_mb)} of {_mb(report.budget_mb)} MB{limit}.\n"
        f"Mapped runs: {_mb(report.shared_mb)} MB for all together; "
        f"as pandas copies: {_mb(report.pandas_mb)} MB."
    )
    for note in report.notes:
        click.echo(note)


def _print_runs(report: MemoryReport) -> None:
    if not report.runs:
        click.echo("No run is in the cache.")
        return
    rows = [
        (
            run.name,
            _mb(run.cached_mb),
            _mb(run.resident_mb),
            _mb(run.pandas_mb),
            str(run.n_readers),
            ", ".join(["pinned"] * run.is_pinned + ["in use"] * run.is_in_use),
            f"{run.last_used:%Y-%m-%d %H:%M}",
        )
        for run in report.runs
    ]
    headings = ("name", "on disk", "in memory", "as pandas", "readers", "state", "last used (UTC)")
    print_table(headings, rows, numbers=headings[1:5])
    click.echo()


def _print_kernels(report: MemoryReport) -> None:
    rows = [
        (
            str(kernel.pid),
            kernel.kernel_id or "",
            _mb(kernel.private_mb),
            _mb(sum(run.pss_mb or 0 for run in kernel.runs)),
            str(len(kernel.runs)),
        )
        for kernel in report.kernels
    ]
    headings = ("process", "kernel", "private", "share of runs", "runs")
    print_table(headings, rows, numbers=("process", *headings[2:]))
    click.echo()


def _mb(value: float | None) -> str:
    return "unknown" if value is None else f"{value:,.1f}"


@click.command(
    cls=ApeCommand,
    examples=["ape-jupyter optimize", "ape-jupyter optimize --idle-for 600"],
)
@click.option(
    "--idle-for",
    type=click.FloatRange(min=0),
    default=3600,
    show_default=True,
    metavar="SECONDS",
    help="Take runs out of memory that nobody has used for so long.",
)
@library_option
def optimize(idle_for: float, library: str | None) -> None:
    """Free memory and disk that nobody needs, and say what was done and why."""
    with closing(open_library(library)) as opened:
        report = opened.optimize_memory(idle_for)
    for line in str(report).splitlines():
        click.echo(printable(line))
