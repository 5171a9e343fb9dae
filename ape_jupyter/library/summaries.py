"""The stored summaries of runs, made again where missing or of an older definition."""

from __future__ import annotations

import threading
from collections import OrderedDict
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from ape_jupyter.cache.leases import leased
from ape_jupyter.cache.mapped import PersistentCache, map_table
from ape_jupyter.library.custody import Custody
from ape_jupyter.library.intake import SUMMARY
from ape_jupyter.model.simulation import SimulationMetadata, Source, Status
from ape_jupyter.results.store import ObjectStore
from ape_jupyter.results.summary import Summary
from ape_jupyter.results.summing import SummaryOfBuckets

__all__ = ["Summaries", "summary_of_object"]

MAX_OPEN = 256
"""More comparisons than of 200 runs at a time nobody makes; a mapping costs next to nothing."""


class Summaries:
    """Summaries of the runs of a library, of which those last used stay mapped.

    Threads may share it. A mapping is used again only while the file under its name is the one
    that was mapped: one that was deleted, replaced or written to is opened anew, with all checks.
    """

    def __init__(self, store: ObjectStore, cache: PersistentCache, custody: Custody) -> None:
        self._store = store
        self._cache = cache
        self._custody = custody
        self._open: OrderedDict[str, tuple[tuple[int, ...], Summary]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, run: SimulationMetadata) -> Summary:
        """Return the summary of a run, whose metadata are of just now.

        Raises
        ------
        CorruptedDataError
            If the run is quarantined, or has to be when the summary is made from its results.
        """
        # Whether linked files are still those that were imported is looked up each time.
        may_be_open = run.status is not Status.QUARANTINED and run.source is not Source.LINKED
        if may_be_open:
            with self._lock:
                known = self._open.get(run.checksum)
                if known is not None and known[0] == self._identity(run.checksum):
                    self._open.move_to_end(run.checksum)
                    return known[1]
        identity, summary = self._opened(run)
        if may_be_open and identity is not None:
            with self._lock:
                self._open[run.checksum] = identity, summary
                while len(self._open) > MAX_OPEN:
                    self._open.popitem(last=False)
        return summary

    def _opened(self, run: SimulationMetadata) -> tuple[tuple[int, ...] | None, Summary]:
        def build() -> dict[str, pa.Table]:
            of_run = run.checksum, run.start_date, run.duration_years
            return {SUMMARY: summary_of_object(self._store, *of_run)}

        def read(path: Path) -> tuple[tuple[int, ...] | None, Summary]:
            before = self._identity(run.checksum)
            summary = Summary.from_arrow(map_table(path))
            # Replaced in between, it is not known which of both was mapped.
            return (before if before == self._identity(run.checksum) else None), summary

        with self._custody.reading(run):
            return leased(
                lambda: self._cache.files(run.checksum, [SUMMARY], build),
                lambda files, _: read(files[SUMMARY]),
            )

    def _identity(self, checksum: str) -> tuple[int, ...] | None:
        try:
            own = self._cache.path(checksum, SUMMARY).stat()
        except OSError:
            return None
        return own.st_dev, own.st_ino, own.st_size, own.st_mtime_ns, own.st_ctime_ns


def summary_of_object(
    store: ObjectStore, digest: str, start_date: datetime, duration_years: float
) -> pa.Table:
    """Make the summary of a stored result set.

    Raises
    ------
    CorruptedDataError
        If the results are damaged.
    """
    summary = SummaryOfBuckets(start_date, duration_years)
    with store.reading(digest) as tables:
        tables.observe([summary])
        return summary.result(tables)
