"""The tables of a comparison, and how they are put together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

__all__ = [
    "COST_EFFECTIVENESS_SCHEMA",
    "DIFFERENCES_SCHEMA",
    "DISTRIBUTIONS_SCHEMA",
    "PROTOCOL_DIFF_SCHEMA",
    "SERIES_SCHEMA",
    "TESTS_SCHEMA",
    "joined",
]

TEXT = pa.dictionary(pa.int32(), pa.string())


def _numbers(*names: str) -> list[tuple[str, pa.DataType]]:
    return [(name, pa.float64()) for name in names]


_POPULATION = [("by", TEXT), ("subgroup", TEXT)]
"""Column of the patients and what those of a row have in it; both empty for all patients."""

SERIES_SCHEMA = pa.schema(
    [
        ("sim_id", TEXT),
        ("metric", TEXT),
        ("x", pa.float64()),
        ("n", pa.int64()),
        *_numbers("mean", "sd", "ci_low", "ci_high", "p10", "p25", "p50", "p75", "p90"),
        ("state", TEXT),
        *_POPULATION,
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
        *_POPULATION,
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
        *_POPULATION,
    ]
)
DISTRIBUTIONS_SCHEMA = pa.schema(
    [
        ("sim_id", TEXT),
        ("metric", TEXT),
        ("time", pa.float64()),
        ("time_point", TEXT),
        ("value", pa.float64()),
        ("count", pa.int64()),
        *_POPULATION,
    ]
)
COST_EFFECTIVENESS_SCHEMA = pa.schema(
    [
        ("reference", TEXT),
        ("comparator", TEXT),
        ("effect", TEXT),
        ("currency", TEXT),
        ("is_paired", pa.bool_()),
        ("n_reference", pa.int64()),
        ("n_comparator", pa.int64()),
        *_numbers(
            *("cost_reference", "cost_comparator", "effect_reference", "effect_comparator"),
            *("cost_per_letter_reference", "cost_per_letter_comparator"),
            *("d_cost", "d_cost_low", "d_cost_high"),
            *("d_effect", "d_effect_low", "d_effect_high"),
            *("var_d_cost", "var_d_effect", "cov_d_cost_d_effect"),
            *("icer", "icer_low", "icer_high"),
        ),
        ("icer_set", TEXT),
        *_numbers("p_less_costly", "p_more_effective"),
        ("dominance", TEXT),
        *_POPULATION,
    ]
)
PROTOCOL_DIFF_SCHEMA = pa.schema(
    [(name, TEXT) for name in ("reference", "comparator")]
    + [(name, pa.string()) for name in ("path", "old", "new", "unit")]
)


def joined(parts: Iterable[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    """Return one table of parts, in each of which text columns have one value for all rows.

    Columns are joined before they become Arrow's: a table for each of a thousand curves would
    take most of the time of a comparison.
    """
    listed = list(parts)
    if not listed:
        return schema.empty_table()
    lengths = [next(len(c) for c in part.values() if not isinstance(c, str)) for part in listed]
    columns = []
    for field in schema:
        own = [part[field.name] for part in listed]
        if pa.types.is_dictionary(field.type):
            columns.append(_repeated(own, lengths))
        else:
            columns.append(pa.array(np.concatenate(own), field.type))
    return pa.Table.from_arrays(columns, schema=schema)


def _repeated(texts: Sequence[str], lengths: Sequence[int]) -> pa.Array:
    codes = {text: code for code, text in enumerate(dict.fromkeys(texts))}
    indices = np.repeat([codes[text] for text in texts], lengths).astype(np.int32)
    return pa.DictionaryArray.from_arrays(pa.array(indices), pa.array([*codes], pa.string()))
