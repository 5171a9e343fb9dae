"""Sorting the visits of a run by patient and time, in memory that does not grow with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
import pyarrow as pa

from ape_jupyter.results.conversion import PATIENT_ID

__all__ = ["BUCKET_ROWS", "Bucket", "BucketObserver", "RowSorter", "SortedRows", "SpilledRows"]

BUCKET_ROWS = 2_000_000
# Ranges of patients finer than buckets, so that buckets can be cut when all counts are known.
MAX_CELLS = 4096

Offsets: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """All rows of a range of patients, sorted by patient and time.

    Attributes
    ----------
    first, stop : int
        The range, in rows of the patients table. The ranges of a run follow one another
        and leave no patient out.
    rows : pyarrow.Table
        One chunk. The codes of ``patient_id`` are rows of the whole patients table.
    """

    first: int
    stop: int
    rows: pa.Table

    def localised(self) -> pa.Table:
        """Return the rows with ``patient_id`` as if the run had these patients only."""
        column = self.rows[PATIENT_ID].combine_chunks()
        ids = column.dictionary[self.first : self.stop]
        if len(ids) == len(column.dictionary):
            return self.rows
        codes = pa.array(column.indices.to_numpy() - np.int32(self.first))
        local = pa.DictionaryArray.from_arrays(codes, ids)
        return self.rows.set_column(self.rows.schema.get_field_index(PATIENT_ID), PATIENT_ID, local)


class SortedRows(Protocol):
    """A sorted table that comes in buckets, as often as wanted."""

    schema: pa.Schema
    num_rows: int

    def buckets(self) -> Iterator[Bucket]:
        """Yield the buckets in order of patients."""


class BucketObserver(Protocol):
    """Something that is told each bucket of a run's visits once, in order of patients."""

    def add(self, patients: pa.Table, visits: pa.Table) -> None:
        """Take a range of patients and all their visits.

        The codes of ``visits["patient_id"]`` are row numbers of ``patients``. Every patient
        of the run is in one range, also those without visits.
        """


