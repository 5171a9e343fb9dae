"""Comparisons to JSON and back: tables become columns, days of the calendar become dates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.library.comparison import ComparisonResult
from ape_jupyter.model.comparison import TimeAlignment
from ape_jupyter.wire.compared import Comparison
from ape_jupyter.wire.encoding import JSON, decode, encode

__all__ = ["comparison_message", "comparison_result", "encode_columns"]

_EPOCH = date(1970, 1, 1)
_TIMES = {"x", "time"}
_TABLES = (
    "series",
    "differences",
    "tests",
    "distributions",
    "cost_effectiveness",
    "protocol_diff",
)


def comparison_message(result: ComparisonResult) -> JSON:
    """Return the JSON of a :class:`~ape_jupyter.wire.compared.Comparison`."""
    dated = result.request.time_alignment is TimeAlignment.ABSOLUTE
    tables = {name: encode_columns(getattr(result, name), dated=dated) for name in _TABLES}
    names = ("request", "runs", "metrics", "missing", "notes", "provenance")
    return {name: encode(getattr(result, name)) for name in names} | tables


def comparison_result(data: JSON) -> ComparisonResult:
    """Return the result that a server has encoded."""
    # A kernel that only lists runs does not need the statistics.
    from ape_jupyter.services.compare import (
        COST_EFFECTIVENESS_SCHEMA,
        DIFFERENCES_SCHEMA,
        DISTRIBUTIONS_SCHEMA,
        PROTOCOL_DIFF_SCHEMA,
        SERIES_SCHEMA,
        TESTS_SCHEMA,
    )

    message = decode(Comparison, data, unknown="ignore", name="comparison")
    return ComparisonResult(
        request=message.request,
        runs=message.runs,
        metrics=message.metrics,
        series=_table(encode(message.series), SERIES_SCHEMA),
        differences=_table(encode(message.differences), DIFFERENCES_SCHEMA),
        tests=_table(encode(message.tests), TESTS_SCHEMA),
        distributions=_table(encode(message.distributions), DISTRIBUTIONS_SCHEMA),
        cost_effectiveness=_table(encode(message.cost_effectiveness), COST_EFFECTIVENESS_SCHEMA),
        protocol_diff=_table(encode(message.protocol_diff), PROTOCOL_DIFF_SCHEMA),
        missing=message.missing,
        notes=message.notes,
        provenance=message.provenance,
    )


def encode_columns(table: pa.Table, *, dated: bool = False) -> dict[str, list[Any]]:
    """Return the columns of a table as lists; NaN becomes null.

    Parameters
    ----------
    dated : bool
        Whether ``x`` and ``time`` count days since 1970-01-01, to be sent as ISO dates.
    """
    columns = {name: _encoded(table[name]) for name in table.column_names}
    if dated:
        for name in _TIMES & columns.keys():
            columns[name] = [(_EPOCH + timedelta(days=d)).isoformat() for d in columns[name]]
    return columns


def _encoded(column: pa.ChunkedArray) -> list[Any]:
    """Return JSON values; of numbers all at once, as there are a hundred thousand of them."""
    if pa.types.is_floating(column.type) and not column.null_count:
        numbers = column.to_numpy()
        finite = np.isfinite(numbers)
        values: list[Any] = numbers.tolist()
        for place in np.flatnonzero(~finite).tolist():
            values[place] = None
        return values
    if pa.types.is_integer(column.type) or pa.types.is_boolean(column.type):
        return list(column.to_pylist())
    if pa.types.is_dictionary(column.type):
        own = column.unify_dictionaries().combine_chunks()
        parts = own.chunks if isinstance(own, pa.ChunkedArray) else [own]
        texts = [encode(part.dictionary.to_pylist()) for part in parts]
        return [
            None if code is None else names[code]
            for part, names in zip(parts, texts, strict=True)
            for code in part.indices.to_pylist()
        ]
    return list(encode(column.to_pylist()))


def _table(columns: Mapping[str, Sequence[Any]], schema: pa.Schema) -> pa.Table:
    arrays = []
    for field in schema:
        values = list(columns[field.name])
        if field.name in _TIMES:
            values = [_days(x) if isinstance(x, str) else x for x in values]
        if pa.types.is_floating(field.type):
            # An undefined number is NaN in a library's own tables; JSON has only null.
            values = [float("nan") if value is None else value for value in values]
        arrays.append(pa.array(values, field.type))
    try:
        return pa.table(arrays, schema=schema)
    except pa.ArrowInvalid as error:
        raise InvalidArgumentError(f"The columns of the comparison differ: {error}") from error


def _days(text: str) -> float:
    try:
        return float((date.fromisoformat(text) - _EPOCH).days)
    except ValueError:
        raise InvalidArgumentError(f"comparison.x should be a date, and is {text!r}.") from None
