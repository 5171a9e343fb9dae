"""A summary as one Arrow table, which is mapped and then read in part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ape_jupyter.model.comparison import TimeAlignment
from ape_jupyter.results.summary.counts import CountTable
from ape_jupyter.results.summary.keys import Kind, Method, TableKey
from ape_jupyter.results.summary.moments import MomentTable

__all__ = ["SUMMARY_SCHEMA", "SUMMARY_VERSION", "ArrowTables", "arrow_table"]

SUMMARY_VERSION = 3
"""Goes up with every change of what is counted, or how; older summaries are then made anew."""

_VERSION_KEY = b"ape_jupyter.summary_version"
_AMOUNTS = ("sums", "squares", "minima", "maxima")

SUMMARY_SCHEMA = pa.schema(
    [
        ("kind", pa.string()),
        ("metric", pa.string()),
        ("method", pa.string()),
        ("alignment", pa.string()),
        # One row for each table of the summary. Its bins are listed once, each with where its
        # entries end; together that is half the size of one row for each entry.
        ("bins", pa.list_(pa.int32())),
        ("ends", pa.list_(pa.int32())),
        ("values", pa.list_(pa.int16())),
        ("counts", pa.list_(pa.uint32())),
        *((name, pa.list_(pa.float64())) for name in _AMOUNTS),
    ],
    metadata={_VERSION_KEY: str(SUMMARY_VERSION).encode()},
)


def arrow_table(tables: Mapping[TableKey, CountTable | MomentTable]) -> pa.Table:
    """Return tables in the order of their keys.

    Raises
    ------
    OverflowError
        If something was counted more than 4 billion times in one bin.
    """
    keys = sorted(tables)
    lists: dict[str, list[npt.NDArray[Any]]] = {
        field.name: [] for field in SUMMARY_SCHEMA if pa.types.is_list(field.type)
    }
    none = np.empty(0)
    for key in keys:
        table = tables[key]
        if table.counts.max(initial=0) > np.iinfo(np.uint32).max:
            raise OverflowError(f"too many entries in one bin of {key.metric}")
        lists["counts"].append(table.counts)
        if isinstance(table, CountTable):
            first = np.flatnonzero(np.diff(table.bins, prepend=table.bins[:1] - 1))
            lists["bins"].append(table.bins[first])
            lists["ends"].append(np.append(first[1:], len(table))[: len(first)])
            lists["values"].append(table.values)
            for name in _AMOUNTS:
                lists[name].append(none)
        else:
            lists["bins"].append(table.bins)
            lists["ends"].append(none)
            lists["values"].append(none)
            for name in _AMOUNTS:
                lists[name].append(getattr(table, name))
    columns = [pa.array([key[i] for key in keys], pa.string()) for i in range(4)]
    columns += [_list_column(SUMMARY_SCHEMA.field(name).type, lists[name]) for name in lists]
    return pa.Table.from_arrays(columns, schema=SUMMARY_SCHEMA)


def _list_column(type_: pa.DataType, parts: list[npt.NDArray[Any]]) -> pa.Array:
    offsets = np.cumsum([0, *(len(part) for part in parts)]).astype(np.int32)
    joined = np.concatenate([np.empty(0), *parts]) if not parts else np.concatenate(parts)
    items = pa.array(joined.astype(type_.value_type.to_pandas_dtype()), type_.value_type)
    return pa.ListArray.from_arrays(pa.array(offsets), items, type=type_)


class ArrowTables(Mapping[TableKey, CountTable | MomentTable]):
    """Tables that are views of an Arrow table, each made when it is asked for.

    Raises
    ------
    ValueError
        If the Arrow table is not a summary of this version.
    """

    def __init__(self, table: pa.Table) -> None:
        version = (table.schema.metadata or {}).get(_VERSION_KEY, b"").decode()
        if version != str(SUMMARY_VERSION) or not table.schema.equals(SUMMARY_SCHEMA):
            raise ValueError(f"not a summary of version {SUMMARY_VERSION}")
        self._columns = {
            field.name: table[field.name].combine_chunks()
            for field in SUMMARY_SCHEMA
            if pa.types.is_list(field.type)
        }
        names = (table[name].to_pylist() for name in ("kind", "metric", "method", "alignment"))
        self._rows = {
            TableKey(Kind(kind), metric, Method(method), TimeAlignment(alignment)): row
            for row, (kind, metric, method, alignment) in enumerate(zip(*names, strict=True))
        }

    def __getitem__(self, key: TableKey) -> CountTable | MomentTable:
        row = self._rows[key]
        bins = self._list("bins", row)
        counts = self._list("counts", row).astype(np.int64)
        if key.kind is Kind.MOMENTS:
            return MomentTable(bins, counts, *(self._list(name, row) for name in _AMOUNTS))
        entries = np.diff(self._list("ends", row), prepend=0)
        return CountTable(
            np.repeat(bins, entries), self._list("values", row).astype(np.int32), counts
        )

    def __iter__(self) -> Iterator[TableKey]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def _list(self, name: str, row: int) -> npt.NDArray[Any]:
        column = self._columns[name]
        begin, end = column.offsets[row].as_py(), column.offsets[row + 1].as_py()
        return np.asarray(column.values[begin:end].to_numpy())
