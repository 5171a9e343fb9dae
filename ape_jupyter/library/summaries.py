"""The stored summary of a run, made again where it is missing or of an older definition."""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa

from ape_jupyter.cache.leases import leased
from ape_jupyter.cache.mapped import PersistentCache, map_table
from ape_jupyter.library.custody import Custody
from ape_jupyter.library.intake import SUMMARY
from ape_jupyter.model.simulation import SimulationMetadata
from ape_jupyter.results.store import ObjectStore
from ape_jupyter.results.summary import Summary
from ape_jupyter.results.summing import SummaryOfBuckets

__all__ = ["summary_of", "summary_of_object"]


def summary_of(
    run: SimulationMetadata, store: ObjectStore, cache: PersistentCache, custody: Custody
) -> Summary:
    """Return the summary of a run.

    Raises
    ------
    CorruptedDataError
        If the run is quarantined, or has to be when the summary is made from its results.
    """

    def build() -> dict[str, pa.Table]:
        return {SUMMARY: summary_of_object(store, run.checksum, run.start_date, run.duration_years)}

    with custody.reading(run):
        return leased(
            lambda: cache.files(run.checksum, [SUMMARY], build),
            lambda files, _: Summary.from_arrow(map_table(files[SUMMARY])),
        )


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
