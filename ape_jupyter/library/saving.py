"""A comparison as files: tables for other programs, or one page for readers."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import asdict
from enum import StrEnum
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.results.durable import replace_file, reporting_full_disk

if TYPE_CHECKING:
    from ape_jupyter.library.comparison import ComparisonResult

__all__ = ["FORMATS", "save_comparison"]

FORMATS = (".parquet", ".csv", ".html")
_METADATA = b"ape_jupyter.comparison"


def save_comparison(result: ComparisonResult, path: str | PathLike[str]) -> list[Path]:
    """Write a comparison as its file's suffix says; see ``ComparisonResult.save``."""
    place = Path(path).expanduser()
    if place.suffix not in FORMATS:
        raise InvalidArgumentError(
            f"A comparison is saved as {', '.join(FORMATS)}, and {place.name!r} is none of these."
        )
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with reporting_full_disk(place.parent):
            return [_written(file, content) for file, content in _files(result, place)]
    except OSError as error:
        reason = error.strerror or str(error)
        raise InvalidArgumentError(
            f"The comparison can not be saved as {place}: {reason}."
        ) from error


def _written(file: Path, content: bytes) -> Path:
    replace_file(file, content)
    return file


def _files(result: ComparisonResult, place: Path) -> Iterator[tuple[Path, bytes]]:
    if place.suffix == ".html":
        # Loads bokeh, which takes most of a second.
        from ape_jupyter.library.comparison_page import comparison_page

        yield place, comparison_page(result).encode("utf-8")
        return
    facts = _facts(result)
    leading = result.leading_table
    for name, table in result.tables(dated=True).items():
        if name != leading and not table.num_rows:
            continue
        file = place if name == leading else place.with_suffix(f".{name}{place.suffix}")
        yield file, _csv(table) if place.suffix == ".csv" else _parquet(table, facts)
    yield place.with_suffix(".json"), facts


def _facts(result: ComparisonResult) -> bytes:
    """Return what the tables do not say, and what repeats the comparison."""
    facts = {
        "summaries": {metric.id: result.summary(metric.id) for metric in result.metrics},
        "metrics": [asdict(metric) for metric in result.metrics],
        "runs": {run.sim_id: run.name for run in result.runs},
        "missing": [asdict(item) for item in result.missing],
        "notes": list(result.notes),
        "provenance": result.provenance,
    }
    text = json.dumps(facts, indent=2, ensure_ascii=False, default=_plain)
    return text.encode("utf-8", "replace")


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, StrEnum) else str(value)


def _csv(table: pa.Table) -> bytes:
    # A spreadsheet would run a name that begins like a formula.
    sink = io.BytesIO()
    columns = {name: _harmless(table[name]) for name in table.column_names}
    pyarrow.csv.write_csv(pa.table(columns), sink)
    return sink.getvalue()


def _harmless(column: pa.ChunkedArray) -> pa.Array:
    if pa.types.is_dictionary(column.type) or pa.types.is_string(column.type):
        return pa.array(
            [f"'{text}" if text and text[0] in "=+-@\t\r" else text for text in column.to_pylist()],
            pa.string(),
        )
    if pa.types.is_floating(column.type):
        # An empty cell, which every program takes for a missing number.
        return pa.array(column.to_numpy(), from_pandas=True)
    return column


def _parquet(table: pa.Table, facts: bytes) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table.replace_schema_metadata({_METADATA: facts}), sink)
    return sink.getvalue()
