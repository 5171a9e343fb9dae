"""Comparisons to JSON and back: tables become columns, days of the calendar become dates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import pyarrow as pa

from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.library.comparison import ComparisonResult
from ape_jupyter.model.comparison import TimeAlignment
from ape_jupyter.wire.compared import Comparison
from ape_jupyter.wire.encoding import JSON, decode, encode

__all__ = ["comparison_message", "comparison_result", "encode_columns"]

_EPOCH = date(1970, 1, 1)
_TIMES = {"x", "time"}


def comparison_message(result: ComparisonResult) -> JSON:
    """Return the JSON of a :class:`~ape_jupyter.wire.compared.Comparison`."""
    dated = result.request.time_alignment is TimeAlignment.ABSOLUTE
    tables = {
        name: encode_columns(getattr(result, name), dated=dated)
        for name in ("series", "differences", "tests", "protocol_diff")
    }
    names = ("request", "runs", "metrics", "missing", "notes", "provenance")
    return {name: encode(getattr(result, name)) for name in names} | tables


def comparison_result(data: JSON) -> ComparisonResult:
    """Return the result that a server has encoded."""
    # A kernel that only lists runs does not need the statistics.
    from ape_jupyter.services.compare import (
        DIFFERENCES_SCHEMA,
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
    columns = {name: encode(table[name].to_pylist()) for name in table.column_names}
    if dated:
        for name in _TIMES & columns.keys():
            columns[name] = [(_EPOCH + timedelta(days=d)).isoformat() for d in columns[name]]
    return columns


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
