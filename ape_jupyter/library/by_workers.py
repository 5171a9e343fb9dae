"""Imports and summaries whose work is done by the workers of a cluster.

A run is the unit of work: one worker reads, checks, sorts and summarises it with the code that
does so without a cluster, so that results are the same to the bit. What is registered is
registered here, in the order of the runs, and only when all of it is here.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from ape_jupyter.cache.mapped import PersistentCache
from ape_jupyter.errors import CorruptedDataError
from ape_jupyter.library.cluster import Cluster
from ape_jupyter.library.intake import SUMMARY, Intake, Prepare
from ape_jupyter.library.on_workers import (
    prepared_on_worker,
    summarised_on_worker,
    table_from,
    told_by,
)
from ape_jupyter.library.orders import error_in, prepared_in
from ape_jupyter.library.preparation import PreparedRun, Request, RowsCallback
from ape_jupyter.model.simulation import SimulationMetadata
from ape_jupyter.results.durable import reporting_full_disk
from ape_jupyter.results.parcels import unpacked
from ape_jupyter.results.store import ObjectStore

__all__ = ["make_summaries", "preparations"]


def preparations(
    cluster: Cluster, intake: Intake, store: ObjectStore, runs: Sequence[Path], request: Request
) -> Generator[Prepare]:
    """Yield for each run what prepares it; workers are already at the next ones."""
    calls = [(str(run.absolute()), request) for run in runs]
    with closing(cluster.each(prepared_on_worker, calls)) as futures:
        for future in futures:
            yield partial(_fetched, cluster, intake, store, future)


def _fetched(
    cluster: Cluster,
    intake: Intake,
    store: ObjectStore,
    future: Any,
    _path: Path,
    scratch: Path,
    request: Request,
    _on_rows: RowsCallback | None,
) -> PreparedRun:
    outcome = cluster.result(cluster.submit(told_by, future))
    if "failed" in outcome:
        raise error_in(outcome["failed"])
    if "denied" in outcome:
        raise PermissionError(*outcome["denied"])
    told = outcome["prepared"]
    known = intake.look_up(request)(told["sim_id"])
    if known is not None and known.has(told["sim_id"], told["tables"]):
        return PreparedRun(sim_id=told["sim_id"], tables=told["tables"])
    outcome = cluster.result(future)
    with reporting_full_disk(store.directory):
        path = unpacked(outcome["files"], told["new"]["stored"]["digest"], scratch)
        run = prepared_in(told, lambda: table_from(outcome["summary"]))
        assert run.new is not None  # noqa: S101  # a worker knows of no library
        run = replace(run, new=replace(run.new, staged=store.staged_at(path)))
        intake.keep_summary(run)
    return run


def make_summaries(
    cluster: Cluster, runs: Sequence[SimulationMetadata], store: ObjectStore, cache: PersistentCache
) -> None:
    """Make the summaries that are missing, all at once.

    Results that a worker finds damaged are left for this process to look at: it may be the
    worker's way to them that is.
    """
    wanted = [run for run in runs if not cache.holds(run.checksum, [SUMMARY])]
    # What is not here is not there; and that is told by who opens it.
    wanted = [run for run in wanted if not store.problems(run.checksum, fast=True)]
    calls = [
        (str(store.directory), run.checksum, run.start_date, run.duration_years) for run in wanted
    ]
    with closing(cluster.each(summarised_on_worker, calls)) as futures:
        for run, future in zip(wanted, futures, strict=True):
            try:
                summary = table_from(cluster.result(future))
            except CorruptedDataError:
                continue
            cache.files(run.checksum, [SUMMARY], partial(dict, {SUMMARY: summary}))
