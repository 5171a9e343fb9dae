"""How often each value occurs at points of time: what boxes and violins are drawn from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ape_jupyter.model.comparison import ComparisonRequest
from ape_jupyter.model.metrics import MetricDefinition
from ape_jupyter.services.compare.measured.amounts import Amounts
from ape_jupyter.services.compare.measured.measured import Measured
from ape_jupyter.services.compare.measured.values import Values
from ape_jupyter.services.compare.measuring import ByState, at_the_end
from ape_jupyter.services.compare.runs import ComparedRun
from ape_jupyter.services.compare.scale import TimeScale
from ape_jupyter.services.compare.time_points import shared_moments

__all__ = ["value_counts"]


def value_counts(
    request: ComparisonRequest,
    definition: MetricDefinition,
    scale: TimeScale,
    run: ComparedRun,
    measured: ByState,
) -> Iterator[Mapping[str, Any]]:
    """Yield parts of the table of distributions; none for shares, rates and persistence.

    Amounts of money come as what stands for the buckets of their sketch.
    """
    for moment in shared_moments(request, definition, run, run):
        states = at_the_end(run, definition) if moment.is_end else measured
        found = _counts(states.get(""), 0 if moment.is_end else scale.key(moment.x))
        if found is None:
            continue
        values, counts = found
        seen = counts > 0
        n = int(seen.sum())
        yield {
            "sim_id": run.sim_id,
            "metric": definition.metric.id,
            "time": np.full(n, moment.x),
            "time_point": moment.name,
            "value": values[seen].astype(float),
            "count": counts[seen],
        }


def _counts(measured: Measured | None, key: int) -> tuple[np.ndarray, np.ndarray] | None:
    if isinstance(measured, Values):
        counted = measured.distribution
    elif isinstance(measured, Amounts):
        counted = measured.in_money
    else:
        return None
    row = int(np.searchsorted(counted.bins, key))
    if row == len(counted.bins) or counted.bins[row] != key:
        return None
    return counted.values, counted.counts[row]
