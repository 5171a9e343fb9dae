"""A digest of what a table says, independent of how a file format writes it.

Parquet bytes change with the version of their writer; equal results must keep equal names.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from hashlib import _Hash

__all__ = ["table_digest"]


def table_digest(table: pa.Table) -> str:
    """Return the sha256 of a canonical table's names, types and values, as hex.

    Each column contributes its validity, its lengths (text) and its values, each through a
    hash of its own, so the digest does not depend on how rows are cut into chunks.
    """
    digest = hashlib.sha256()
    for field, column in zip(table.schema, table.columns, strict=True):
        digest.update(f"{field.name}\0{field.type}\0{len(column)}\0".encode())
        for part in _column_parts(column):
            digest.update(part.digest())
    return digest.hexdigest()


def _column_parts(column: pa.ChunkedArray) -> list[_Hash]:
    validity, lengths, values = (hashlib.sha256() for _ in range(3))
    for chunk in column.chunks:
        if isinstance(chunk, pa.DictionaryArray):
            lengths.update(table_digest(pa.table({"categories": chunk.dictionary})).encode())
            chunk = chunk.indices
        if column.null_count:
            validity.update(_bytes(chunk.is_valid()))
        if pa.types.is_string(chunk.type):
            filled = chunk.fill_null("")
            lengths.update(_bytes(pc.binary_length(filled)))
            values.update(_text_bytes(filled))
        else:
            values.update(_bytes(chunk))
    return [validity, lengths, values]


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
