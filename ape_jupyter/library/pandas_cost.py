"""What tables would take as pandas DataFrames, told from their types without converting them."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version

import numpy as np
import pyarrow as pa

__all__ = ["pandas_bytes"]

_POINTER_BYTES = 8
_TEXT_OBJECT_BYTES = 49


def pandas_bytes(table: pa.Table) -> int:
    """Return the estimated bytes of ``table.to_pandas()``, its index not counted."""
    return sum(map(_column_bytes, table.columns))


def _column_bytes(column: pa.ChunkedArray) -> int:
    kind, length = column.type, len(column)
    if pa.types.is_dictionary(kind):
        if not column.num_chunks:
            return 0
        categories = column.chunk(0).dictionary
        # pandas takes the narrowest codes that hold all categories.
        codes = np.min_scalar_type(-max(len(categories), 1)).itemsize
        return length * codes + _text_bytes(categories)
    if pa.types.is_boolean(kind):
        return length * (_POINTER_BYTES if column.null_count else 1)
    if pa.types.is_integer(kind) and column.null_count:
        return length * np.dtype(np.float64).itemsize
    if pa.types.is_floating(kind) or pa.types.is_integer(kind):
        return length * int(kind.bit_width) // 8
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _text_bytes(column)
    return length * _POINTER_BYTES


def _text_bytes(texts: pa.Array | pa.ChunkedArray) -> int:
    each = _POINTER_BYTES + (_TEXT_OBJECT_BYTES if _texts_are_objects() else 0)
    offsets = np.dtype(np.int32).itemsize
    return int(len(texts) * each + max(texts.nbytes - len(texts) * offsets, 0))


@cache
def _texts_are_objects() -> bool:
    """Tell whether pandas makes an object of every text, as it did before version 3."""
    return int(version("pandas").partition(".")[0]) < 3  # noqa: PLR2004
