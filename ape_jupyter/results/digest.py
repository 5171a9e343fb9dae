"""A digest of what a table says, independent of how a file format writes it.

Parquet bytes change with the version of their writer; equal results must keep equal names.
"""

from __future__ import annotations

import hashlib

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["TableDigest", "table_digest"]

_ONES = memoryview(bytes([1]) * 2**16)


def table_digest(table: pa.Table) -> str:
    """Return the digest of a table in memory."""
    digest = TableDigest(table.schema)
    digest.add(table.unify_dictionaries())
    return digest.hexdigest()


class TableDigest:
    """The sha256 of a canonical table's names, types and values.

    Each column contributes its validity, its lengths (text) and its values, each through a
    hash of its own, so the digest does not depend on how rows are cut into chunks.
    """

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = schema
        self._columns = [_ColumnDigest() for _ in schema]
        self._n_rows = 0

    def add(self, table: pa.Table) -> None:
        """Take the next rows."""
        self._n_rows += table.num_rows
        for digest, column in zip(self._columns, table.columns, strict=True):
            for chunk in column.chunks:
                digest.add(chunk)

    def hexdigest(self) -> str:
        """Return the digest of all rows so far, as hex."""
        digest = hashlib.sha256()
        for field, column in zip(self._schema, self._columns, strict=True):
            digest.update(f"{field.name}\0{field.type}\0{self._n_rows}\0".encode())
            for part in column.parts():
                digest.update(part)
        return digest.hexdigest()


class _ColumnDigest:
    def __init__(self) -> None:
        self._validity, self._lengths, self._values = (hashlib.sha256() for _ in range(3))
        self._has_nulls = False
        self._n_rows = 0
        self._categories: pa.Array | None = None

    def add(self, chunk: pa.Array) -> None:
        if isinstance(chunk, pa.DictionaryArray):
            self._add_categories(chunk.dictionary)
            chunk = chunk.indices
        if chunk.null_count and not self._has_nulls:
            self._has_nulls = True
            self._add_valid(self._n_rows)
        if chunk.null_count:
            self._validity.update(_bytes(chunk.is_valid()))
        elif self._has_nulls:
            self._add_valid(len(chunk))
        self._n_rows += len(chunk)
        if pa.types.is_string(chunk.type):
            filled = chunk.fill_null("")
            self._lengths.update(_bytes(pc.binary_length(filled)))
            self._values.update(_text_bytes(filled))
        else:
            self._values.update(_bytes(chunk))

    def _add_valid(self, count: int) -> None:
        # A column without nulls has an empty hash here; the first null brings the rows before.
        for start in range(0, count, len(_ONES)):
            self._validity.update(_ONES[: count - start])

    def _add_categories(self, categories: pa.Array) -> None:
        if self._categories is None:
            self._categories = categories
            self._lengths.update(table_digest(pa.table({"categories": categories})).encode())
        elif not categories.equals(self._categories):
            raise ValueError("The chunks of a column have different categories.")

    def parts(self) -> list[bytes]:
        return [part.digest() for part in (self._validity, self._lengths, self._values)]


def _bytes(array: pa.Array) -> memoryview:
    if pa.types.is_temporal(array.type):
        array = array.cast(pa.int64())
    if array.null_count:
        array = array.fill_null(False if pa.types.is_boolean(array.type) else 0)
    numbers = array.to_numpy(zero_copy_only=False)
    return np.ascontiguousarray(numbers).view(np.uint8).data


def _text_bytes(array: pa.Array) -> memoryview:
    _, offsets_buffer, data = array.buffers()
    if data is None or len(array) == 0:
        return memoryview(b"")
    offsets = np.frombuffer(offsets_buffer, np.int32)[array.offset : array.offset + len(array) + 1]
    return memoryview(data)[int(offsets[0]) : int(offsets[-1])]
