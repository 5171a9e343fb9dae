"""Raw tables, read batch by batch from wherever they lie."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ape_jupyter.errors import Fault

__all__ = ["BATCH_ROWS", "TableSource", "open_source", "parquet_file"]

BATCH_ROWS = 2**18
_READ_BUFFER_BYTES = 2**20
# These come as text that repeats: decoding their dictionaries once saves most of the reading.
_REPETITIVE = ("patient_id", "disease_state", "final_disease_state")
# A dictionary of so large a run's patients falls out of the processor's cache.
_MANY_ROWS = 4_000_000


@dataclass(slots=True, kw_only=True)
class TableSource:
    """A raw table that can be read once, in batches.

    Attributes
    ----------
    n_rows : int
        How many rows there should be.
    faults : list of Fault
        Filled when reading fails in the middle; the batches end then.
    broken : bool
        Whether that happened.
    """

    schema: pa.Schema
    n_rows: int
    faults: list[Fault]
    _batches: Iterator[pa.RecordBatch]
    _name: str | None = None
    broken: bool = False

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the batches."""
        if self._name is None:
            yield from self._batches
            return
        n_read = 0
        while True:
            try:
                batch = next(self._batches, None)
                if batch is not None:
                    batch.validate()
                elif n_read != self.n_rows:
                    raise pa.ArrowInvalid(f"{n_read:,} rows of {self.n_rows:,} are there")
            except (pa.ArrowException, OSError, ValueError) as error:
                self.faults.append(_unreadable(self._name, error))
                self.broken = True
                return
            if batch is None:
                return
            n_read += len(batch)
            yield batch


@contextmanager
def open_source(source: Path | pa.Table, faults: list[Fault]) -> Iterator[TableSource | None]:
    """Open a raw table; None, with a fault, when it is not there or not readable."""
    if isinstance(source, pa.Table):
        batches = iter(source.to_batches(max_chunksize=BATCH_ROWS))
        yield TableSource(
            schema=source.schema, n_rows=source.num_rows, faults=faults, _batches=batches
        )
        return
    try:
        raw = source.open("rb")
    except FileNotFoundError:
        faults.append(Fault(source.name, "is missing"))
        yield None
        return
    except OSError as error:
        faults.append(_unreadable(source.name, error))
        yield None
        return
    with raw:
        try:
            opened: TableSource | None = _opened(raw, source.name, faults)
        except (pa.ArrowException, OSError, ValueError) as error:
            faults.append(_unreadable(source.name, error))
            opened = None
        yield opened


def _opened(raw: Any, name: str, faults: list[Fault]) -> TableSource:
    metadata = pq.read_metadata(raw)
    schema, is_large = metadata.schema.to_arrow_schema(), metadata.num_rows > _MANY_ROWS
    raw.seek(0)
    repetitive = [
        column
        for column in _REPETITIVE
        if schema.names.count(column) == 1 and not (is_large and column == "patient_id")
    ]
    texts = [column for column in repetitive if _is_stored_text(schema.field(column).type)]
    file = parquet_file(raw, read_dictionary=texts)
    return TableSource(
        schema=file.schema_arrow,
        n_rows=file.metadata.num_rows,
        faults=faults,
        _batches=file.iter_batches(batch_size=BATCH_ROWS),
        _name=name,
    )


def parquet_file(raw: Any, **options: Any) -> pq.ParquetFile:
    """Open Parquet such that a row group passes through a buffer, never whole."""
    # Buffering ahead would keep the compressed bytes of all row groups until the end.
    return pq.ParquetFile(raw, pre_buffer=False, buffer_size=_READ_BUFFER_BYTES, **options)


def _is_stored_text(type_: pa.DataType) -> bool:
    return bool(pa.types.is_string(type_) or pa.types.is_large_string(type_))


def _unreadable(name: str, error: Exception) -> Fault:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return Fault(name, f"is not a readable Parquet file: {reason}")
