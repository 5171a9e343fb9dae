"""The summary of a run: its tables, how they add up, and how they are built."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Self

import numpy as np
import pyarrow as pa

from ape_jupyter.model.comparison import TimeAlignment
from ape_jupyter.results.canonical import ResultTables
from ape_jupyter.results.summary.arrow import ArrowTables, arrow_table
from ape_jupyter.results.summary.axis import TimeAxes
from ape_jupyter.results.summary.costs import count_costs, count_resources
from ape_jupyter.results.summary.counts import CountTable
from ape_jupyter.results.summary.keys import Kind, Method, TableKey
from ape_jupyter.results.summary.moments import MomentTable
from ape_jupyter.results.summary.visits import count_visits, patient_rows

__all__ = ["Summary", "SummaryBuilder", "summarise"]

_MAX_PENDING = 8
_VISITS_AT_ONCE = 300_000
"""Measured: fewer fall out of the processor's cache less, but then adding up tables takes over."""


@dataclass(frozen=True, slots=True)
class Summary:
    """Tables of a run, by kind, metric, method and alignment; or of several runs together.

    Adding is associative and commutative, and the summary of two sets of patients is the sum of
    their summaries: exactly for counts, to rounding for sums of money. Add the parts of one
    run, or whole runs.

    Attributes
    ----------
    tables : mapping
        Those that have entries.
    """

    tables: Mapping[TableKey, CountTable | MomentTable]

    def counts(
        self,
        metric: str,
        method: Method,
        alignment: TimeAlignment,
        kind: Kind = Kind.COUNTS,
    ) -> CountTable:
        """Return a table of counts; an empty one where nothing was counted."""
        table = self.tables.get(TableKey(kind, metric, method, alignment))
        return table if isinstance(table, CountTable) else CountTable.empty()

    def moments(self, metric: str, method: Method, alignment: TimeAlignment) -> MomentTable:
        """Return a table of moments; an empty one where there are no amounts."""
        table = self.tables.get(TableKey(Kind.MOMENTS, metric, method, alignment))
        return table if isinstance(table, MomentTable) else MomentTable.empty()

    @property
    def metrics(self) -> frozenset[str]:
        """What has tables; the others need what the run lacks."""
        return frozenset(key.metric for key in self.tables)

    def merge(self, other: Self) -> Summary:
        """Return the summary of the patients of both, who must be different ones."""
        return Summary.total([self, other])

    __add__ = merge

    @staticmethod
    def total(summaries: Iterable[Summary]) -> Summary:
        """Add any number of summaries up, at less cost than one by one."""
        counts: dict[TableKey, list[CountTable]] = defaultdict(list)
        moments: dict[TableKey, list[MomentTable]] = defaultdict(list)
        for summary in summaries:
            for key, table in summary.tables.items():
                if isinstance(table, CountTable):
                    counts[key].append(table)
                else:
                    moments[key].append(table)
        return Summary(
            {key: CountTable.total(parts) for key, parts in counts.items()}
            | {key: MomentTable.total(parts) for key, parts in moments.items()}
        )

    def to_arrow(self) -> pa.Table:
        """Return the summary as one table with ``SUMMARY_SCHEMA``; equal ones give equal bytes."""
        return arrow_table(self.tables)

    @classmethod
    def from_arrow(cls, table: pa.Table) -> Summary:
        """Read a summary; each of its tables when it is first asked for.

        Raises
        ------
        ValueError
            If the table is not a summary of this version.
        """
        return cls(ArrowTables(table))


class SummaryBuilder:
    """Builds a summary from parts of a run, in any order.

    Parameters
    ----------
    start_date : datetime
        The run's start: the earliest enrolment of all its patients.
    duration_years : float
        The run's duration.
    """

    def __init__(self, start_date: datetime, duration_years: float) -> None:
        self._axes = TimeAxes(start_date, duration_years)
        self._parts: list[Summary] = []

    def add(self, patients: pa.Table, visits: pa.Table, first_patient: int = 0) -> None:
        """Add patients with all of their visits, both in canonical form.

        Parameters
        ----------
        patients : pyarrow.Table
            Consecutive rows of the run's patients, or all of them.
        visits : pyarrow.Table
            Their visits and no others, sorted by patient and time.
        first_patient : int
            What the code of ``patient_id`` in visits is for the first row of patients.

        Raises
        ------
        ValueError
            If a visit is not of one of these patients, or visits are not sorted.
        """
        rows = patient_rows(patients, visits, first_patient)
        begin = row = 0
        while row < patients.num_rows:
            # At least one patient, and all of the visits of each.
            next_row = patients.num_rows
            if len(rows) - begin > _VISITS_AT_ONCE:
                next_row = max(int(rows[begin + _VISITS_AT_ONCE]), row + 1)
            end = int(np.searchsorted(rows, next_row))
            some, own = patients.slice(row, next_row - row), visits.slice(begin, end - begin)
            self._append(Summary(count_visits(self._axes, some, own, first_patient + row)))
            begin, row = end, next_row

    def add_costs(self, patients: pa.Table, costs: pa.Table, first_patient: int = 0) -> None:
        """Add all that patients cost; as :meth:`add`, sorted by patient and date."""
        self._append(Summary(count_costs(self._axes, patients, costs, first_patient)))

    def add_resources(self, resources: pa.Table) -> None:
        """Add days of the clinic, each day once."""
        self._append(Summary(count_resources(self._axes, resources)))

    def result(self) -> Summary:
        """Return the summary of all that was added."""
        self._parts = [Summary.total(self._parts)]
        return self._parts[0]

    def _append(self, part: Summary) -> None:
        self._parts.append(part)
        if len(self._parts) > _MAX_PENDING:
            self.result()


def summarise(tables: ResultTables, start_date: datetime, duration_years: float) -> Summary:
    """Summarise a run whose tables are in memory; see :class:`SummaryBuilder`."""
    builder = SummaryBuilder(start_date, duration_years)
    builder.add(tables.patients, tables.visits)
    if tables.costs is not None:
        builder.add_costs(tables.patients, tables.costs)
    if tables.resources is not None:
        builder.add_resources(tables.resources)
    return builder.result()
