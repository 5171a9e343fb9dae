"""The tables of a comparison, and how they are put together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

__all__ = [
    "DIFFERENCES_SCHEMA",
    "PROTOCOL_DIFF_SCHEMA",
    "SERIES_SCHEMA",
    "TESTS_SCHEMA",
    "joined",
]

TEXT = pa.dictionary(pa.int32(), pa.string())


def _numbers(*names: str) -> list[tuple[str, pa.DataType]]:
    return [(name, pa.float64()) for name in names]


SERIES_SCHEMA = pa.schema(
    [
        ("sim_id", TEXT),
        ("metric", TEXT),
        ("x", pa.float64()),
        ("n", pa.int64()),
        *_numbers("mean", "sd", "ci_low", "ci_high", "p10", "p25", "p50", "p75", "p90"),
        ("state", TEXT),
    ]
)
DIFFERENCES_SCHEMA = pa.schema(
    [
        ("metric", TEXT),
        ("reference", TEXT),
        ("comparator", TEXT),
        *_numbers("x", "difference", "ci_low", "ci_high", "p_value"),
        ("n_reference", pa.int64()),
        ("n_comparator", pa.int64()),
        ("state", TEXT),
    ]
)
TESTS_SCHEMA = pa.schema(
    [
        ("metric", TEXT),
        ("reference", TEXT),
        ("comparator", TEXT),
        ("time", pa.float64()),
        ("test", TEXT),
        *_numbers("statistic", "p_value", "p_holm", "p_bh"),
        ("effect", TEXT),
        *_numbers("effect_size", "effect_low", "effect_high"),
        ("state", TEXT),
        ("time_point", TEXT),
        ("n_reference", pa.int64()),
        ("n_comparator", pa.int64()),
        *_numbers("difference", "difference_low", "difference_high"),
    ]
)
PROTOCOL_DIFF_SCHEMA = pa.schema(
    [(name, TEXT) for name in ("reference", "comparator")]
    + [(name, pa.string()) for name in ("path", "old", "new", "unit")]
)


def joined(parts: Iterable[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    """Return one table of parts, in each of which text columns have one value for all rows."""
    tables = []
    for part in parts:
        n = next(len(column) for column in part.values() if not isinstance(column, str))
        columns = [
            _repeated(part[field.name], n)
            if isinstance(part[field.name], str)
            else pa.array(np.asarray(part[field.name]), field.type)
            for field in schema
        ]
        tables.append(pa.Table.from_arrays(columns, schema=schema))
    return pa.concat_tables([schema.empty_table(), *tables]).unify_dictionaries().combine_chunks()


def _repeated(text: str, n: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(n, np.int32)), pa.array([text]))
