"""Tables in Parquet, read batch by batch: one file, or a directory of part files."""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ape_jupyter.errors import Fault

__all__ = ["BATCH_ROWS", "ParquetParts", "join_parts", "parquet_file", "part_files", "unreadable"]

BATCH_ROWS = 2**18
_READ_BUFFER_BYTES = 2**20
# These come as text that repeats: decoding their dictionaries once saves most of the reading.
_REPETITIVE = ("patient_id", "disease_state", "final_disease_state")
# A dictionary of so large a run's patients falls out of the processor's cache.
_MANY_ROWS = 4_000_000
_PART_SUFFIXES = (".parquet", ".parq", ".pq")


def parquet_file(raw: Any, **options: Any) -> pq.ParquetFile:
    """Open Parquet such that a row group passes through a buffer, never whole."""
    # Buffering ahead would keep the compressed bytes of all row groups until the end.
    return pq.ParquetFile(raw, pre_buffer=False, buffer_size=_READ_BUFFER_BYTES, **options)


def unreadable(name: str, error: Exception) -> Fault:
    """Say that a file is no Parquet."""
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return Fault(name, f"is not a readable Parquet file: {reason}")


def part_files(directory: Path, faults: list[Fault]) -> list[Path]:
    """Return the part files of a dataset in the order of their numbers.

    Files that begin with ``_`` or ``.`` are notes of the program that wrote the dataset. Of
    anything else, rows could be missed, so that it is a fault.
    """
    entries = sorted(directory.iterdir(), key=lambda path: _by_number(path.name))
    shown = [path for path in entries if not path.name.startswith(("_", "."))]
    parts = []
    for path in shown:
        if path.is_dir():
            problem = f"holds the directory {path.name!r}; a dataset in partitions is not read"
            faults.append(Fault(directory.name, problem))
        elif not path.is_file() or path.suffix not in _PART_SUFFIXES:
            problem = f"holds {path.name!r}, which is no Parquet file ({', '.join(_PART_SUFFIXES)})"
            faults.append(Fault(directory.name, problem))
        else:
            parts.append(path)
    if not shown:
        faults.append(Fault(directory.name, "holds no Parquet files"))
    return parts


def _by_number(name: str) -> list[tuple[int, str]]:
    # Part 10 comes after part 9, as its rows do: rows of the same day keep their order.
    return [
        (int(piece), "") if piece.isdecimal() else (0, piece)
        for piece in re.split(r"([0-9]+)", name)
    ]


class ParquetParts:
    """Parquet files that together are one table.

    Parameters
    ----------
    paths : sequence of Path
        At least one, in the order of their rows.
    directory : Path or None
        What they are in, when they are the parts of a dataset.

    Attributes
    ----------
    schema : pyarrow.Schema
        That of all parts: a column may be of whole numbers here and of others there.
    reading : str
        How messages name the file that is being read.

    Raises
    ------
    pyarrow.ArrowException, OSError, ValueError
        If a file can not be read, or has other columns than the first one.
    """

    def __init__(self, paths: Sequence[Path], directory: Path | None = None) -> None:
        self._paths = paths
        self._directory = directory
        self.reading = ""
        self.n_rows = 0
        schemas = []
        for path in paths:
            with self._opened(path) as raw:
                metadata = pq.read_metadata(raw)
            schemas.append(metadata.schema.to_arrow_schema())
            if set(schemas[-1].names) != set(schemas[0].names):
                raise ValueError(f"its columns are others than those of {paths[0].name}")
            self.n_rows += metadata.num_rows
        self._texts = self._repetitive(schemas)
        self.schema = schemas[0] if len(schemas) == 1 else _common(schemas)

    def _opened(self, path: Path) -> Any:
        self.reading = f"{self._directory.name}/{path.name}" if self._directory else path.name
        return path.open("rb")

    def _repetitive(self, schemas: Sequence[pa.Schema]) -> list[str]:
        is_large = self.n_rows > _MANY_ROWS
        return [
            column
            for column in _REPETITIVE
            if all(schema.names.count(column) == 1 for schema in schemas)
            and not (is_large and column == "patient_id")
            and all(_is_stored_text(schema.field(column).type) for schema in schemas)
        ]

    def batches(self, columns: Sequence[str] | None = None) -> Generator[pa.RecordBatch]:
        """Yield the rows of all parts, with their columns in the order of the schema.

        Raises
        ------
        pyarrow.ArrowException, OSError, ValueError
            If a file can not be read.
        """
        for path in self._paths:
            with self._opened(path) as raw:
                file = parquet_file(raw, read_dictionary=self._texts)
                order = None
                if columns is None and file.schema_arrow.names != self.schema.names:
                    order = self.schema.names
                for batch in file.iter_batches(batch_size=BATCH_ROWS, columns=columns):
                    yield batch if order is None else batch.select(order)


def join_parts(directory: Path, target: Path, faults: list[Fault]) -> bool:
    """Write the parts of a dataset as one file; False, with faults, when they are not readable."""
    before = len(faults)
    paths = part_files(directory, faults)
    if len(faults) > before:
        return False
    try:
        parts = ParquetParts(paths, directory)
        with pq.ParquetWriter(target, parts.schema, compression="zstd") as writer:
            for batch in parts.batches():
                writer.write_batch(batch.cast(parts.schema))
    except (pa.ArrowException, ValueError) as error:
        faults.append(unreadable(directory.name, error))
    return len(faults) == before


def _common(schemas: Sequence[pa.Schema]) -> pa.Schema:
    """Return the schema that holds the columns of all, in the order of the first."""
    categories = {
        name
        for name in schemas[0].names
        if all(pa.types.is_dictionary(schema.field(name).type) for schema in schemas)
    }
    plain = [
        pa.schema([(f.name, f.type if f.name in categories else _values_of(f.type)) for f in s])
        for s in schemas
    ]
    return pa.unify_schemas(plain, promote_options="permissive")


def _values_of(type_: pa.DataType) -> pa.DataType:
    return type_.value_type if pa.types.is_dictionary(type_) else type_


def _is_stored_text(type_: pa.DataType) -> bool:
    return bool(pa.types.is_string(type_) or pa.types.is_large_string(type_))
