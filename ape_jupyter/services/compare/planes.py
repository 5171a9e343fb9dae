"""The cost-effectiveness plane: what follows from a table of increments, without any patient."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.services.compare.inference.cost_effectiveness import (
    Increment,
    acceptability,
    confidence_ellipse,
)
from ape_jupyter.services.compare.tables import TEXT, joined

__all__ = ["acceptability_table", "ellipse_table"]

_N_THRESHOLDS = 101
_OF_LARGEST = 3.0

_ACCEPTABILITY_SCHEMA = pa.schema(
    [
        ("comparator", TEXT),
        *((name, pa.float64()) for name in ("threshold", "probability", "net_benefit")),
        ("by", TEXT),
        ("subgroup", TEXT),
    ]
)
_ELLIPSES_SCHEMA = pa.schema(
    [
        ("comparator", TEXT),
        ("d_effect", pa.float64()),
        ("d_cost", pa.float64()),
        ("by", TEXT),
        ("subgroup", TEXT),
    ]
)


def acceptability_table(table: pa.Table, thresholds: Sequence[float] | None) -> pa.Table:
    """Return how probable it is that each comparator is worth its cost, by threshold."""
    chosen = _default_thresholds(table) if thresholds is None else np.asarray(thresholds, float)
    if chosen.ndim != 1 or not np.isfinite(chosen).all() or (chosen < 0).any():
        raise InvalidArgumentError("Thresholds are what a letter is worth: numbers from 0 on.")
    return joined(
        (
            place
            | {
                "threshold": chosen,
                "probability": acceptability(increment, chosen),
                "net_benefit": chosen * increment.effect - increment.cost,
            }
            for place, increment in _increments(table)
        ),
        _ACCEPTABILITY_SCHEMA,
    )


def ellipse_table(table: pa.Table, confidence: float, n_points: int) -> pa.Table:
    """Return closed curves around the increments; none where there is no variance."""
    parts = []
    for place, increment in _increments(table):
        if np.isnan([increment.var_cost, increment.var_effect]).any():
            continue
        effects, costs = confidence_ellipse(increment, confidence, n_points)
        parts.append(place | {"d_effect": effects, "d_cost": costs})
    return joined(parts, _ELLIPSES_SCHEMA)


def _increments(table: pa.Table) -> Iterator[tuple[dict[str, Any], Increment]]:
    for row in table.to_pylist():
        place = {name: row[name] for name in ("comparator", "by", "subgroup")}
        yield place, _increment(row)


def _increment(row: Mapping[str, float]) -> Increment:
    return Increment(
        row["d_cost"],
        row["d_effect"],
        row["var_d_cost"],
        row["var_d_effect"],
        row["cov_d_cost_d_effect"],
    )


def _default_thresholds(table: pa.Table) -> np.ndarray:
    ratios = np.abs(table["icer"].to_numpy()) if table.num_rows else np.empty(0)
    largest = float(ratios[np.isfinite(ratios)].max(initial=1.0))
    return np.linspace(0, _OF_LARGEST * largest, _N_THRESHOLDS)