class RowSorter:
    """Takes batches in any order; gives them back sorted.

    Up to ``bucket_rows`` rows are held. When there are more, they are written to a run file
    in ``scratch``, ordered by cells: narrow ranges of patients. In the end neighbouring cells
    are joined into buckets, and a bucket is the slices of its cells from all run files.

    Parameters
    ----------
    name : str
        Of the table; its run files carry it.
    time_column : str
        What rows of one patient are sorted by. Rows equal in this keep their order.
    scratch : Path
        A private directory; whoever gave it removes it.
    """

    def __init__(
        self,
        name: str,
        n_patients: int,
        time_column: str,
        scratch: Path,
        bucket_rows: int = BUCKET_ROWS,
    ) -> None:
        self._name = name
        self._n_patients = n_patients
        self._time_column = time_column
        self._scratch = scratch
        self._bucket_rows = bucket_rows
        self._shift = max(0, (max(n_patients, 1) - 1).bit_length() - MAX_CELLS.bit_length() + 1)
        self._n_cells = (max(n_patients, 1) - 1 >> self._shift) + 1
        self._held: list[pa.RecordBatch] = []
        self._n_held = 0
        self._runs: list[tuple[Path, Offsets]] = []
        self.num_rows = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Take a batch with row numbers of patients in ``patient_id``."""
        self.num_rows += len(batch)
        start = 0
        while start < len(batch):
            if self._n_held >= self._bucket_rows:
                self._spill()
            part = batch.slice(start, self._bucket_rows - self._n_held)
            self._held.append(part)
            self._n_held += len(part)
            start += len(part)

    def _taken(self) -> pa.Table:
        held = pa.Table.from_batches(self._held).combine_chunks()
        self._held, self._n_held = [], 0
        return held

    def _spill(self) -> None:
        table = self._taken()
        cells = (table[PATIENT_ID].to_numpy() >> self._shift).astype(np.uint16)
        if (cells[1:] < cells[:-1]).any():
            table = table.take(pa.array(np.argsort(cells, kind="stable"))).combine_chunks()
        offsets = np.zeros(self._n_cells + 1, np.int64)
        np.cumsum(np.bincount(cells, minlength=self._n_cells), out=offsets[1:])
        path = self._scratch / f"{self._name}-{len(self._runs)}.arrow"
        with path.open("wb") as file, pa.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table)
        self._runs.append((path, offsets))

    def finish(self, finished: Callable[[pa.Table], pa.Table]) -> SpilledRows:
        """Return the sorted rows; ``finished`` gives the sorted codes their dictionaries."""
        held: pa.Table | None = None
        if self._runs and self._n_held:
            self._spill()
        elif self._n_held:
            held = self._taken()
        return SpilledRows(
            num_rows=self.num_rows,
            held=held,
            runs=self._runs,
            ranges=self._ranges(),
            shift=self._shift,
            n_patients=self._n_patients,
            order=lambda table: _order(table, self._time_column),
            finished=finished,
        )

    def _ranges(self) -> list[tuple[int, int]]:
        """Join cells to ranges of at most ``bucket_rows`` rows, if no cell alone has more."""
        if not self._runs:
            return [(0, self._n_cells)]
        ends = np.sum([offsets[1:] for _, offsets in self._runs], axis=0)
        ranges = []
        first = before = 0
        while first < self._n_cells:
            # No bucket is without rows: a cell that alone has too many takes empty ones along.
            filled = ends[np.searchsorted(ends, before, side="right")]
            end = max(before + self._bucket_rows, int(filled))
            stop = int(np.searchsorted(ends, end, side="right"))
            ranges.append((first, stop))
            first, before = stop, int(ends[stop - 1])
        return ranges


class SpilledRows:
    """What a :class:`RowSorter` gives: rows held in memory, or slices of its run files."""

    def __init__(
        self,
        *,
        num_rows: int,
        held: pa.Table | None,
        runs: list[tuple[Path, Offsets]],
        ranges: list[tuple[int, int]],
        shift: int,
        n_patients: int,
        order: Callable[[pa.Table], pa.Table],
        finished: Callable[[pa.Table], pa.Table],
    ) -> None:
        self.num_rows = num_rows
        self._runs = runs
        self._ranges = ranges
        self._shift = shift
        self._n_patients = n_patients
        self._order = order
        self._finished = finished
        self._whole = None if held is None else finished(order(held))
        self.schema = (self._read(0, 0) if self._whole is None else self._whole).schema

    def buckets(self) -> Iterator[Bucket]:
        """Yield the buckets in order of patients."""
        if self._whole is not None:
            yield Bucket(first=0, stop=self._n_patients, rows=self._whole)
            return
        for first, stop in self._ranges:
            yield Bucket(
                first=first << self._shift,
                stop=min(stop << self._shift, self._n_patients),
                rows=self._read(first, stop),
            )

    def _read(self, first: int, stop: int) -> pa.Table:
        parts = [_copied(path, offsets[first], offsets[stop]) for path, offsets in self._runs]
        rows = pa.Table.from_batches(parts)
        parts.clear()
        rows = rows.combine_chunks()
        return self._finished(self._order(rows))


def _copied(path: Path, begin: np.int64, end: np.int64) -> pa.RecordBatch:
    """Copy rows of a run file into memory, letting go of its pages at once.

    Mapped pages count as memory of this process, and of hundreds of files they add up.
    """
    with pa.memory_map(str(path)) as source, pa.ipc.open_file(source) as reader:
        part = reader.get_batch(0).slice(int(begin), int(end - begin))
        return pa.ipc.read_record_batch(part.serialize(), part.schema)


def _order(table: pa.Table, time_column: str) -> pa.Table:
    codes = table[PATIENT_ID].to_numpy()
    time = table[time_column].combine_chunks()
    times = time.view(pa.int64()).to_numpy() if time.type.bit_width == 64 else time.to_numpy()  # noqa: PLR2004
    same = codes[1:] == codes[:-1]
    is_sorted = (codes[1:] > codes[:-1]) | (same & (times[1:] >= times[:-1]))
    if is_sorted.all():
        return table
    if times.dtype == np.int32:
        # One sort of one key, which is fast on runs that are in order already.
        keys = (codes.astype(np.int64) << 32) | times
        order = np.argsort(keys, kind="stable")
    else:
        order = np.lexsort((times, codes))
    return table.take(pa.array(order)).combine_chunks()
