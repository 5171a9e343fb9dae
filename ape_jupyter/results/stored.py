"""Stored tables, read back row group by row group and checked as they pass."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ape_jupyter.errors import CorruptedDataError
from ape_jupyter.results.conversion import PATIENT_ID, BatchConversion
from ape_jupyter.results.digest import TableDigest, table_digest
from ape_jupyter.results.parquet_parts import BATCH_ROWS, parquet_file
from ape_jupyter.results.patient_rows import PatientRows
from ape_jupyter.results.schema import TableSpec
from ape_jupyter.results.sorting import Bucket

__all__ = ["StoredRows", "stored_table"]


def stored_table(path: Path, spec: TableSpec, digest: str) -> pa.Table:
    """Read a small table whole.

    Raises
    ------
    CorruptedDataError
        If it can not be read, or is not what the digest says.
    """
    with _readable(path) as file:
        conversion = BatchConversion(spec, file.schema_arrow)
        table = conversion.gather(file.iter_batches(batch_size=BATCH_ROWS))
        _refuse_faults(conversion, path)
    if table_digest(table) != digest:
        raise _other_data(path)
    return table


class StoredRows:
    """Visits or costs of an object; a row group of the file is a bucket.

    Raises
    ------
    CorruptedDataError
        If the file can not be read. That it holds other data than was stored is only known,
        and raised, at the end of :meth:`buckets`.
    """

    def __init__(self, path: Path, spec: TableSpec, digest: str, ids: pa.Array) -> None:
        self._path = path
        self._spec = spec
        self._digest = digest
        self._patients = PatientRows(ids)
        with _readable(path) as file:
            self.num_rows: int = file.metadata.num_rows
            raw = file.schema_arrow.empty_table()
            self.schema: pa.Schema = _converted(self._conversion(raw.schema), raw, path).schema

    def _conversion(self, schema: pa.Schema) -> BatchConversion:
        return BatchConversion(self._spec, schema, self._patients)

    def buckets(self) -> Iterator[Bucket]:
        """Yield the buckets in order of patients, and check them all at the end."""
        digest = TableDigest(self.schema)
        n_patients = len(self._patients.ids)
        first = 0
        with _readable(self._path) as file:
            conversion = self._conversion(file.schema_arrow)
            _learn_categories(conversion, file)
            n_groups = file.num_row_groups
            for group in range(n_groups):
                rows = _converted(conversion, file.read_row_group(group), self._path)
                stop = n_patients if group == n_groups - 1 else _last_patient(rows) + 1
                if rows.num_rows and not first <= _first_patient(rows) < stop:
                    raise _other_data(self._path)
                digest.add(rows)
                yield Bucket(first=first, stop=stop, rows=rows)
                first = stop
        # Parquet guards its pages with checksums, and its footer with none.
        if digest.hexdigest() != self._digest:
            raise _other_data(self._path)


def _learn_categories(conversion: BatchConversion, file: pq.ParquetFile) -> None:
    """Find all categories first: codes are positions among them, sorted."""
    names = conversion.category_columns
    if names:
        for batch in file.iter_batches(columns=names):
            conversion.learn(batch)


def _converted(conversion: BatchConversion, raw: pa.Table, path: Path) -> pa.Table:
    batches = raw.combine_chunks().to_batches() or [_empty_batch(raw.schema)]
    converted = [conversion.convert(batch) for batch in batches]
    _refuse_faults(conversion, path)
    return conversion.finish(pa.Table.from_batches(converted)).combine_chunks()


def _refuse_faults(conversion: BatchConversion, path: Path) -> None:
    if conversion.tally:
        detail = "; ".join(map(str, conversion.tally.faults()))
        raise CorruptedDataError(f"{_named(path)} is damaged: {detail}")


def _empty_batch(schema: pa.Schema) -> pa.RecordBatch:
    return pa.record_batch([pa.array([], type_) for type_ in schema.types], schema=schema)


def _first_patient(rows: pa.Table) -> int:
    return int(rows[PATIENT_ID].chunk(0).indices[0].as_py())


def _last_patient(rows: pa.Table) -> int:
    codes = rows[PATIENT_ID].chunk(0).indices
    return int(pc.max(codes).as_py()) if len(codes) else -1


@contextmanager
def _readable(path: Path) -> Iterator[pq.ParquetFile]:
    try:
        with path.open("rb") as raw:
            yield parquet_file(raw, page_checksum_verification=True)
    except (pa.ArrowException, OSError) as error:
        raise CorruptedDataError(f"{_named(path)} can not be read: {error}") from error


def _named(path: Path) -> str:
    return f"{path.name} of object {path.parent.name[:12]}"


def _other_data(path: Path) -> CorruptedDataError:
    return CorruptedDataError(f"{_named(path)} holds other data than was stored.")
