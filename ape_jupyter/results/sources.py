"""Raw tables, read batch by batch from wherever they lie."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from ape_jupyter.errors import Fault
from ape_jupyter.results.parquet_parts import BATCH_ROWS, ParquetParts, part_files, unreadable

__all__ = ["TableSource", "open_source"]


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
    _parts: ParquetParts | None = None
    broken: bool = False

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the batches."""
        if self._parts is None:
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
                self.faults.append(unreadable(self._parts.reading, error))
                self.broken = True
                return
            if batch is None:
                return
            n_read += len(batch)
            yield batch


@contextmanager
def open_source(
    source: Path | pa.Table, faults: list[Fault], columns: Sequence[str] | None = None
) -> Iterator[TableSource | None]:
    """Open a raw table; None, with a fault, when it is not there or not readable.

    Parameters
    ----------
    source : Path or pyarrow.Table
        A path is that of a Parquet file, or of a directory of part files.
    columns : sequence of str, optional
        Those that are read; by default all.
    """
    if isinstance(source, pa.Table):
        some = source if columns is None else source.select(columns)
        batches = iter(some.to_batches(max_chunksize=BATCH_ROWS))
        yield TableSource(
            schema=source.schema, n_rows=source.num_rows, faults=faults, _batches=batches
        )
        return
    parts = _parts(source, faults)
    if parts is None:
        yield None
        return
    with closing(parts.batches(columns)) as batches:
        yield TableSource(
            schema=parts.schema, n_rows=parts.n_rows, faults=faults, _batches=batches, _parts=parts
        )


def _parts(source: Path, faults: list[Fault]) -> ParquetParts | None:
    before = len(faults)
    try:
        is_dataset = source.is_dir()
        paths = part_files(source, faults) if is_dataset else [source]
        if len(faults) > before:
            return None
        return ParquetParts(paths, source if is_dataset else None)
    except FileNotFoundError:
        faults.append(Fault(source.name, "is missing"))
    except (pa.ArrowException, OSError, ValueError) as error:
        faults.append(unreadable(source.name, error))
    return None
