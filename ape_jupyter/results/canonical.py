"""Raw tables in, canonical tables out; every fault is found, none is mended silently."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ape_jupyter.errors import Fault
from ape_jupyter.results.conversion import PATIENT_ID, BatchConversion
from ape_jupyter.results.digest import TableDigest, table_digest
from ape_jupyter.results.patient_rows import PatientRows
from ape_jupyter.results.schema import COSTS, PATIENTS, RESOURCES, VISITS, TableSpec
from ape_jupyter.results.sorting import (
    BUCKET_ROWS,
    Bucket,
    BucketObserver,
    RowSorter,
    SortedRows,
    SpilledRows,
)
from ape_jupyter.results.sources import TableSource, open_source

__all__ = ["SORTED_BY", "ResultTables", "RunTables", "canonical_tables"]

SORTED_BY = {"visits": "time_days", "costs": "date"}
"""The tables with rows for each patient, and what those are sorted by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultTables:
    """Canonical tables in memory: those of a run, or of some of its patients.

    Attributes
    ----------
    patients : pyarrow.Table
        Sorted by ``patient_id``.
    visits : pyarrow.Table
        Sorted by patient and ``time_days``; the codes of ``patient_id`` are row numbers of
        ``patients``, so that one patient's visits are found by bisection.
    costs, resources : pyarrow.Table or None
    """

    patients: pa.Table
    visits: pa.Table
    costs: pa.Table | None = None
    resources: pa.Table | None = None

    def items(self) -> Iterator[tuple[str, pa.Table]]:
        """Yield name and table of each table that the run has."""
        for name in ("patients", "visits", "costs", "resources"):
            table = getattr(self, name)
            if table is not None:
                yield name, table


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTables:
    """The canonical tables of a run, of which visits and costs come in buckets."""

    patients: pa.Table
    visits: SortedRows
    costs: SortedRows | None = None
    resources: pa.Table | None = None

    def items(self) -> Iterator[tuple[str, pa.Table | SortedRows]]:
        """Yield name and content of each table that the run has."""
        for name in ("patients", "visits", "costs", "resources"):
            content = getattr(self, name)
            if content is not None:
                yield name, content

    def streams(self) -> dict[str, pa.Table | pa.RecordBatchReader]:
        """Return the tables by name, with visits and costs as streams of their buckets."""
        return {
            name: content if isinstance(content, pa.Table) else _stream(content)
            for name, content in self.items()
        }

    def observe(self, observers: Sequence[BucketObserver]) -> None:
        """Tell observers all buckets of visits."""
        for bucket in self.visits.buckets():
            rows = bucket.localised()
            for observer in observers:
                observer.add(self.patients_of(bucket), rows)

    def patients_of(self, bucket: Bucket) -> pa.Table:
        """Return the patients of a bucket."""
        return self.patients.slice(bucket.first, bucket.stop - bucket.first)

    def digests(self) -> dict[str, str]:
        """Return the digest of each table."""
        found = {}
        for name, content in self.items():
            if isinstance(content, pa.Table):
                found[name] = table_digest(content)
                continue
            digest = TableDigest(content.schema)
            for bucket in content.buckets():
                digest.add(bucket.rows)
            found[name] = digest.hexdigest()
        return found

    def in_memory(self) -> ResultTables:
        """Return all tables whole, whatever that takes."""
        read = {
            name: stream if isinstance(stream, pa.Table) else stream.read_all()
            for name, stream in self.streams().items()
        }
        return ResultTables(**{name: table.combine_chunks() for name, table in read.items()})


def _stream(rows: SortedRows) -> pa.RecordBatchReader:
    batches = (batch for bucket in rows.buckets() for batch in bucket.rows.to_batches())
    return pa.RecordBatchReader.from_batches(rows.schema, batches)


def canonical_tables(
    raw: Mapping[str, Path | pa.Table],
    scratch: Path,
    faults: list[Fault],
    *,
    bucket_rows: int = BUCKET_ROWS,
    on_rows: Callable[[int, int], None] | None = None,
) -> RunTables | None:
    """Check raw tables and bring them into canonical types and order.

    Parameters
    ----------
    raw : mapping
        Tables, or paths to Parquet, by name; ``costs`` and ``resources`` may be absent.
    scratch : Path
        A private directory for what does not fit into memory, which has to be there as long
        as the result is used.
    faults : list of Fault
        Every fault that is found is appended.
    bucket_rows : int
        How many rows of visits are in memory at a time.
    on_rows : callable, optional
        Told how many visits of how many have been read. What it raises stops the work.

    Returns
    -------
    RunTables or None
        None when any fault was appended.
    """
    before = len(faults)
    patients = _by_id(_small_table(raw.get("patients"), PATIENTS, faults), faults)
    rows = None if patients is None else PatientRows(patients[PATIENT_ID].combine_chunks())
    content: dict[str, Any] = {"patients": patients}
    for spec in (VISITS, COSTS):
        if spec.name in raw:
            follow = on_rows if spec is VISITS else None
            content[spec.name] = _sorted_table(
                raw[spec.name], spec, rows, faults, _Sorting(scratch, bucket_rows, follow)
            )
    resources = _small_table(raw.get("resources"), RESOURCES, faults)
    if len(faults) > before or content.get("visits") is None or patients is None:
        return None
    if resources is not None:
        content["resources"] = _in_order(resources, pc.sort_indices(resources["date"]))
    return RunTables(**content)


