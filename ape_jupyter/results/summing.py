"""The summary of a run that passes in buckets."""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa

from ape_jupyter.results.canonical import RunTables
from ape_jupyter.results.summary import SummaryBuilder

__all__ = ["SummaryOfBuckets"]


class SummaryOfBuckets:
    """Observes the visits of a run in passing; its costs and resources are read at the end."""

    def __init__(self, start_date: datetime, duration_years: float) -> None:
        self._builder = SummaryBuilder(start_date, duration_years)

    def add(self, patients: pa.Table, visits: pa.Table) -> None:
        """Take a range of patients and all their visits."""
        self._builder.add(patients, visits)

    def result(self, tables: RunTables) -> pa.Table:
        """Return the summary as it is stored.

        Parameters
        ----------
        tables : RunTables
            The run whose visits were observed.
        """
        if tables.costs is not None:
            for bucket in tables.costs.buckets():
                self._builder.add_costs(tables.patients_of(bucket), bucket.localised())
        if tables.resources is not None:
            self._builder.add_resources(tables.resources)
        return self._builder.result().to_arrow()
