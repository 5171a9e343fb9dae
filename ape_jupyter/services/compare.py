"""Comparing runs by their summaries.

Everything here follows exactly from counts by time bin and value; the patients are not read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

import numpy as np
import pyarrow as pa

from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.model.comparison import (
    METRICS,
    ComparisonRequest,
    ComparisonType,
    TimeAlignment,
)
from ape_jupyter.results.summary import (
    NORMALIZED_BINS,
    RELATIVE_BIN_DAYS,
    Distribution,
    Method,
    Summary,
)

__all__ = [
    "DIFFERENCES_SCHEMA",
    "SERIES_SCHEMA",
    "compare_summaries",
    "comparison_request",
]

BIN_DAYS = 28
MIN_RUNS = 2
_QUANTILES = {"p10": 0.10, "p25": 0.25, "p50": 0.50, "p75": 0.75, "p90": 0.90}
_Floats = np.ndarray[Any, np.dtype[Any]]
_TEXT = pa.dictionary(pa.int32(), pa.string())

SERIES_SCHEMA = pa.schema(
    [("sim_id", _TEXT), ("metric", _TEXT), ("x", pa.float64()), ("n", pa.int64())]
    + [(name, pa.float64()) for name in ("mean", "sd", "ci_low", "ci_high", *_QUANTILES)]
)
DIFFERENCES_SCHEMA = pa.schema(
    [("metric", _TEXT), ("reference", _TEXT), ("comparator", _TEXT), ("x", pa.float64())]
    + [(name, pa.float64()) for name in ("difference", "ci_low", "ci_high", "p_value")]
    + [("n_reference", pa.int64()), ("n_comparator", pa.int64())]
)


def comparison_request(
    sim_ids: Sequence[str],
    comparison_type: ComparisonType | str,
    metrics: Sequence[str] | None,
    time_alignment: TimeAlignment | str,
    reference: str | None,
    confidence: float,
) -> ComparisonRequest:
    """Check the arguments of a comparison of runs with these full ids.

    Raises
    ------
    InvalidArgumentError
        Naming what is wrong and what is possible.
    """
    unique = tuple(dict.fromkeys(sim_ids))
    if len(unique) < MIN_RUNS:
        raise InvalidArgumentError("A comparison needs at least two different runs.")
    if reference is not None and reference not in unique:
        raise InvalidArgumentError(f"The reference {reference!r} is not among the runs compared.")
    if not 0 < confidence < 1:
        raise InvalidArgumentError(f"The confidence must be between 0 and 1, not {confidence}.")
    wanted = tuple(dict.fromkeys(metrics)) if metrics is not None else ("vision",)
    unknown = [metric for metric in wanted if metric not in METRICS]
    if unknown or not wanted:
        known = ", ".join(METRICS)
        raise InvalidArgumentError(f"No metric {', '.join(unknown)!r}. Metrics are: {known}.")
    return ComparisonRequest(
        sim_ids=unique,
        comparison_type=_member(ComparisonType, comparison_type, "comparison type"),
        metrics=wanted,
        time_alignment=_member(TimeAlignment, time_alignment, "time alignment"),
        reference=reference or unique[0],
        confidence=confidence,
    )


def _member(kind: type[StrEnum], value: str, what: str) -> Any:
    try:
        return kind(value)
    except ValueError as error:
        known = ", ".join(member.value for member in kind)
        raise InvalidArgumentError(f"No {what} {value!r}, only: {known}.") from error


@dataclass(frozen=True, slots=True)
class _Bins:
    """Values of one run and metric; those of bin i are placed at ``x[i]``."""

    x: _Floats
    values: Distribution


def compare_summaries(
    request: ComparisonRequest, summaries: Mapping[str, Summary]
) -> tuple[pa.Table, pa.Table]:
    """Compute the series of every run and, if asked for, the differences to the reference.

    Parameters
    ----------
    summaries : mapping
        From the id of each run to its summary.

    Returns
    -------
    series, differences : pyarrow.Table
        With :data:`SERIES_SCHEMA` and :data:`DIFFERENCES_SCHEMA`. ``x`` is the left edge of
        the bin: days since enrolment, days since 1970-01-01, or share of the duration.
        Intervals treat visits as independent observations.
    """
    series, differences = [], []
    for metric in request.metrics:
        bins = {
            sim_id: _rebinned(summaries[sim_id], metric, request.time_alignment)
            for sim_id in request.sim_ids
        }
        series += [_series(sim_id, metric, b, request.confidence) for sim_id, b in bins.items()]
        if request.comparison_type is ComparisonType.DIFFERENCE:
            reference = request.reference
            differences += [
                _differences(metric, reference, sim_id, bins[reference], b, request.confidence)
                for sim_id, b in bins.items()
                if sim_id != reference
            ]
    return _table(series, SERIES_SCHEMA), _table(differences, DIFFERENCES_SCHEMA)


def _table(parts: list[dict[str, Any]], schema: pa.Schema) -> pa.Table:
    tables = [
        pa.table({n: pa.array(part[n], schema.field(n).type) for n in part}) for part in parts
    ]
    return pa.concat_tables([schema.empty_table(), *tables]).unify_dictionaries().combine_chunks()


def _rebinned(summary: Summary, metric: str, alignment: TimeAlignment) -> _Bins:
    counts = summary.counts(metric, Method.OBSERVED, alignment)
    width = BIN_DAYS // RELATIVE_BIN_DAYS if alignment is TimeAlignment.RELATIVE else 1
    values = Distribution.observed(counts, width)
    keys = values.bins
    if alignment is TimeAlignment.RELATIVE:
        x = keys * float(BIN_DAYS)
    elif alignment is TimeAlignment.NORMALIZED:
        x = keys / NORMALIZED_BINS
    else:
        epoch = date(1970, 1, 1)
        x = np.array([(date(k // 12, k % 12 + 1, 1) - epoch).days for k in keys.tolist()], float)
    return _Bins(np.asarray(x, float), values)


def _series(sim_id: str, metric: str, bins: _Bins, confidence: float) -> dict[str, Any]:
    values = bins.values
    n, mean, sd = values.n, values.mean, np.sqrt(values.variance)
    # With one observation there is no interval: df 0 and sd NaN give NaN, as they should.
    half = _t_quantile((1 + confidence) / 2, np.maximum(n - 1, 1)) * sd / np.sqrt(n)
    return {
        "sim_id": [sim_id] * len(n),
        "metric": [metric] * len(n),
        "x": bins.x,
        "n": n,
        "mean": mean,
        "sd": sd,
        "ci_low": mean - half,
        "ci_high": mean + half,
        **{name: values.quantile(share) for name, share in _QUANTILES.items()},
    }


def _differences(
    metric: str,
    reference_id: str,
    comparator_id: str,
    reference: _Bins,
    comparator: _Bins,
    confidence: float,
) -> dict[str, Any]:
    """Subtract the reference where both have a bin, with Welch's interval and test."""
    x, r, c = np.intersect1d(reference.x, comparator.x, return_indices=True)
    n_reference, n_comparator = reference.values.n[r], comparator.values.n[c]
    difference = comparator.values.mean[c] - reference.values.mean[r]
    a = comparator.values.variance[c] / n_comparator
    b = reference.values.variance[r] / n_reference
    with np.errstate(invalid="ignore", divide="ignore"):
        # Welch–Satterthwaite degrees of freedom (Welch 1947).
        freedom = (a + b) ** 2 / (a**2 / (n_comparator - 1) + b**2 / (n_reference - 1))
        error = np.sqrt(a + b)
        half = _t_quantile((1 + confidence) / 2, freedom) * error
        p_value = 2 * _t_distribution(-np.abs(difference) / error, freedom)
    return {
        "metric": [metric] * len(x),
        "reference": [reference_id] * len(x),
        "comparator": [comparator_id] * len(x),
        "x": x,
        "difference": difference,
        "ci_low": difference - half,
        "ci_high": difference + half,
        "p_value": p_value,
        "n_reference": n_reference,
        "n_comparator": n_comparator,
    }


# scipy.stats takes most of a second to load, the functions it calls a tenth of that; and no
# other use of a library should wait for either.


def _t_quantile(share: float, freedom: _Floats) -> _Floats:
    from scipy import special

    return np.asarray(special.stdtrit(freedom, share))


def _t_distribution(t: _Floats, freedom: _Floats) -> _Floats:
    from scipy import special

    return np.asarray(special.stdtr(freedom, t))