@dataclass(frozen=True, slots=True)
class _Sorting:
    scratch: Path
    bucket_rows: int
    on_rows: Callable[[int, int], None] | None


def _sorted_table(
    source: Path | pa.Table,
    spec: TableSpec,
    patients: PatientRows | None,
    faults: list[Fault],
    sorting: _Sorting,
) -> SpilledRows | None:
    with open_source(source, faults) as opened:
        if opened is None:
            return None
        conversion = BatchConversion(spec, opened.schema, patients)
        sorter = None
        # A run that is refused anyway is read for the rest of its faults, and not sorted.
        if patients is not None and not faults:
            time_column = SORTED_BY[spec.name]
            n_patients = len(patients.ids)
            sorter = RowSorter(
                spec.name, n_patients, time_column, sorting.scratch, sorting.bucket_rows
            )
        counted = _Counted(opened)
        for batch in counted:
            converted = conversion.convert(batch)
            if converted is not None and sorter is not None:
                sorter.add(converted)
            if sorting.on_rows:
                sorting.on_rows(counted.n_rows, opened.n_rows)
        _tell(counted.n_rows, opened, conversion, faults)
    return None if sorter is None or faults else sorter.finish(conversion.finish)


def _small_table(
    source: Path | pa.Table | None, spec: TableSpec, faults: list[Fault]
) -> pa.Table | None:
    """Read a table that is small enough to be held, as far as its columns are usable."""
    if source is None:
        return None
    with open_source(source, faults) as opened:
        if opened is None:
            return None
        flat = _flatten_usage if spec is RESOURCES else _unchanged
        conversion = BatchConversion(spec, flat(opened.schema.empty_table()).schema)
        counted = _Counted(opened)
        table = conversion.gather(
            part for batch in counted for part in flat(pa.Table.from_batches([batch])).to_batches()
        )
        _tell(counted.n_rows, opened, conversion, faults)
    # What reading took is many times what is kept, and the visits are still to come.
    pa.default_memory_pool().release_unused()
    return table


class _Counted:
    """Iterates over the batches of a source and counts their rows."""

    def __init__(self, source: TableSource) -> None:
        self._source = source
        self.n_rows = 0

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        for batch in self._source.batches():
            self.n_rows += len(batch)
            yield batch


def _tell(
    n_read: int, source: TableSource, conversion: BatchConversion, faults: list[Fault]
) -> None:
    if n_read == 0 and not source.broken:
        conversion.tally.whole("has no rows")
    faults += conversion.tally.faults()


def _unchanged(table: pa.Table) -> pa.Table:
    return table


def _flatten_usage(table: pa.Table) -> pa.Table:
    """Turn APE's ``usage`` struct (role to count) into one column for each role."""
    if "usage" not in table.column_names or not pa.types.is_struct(
        table.schema.field("usage").type
    ):
        return table
    usage = table["usage"].combine_chunks()
    kept = {name: table[name] for name in table.column_names if name != "usage"}
    roles = {usage.type.field(i).name: usage.field(i) for i in range(usage.type.num_fields)}
    return pa.table({**kept, **{name: roles[name] for name in roles if name not in kept}})


def _by_id(patients: pa.Table | None, faults: list[Fault]) -> pa.Table | None:
    """Sort patients by id; None when their ids do not tell them apart."""
    if patients is None or PATIENT_ID not in patients.column_names:
        return None
    ids = patients[PATIENT_ID].combine_chunks()
    if ids.null_count:
        return None
    if len(ids) > 1 and not pc.all(pc.less(ids[:-1], ids[1:])).as_py():
        patients = _in_order(patients, pc.sort_indices(ids))
        ids = patients[PATIENT_ID].combine_chunks()
        repeated = pc.sum(pc.equal(ids[1:], ids[:-1])).as_py()
        if repeated:
            problem = "the same patient is there again"
            faults.append(Fault("patients", problem, PATIENT_ID, repeated))
            return None
    return patients


def _in_order(table: pa.Table, order: pa.Array) -> pa.Table:
    # One column after the other: of a large table only one is there twice.
    return pa.table({name: table[name].take(order).combine_chunks() for name in table.column_names})
