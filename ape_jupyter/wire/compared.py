"""Bodies of a comparison: how it is asked for, and the tables that are the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ape_jupyter.model.comparison import (
    ComparisonRequest,
    ComparisonType,
    Metric,
    MissingMetric,
    Observations,
    PatientCriterion,
    TimeAlignment,
)
from ape_jupyter.model.simulation import SimulationMetadata

__all__ = [
    "Comparison",
    "ComparisonOrder",
    "DifferenceColumns",
    "ProtocolDiffColumns",
    "SeriesColumns",
    "TestColumns",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonOrder:
    """A comparison as asked for; what is left out, the library chooses.

    Attributes
    ----------
    metrics : tuple of str or None
        Ids, also `cost_<component>` and `workload_<role>`; `all` alone for whatever the runs
        have. Only vision when None.
    reference : str or None
        The first run when None.
    observations : Observations or None
        `locf` for tests and `observed` else when None.
    bin_width : int or None
        Days (relative), calendar months (absolute) or fiftieths of the duration (normalized);
        28, 1 and 1 when None.
    times : tuple of float or tuple of str or None
        When to test: days, shares or ISO dates; the end of each year and the end when None.
    paired : bool
        Whether runs with the same patients are also tested patient by patient.
    pool_replicates : bool
        Whether runs that are equal but for their seed count as one.
    patients : tuple of PatientCriterion
        Which patients are compared: those that meet all; all patients when there is none.
    """

    sim_ids: tuple[str, ...]
    comparison_type: ComparisonType = ComparisonType.OVERLAY
    metrics: tuple[str, ...] | None = None
    time_alignment: TimeAlignment = TimeAlignment.ABSOLUTE
    reference: str | None = None
    confidence: float = 0.95
    observations: Observations | None = None
    bin_width: int | None = None
    times: tuple[float, ...] | tuple[str, ...] | None = None
    paired: bool = False
    pool_replicates: bool = False
    patients: tuple[PatientCriterion, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesColumns:
    """One row per run, metric, state and time bin, as columns of equal length.

    Attributes
    ----------
    x : tuple of float or tuple of str
        Left edge of the bin: days (relative), share of the duration 0 to 1 (normalized),
        or ISO date (absolute).
    state : tuple of str
        Empty for a metric that has no states.
    """

    sim_id: tuple[str, ...]
    metric: tuple[str, ...]
    x: tuple[float, ...] | tuple[str, ...]
    n: tuple[int, ...]
    mean: tuple[float | None, ...]
    sd: tuple[float | None, ...]
    ci_low: tuple[float | None, ...]
    ci_high: tuple[float | None, ...]
    p10: tuple[float | None, ...]
    p25: tuple[float | None, ...]
    p50: tuple[float | None, ...]
    p75: tuple[float | None, ...]
    p90: tuple[float | None, ...]
    state: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceColumns:
    """One row per metric, state, comparator and bin; difference = comparator - reference."""

    metric: tuple[str, ...]
    reference: tuple[str, ...]
    comparator: tuple[str, ...]
    x: tuple[float, ...] | tuple[str, ...]
    difference: tuple[float | None, ...]
    ci_low: tuple[float | None, ...]
    ci_high: tuple[float | None, ...]
    p_value: tuple[float | None, ...]
    n_reference: tuple[int, ...]
    n_comparator: tuple[int, ...]
    state: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TestColumns:
    """One row per test: comparator against reference, of a metric at a time point.

    Attributes
    ----------
    time : tuple of float or tuple of str
        As `x` of the series.
    p_holm, p_bh : tuple of float or None
        Adjusted over all rows, by Holm and by Benjamini and Hochberg.
    effect : tuple of str
        Which effect size it is.
    difference, difference_low, difference_high : tuple of float or None
        In the unit of the metric, where the test is of a difference.
    """

    __test__ = False  # not a test case, whatever pytest takes its name for

    metric: tuple[str, ...]
    reference: tuple[str, ...]
    comparator: tuple[str, ...]
    time: tuple[float, ...] | tuple[str, ...]
    test: tuple[str, ...]
    statistic: tuple[float | None, ...]
    p_value: tuple[float | None, ...]
    p_holm: tuple[float | None, ...]
    p_bh: tuple[float | None, ...]
    effect: tuple[str, ...]
    effect_size: tuple[float | None, ...]
    effect_low: tuple[float | None, ...]
    effect_high: tuple[float | None, ...]
    state: tuple[str, ...]
    time_point: tuple[str, ...]
    n_reference: tuple[int, ...]
    n_comparator: tuple[int, ...]
    difference: tuple[float | None, ...]
    difference_low: tuple[float | None, ...]
    difference_high: tuple[float | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtocolDiffColumns:
    """One row per parameter that a run has otherwise than the reference.

    Attributes
    ----------
    path : tuple of str
        Names from the outside in, with dots between them.
    old, new : tuple of str or None
        What the reference and the comparator have, as JSON; null for none.
    unit : tuple of str
        Empty where the parameter's name does not tell it.
    """

    reference: tuple[str, ...]
    comparator: tuple[str, ...]
    path: tuple[str, ...]
    old: tuple[str | None, ...]
    new: tuple[str | None, ...]
    unit: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The result of a comparison; ``request`` is what was computed, nothing left out.

    Attributes
    ----------
    missing : tuple of MissingMetric
        Runs that are left out of a metric, and why.
    notes : tuple of str
        What a reader should know of how the numbers were made.
    """

    request: ComparisonRequest
    runs: tuple[SimulationMetadata, ...]
    metrics: tuple[Metric, ...]
    series: SeriesColumns
    differences: DifferenceColumns
    tests: TestColumns
    protocol_diff: ProtocolDiffColumns
    missing: tuple[MissingMetric, ...]
    notes: tuple[str, ...]
    provenance: Mapping[str, Any]
