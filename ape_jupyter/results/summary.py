"""Summaries: tables of counts that add up, from which comparisons follow exactly."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa

from ape_jupyter.model.comparison import TimeAlignment
from ape_jupyter.results.canonical import ResultTables

__all__ = ["NORMALIZED_BINS", "RELATIVE_BIN_DAYS", "SUMMARY_SCHEMA", "SUMMARY_VERSION", "summarise"]

SUMMARY_VERSION = 1
RELATIVE_BIN_DAYS = 7
NORMALIZED_BINS = 50
DAYS_PER_YEAR = 365.25
MAX_LETTERS = 100

SUMMARY_SCHEMA = pa.schema(
    [
        ("metric", pa.dictionary(pa.int8(), pa.string())),
        ("alignment", pa.dictionary(pa.int8(), pa.string())),
        # relative: weeks since enrolment; absolute: year * 12 + month - 1; normalized: 1/50ths
        ("bin", pa.int32()),
        ("value", pa.int16()),
        ("count", pa.int64()),
    ]
)


def summarise(tables: ResultTables, start_date: datetime, duration_years: float) -> pa.Table:
    """Count the visits of a run by metric, alignment, time bin and value.

    Parameters
    ----------
    start_date : datetime
        The run's start, from which normalized time is measured.
    duration_years : float
        The run's duration.

    Returns
    -------
    pyarrow.Table
        With :data:`SUMMARY_SCHEMA`, sorted; rows with count 0 are left out.
    """
    visits = tables.visits
    letters = visits["vision"].to_numpy().astype(np.int64)
    days = visits["date"].to_numpy().astype("datetime64[D]")
    start_day = np.datetime64(start_date.replace(tzinfo=None), "D")
    share = (days - start_day).astype(np.int64) / max(duration_years * DAYS_PER_YEAR, 1)
    last = NORMALIZED_BINS - 1
    bins = {
        TimeAlignment.RELATIVE: visits["time_days"].to_numpy() // RELATIVE_BIN_DAYS,
        TimeAlignment.ABSOLUTE: days.astype("datetime64[M]").astype(np.int64) + 1970 * 12,
        TimeAlignment.NORMALIZED: np.clip(np.floor(share * NORMALIZED_BINS), 0, last),
    }
    parts = [
        _count("vision", alignment, b.astype(np.int64), letters) for alignment, b in bins.items()
    ]
    return pa.concat_tables(parts).unify_dictionaries().combine_chunks()


def _count(
    metric: str, alignment: TimeAlignment, bins: np.ndarray[Any, Any], values: np.ndarray[Any, Any]
) -> pa.Table:
    width = MAX_LETTERS + 1
    first = bins.min(initial=0) if len(bins) == 0 else bins.min()
    counts = np.bincount((bins - first) * width + values)
    filled = np.flatnonzero(counts)
    rows = len(filled)
    return pa.table(
        [
            pa.DictionaryArray.from_arrays(np.zeros(rows, np.int8), [metric]),
            pa.DictionaryArray.from_arrays(np.zeros(rows, np.int8), [alignment.value]),
            pa.array(filled // width + first, pa.int32()),
            pa.array(filled % width, pa.int16()),
            pa.array(counts[filled], pa.int64()),
        ],
        schema=SUMMARY_SCHEMA,
    )
