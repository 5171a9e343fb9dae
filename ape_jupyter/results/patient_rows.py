"""Which row of the patients table an id is."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ape_jupyter.results.casting import distinct, is_text

__all__ = ["PatientRows"]

Rows: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]

# Longer ids would need a matrix much larger than their text.
MAX_WIDTH = 64
_PADDED_AT_ONCE = 2**16
_MOSTLY = 0.9


class PatientRows:
    """Finds the rows of ids by bisection, without a hash table as large as the run.

    Parameters
    ----------
    ids : pyarrow.Array
        Different ids in ascending order.
    """

    def __init__(self, ids: pa.Array) -> None:
        self.ids = ids
        self._padded = _padded(ids) if len(ids) else None

    def encode(self, values: pa.Array) -> tuple[pa.Array, int]:
        """Return the row numbers of a batch of ids, null where unknown, and how many are."""
        if is_text(values.type) and len(values) and not values.null_count:
            rows = self._encode_runs(values)
            if rows is not None:
                numbers = pa.array(rows.astype(np.int32), mask=rows < 0)
                return numbers, numbers.null_count
        codes, texts = distinct(values)
        rows = self._find(texts)
        numbers = pa.array(rows.astype(np.int32), mask=rows < 0).take(codes)
        return numbers, numbers.null_count - codes.null_count

    def _encode_runs(self, values: pa.Array) -> Rows | None:
        """Look ids up where they change; None when they come in no order.

        A bisection that goes on from the one before stays in the processor's cache, which a hash
        table of a million ids does not fit into.
        """
        changes = pc.not_equal(values[1:], values[:-1]).to_numpy(zero_copy_only=False)
        first = np.flatnonzero(np.append(True, changes))
        texts = values.take(pa.array(first)).cast(pa.string())
        ascending = pc.sum(pc.less(texts[:-1], texts[1:])).as_py() or 0
        if ascending < (len(texts) - 1) * _MOSTLY:
            return None
        return np.repeat(self._find(texts), np.diff(first, append=len(values)))

    def _find(self, texts: pa.Array) -> Rows:
        if len(texts) == 0:
            return np.zeros(0, np.int64)
        wanted = _padded(texts) if self._padded is not None else None
        if self._padded is None or wanted is None:
            return _hashed(texts, self.ids)
        rows = np.searchsorted(self._padded, wanted)
        rows = np.minimum(rows, len(self.ids) - 1).astype(np.int64)
        # Padding makes an id equal to itself followed by NUL; only the texts decide.
        right = pc.equal(self.ids.take(pa.array(rows)), texts).to_numpy(zero_copy_only=False)
        rows[~right] = -1
        doubtful = ~right & pc.ends_with(texts, "\0").to_numpy(zero_copy_only=False)
        if doubtful.any():
            rows[doubtful] = _hashed(texts.filter(pa.array(doubtful)), self.ids)
        return rows


def _hashed(texts: pa.Array, ids: pa.Array) -> Rows:
    found = pc.index_in(texts, value_set=ids).fill_null(-1)
    rows: Rows = found.to_numpy(zero_copy_only=False).astype(np.int64)
    return rows


def _padded(texts: pa.Array) -> np.ndarray[Any, Any] | None:
    """Return texts as bytes of one width, which sort as the texts do; None if too long."""
    lengths = pc.binary_length(texts).to_numpy(zero_copy_only=False)
    width = max(int(lengths.max()), 1)
    if width > MAX_WIDTH:
        return None
    _, offsets_buffer, data = texts.buffers()
    offsets = np.frombuffer(offsets_buffer, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    letters = np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)
    if lengths.min() == width:
        return letters[offsets[0] : offsets[-1]].view(f"S{width}")
    padded = np.zeros((len(texts), width), np.uint8)
    for start in range(0, len(texts), _PADDED_AT_ONCE):
        part = slice(start, min(start + _PADDED_AT_ONCE, len(texts)))
        filled = np.arange(width) < lengths[part, None]
        padded[part][filled] = letters[offsets[part.start] : offsets[part.stop]]
    return padded.view(f"S{width}")[:, 0]
