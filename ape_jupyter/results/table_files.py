"""The tables of an object, written as Parquet and digested in the same pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ape_jupyter.results.canonical import RunTables
from ape_jupyter.results.digest import TableDigest, table_digest
from ape_jupyter.results.sorting import BucketObserver

__all__ = ["write_tables"]

PARQUET_OPTIONS: Mapping[str, Any] = {
    "compression": "zstd",
    # A flipped bit inside a compressed page otherwise reads back as other values.
    "write_page_checksum": True,
}


def write_tables(
    directory: Path | None,
    tables: RunTables,
    observers: Sequence[BucketObserver],
    on_rows: Callable[[int, int], None] | None,
) -> dict[str, str]:
    """Write the tables, tell observers the visits, and return the digest of each table.

    Parameters
    ----------
    directory : Path or None
        None when nothing is to be written: the tables stay where they are.
    """
    digests = {}
    for name, content in tables.items():
        with _parquet_file(directory and directory / f"{name}.parquet", content.schema) as write:
            if isinstance(content, pa.Table):
                write(content, None)
                digests[name] = table_digest(content)
                continue
            digest = TableDigest(content.schema)
            n_written = 0
            for bucket in content.buckets():
                rows = bucket.localised()
                digest.add(bucket.rows)
                write(rows, max(rows.num_rows, 1))
                n_written += rows.num_rows
                if name != "visits":
                    continue
                for observer in observers:
                    observer.add(tables.patients_of(bucket), rows)
                if on_rows:
                    on_rows(n_written, content.num_rows)
        digests[name] = digest.hexdigest()
    return digests


@contextmanager
def _parquet_file(
    path: Path | None, schema: pa.Schema
) -> Iterator[Callable[[pa.Table, int | None], None]]:
    if path is None:
        yield lambda _table, _rows: None
        return
    with pq.ParquetWriter(path, schema, **PARQUET_OPTIONS) as writer:
        yield lambda table, rows: writer.write_table(table, row_group_size=rows)
