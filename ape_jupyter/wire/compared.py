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
    PatientGrouping,
    TimeAlignment,
)
from ape_jupyter.model.progress import Progress
from ape_jupyter.model.simulation import SimulationMetadata
from ape_jupyter.wire.errors import ErrorBody

__all__ = [
    "Comparison",
    "ComparisonOrder",
    "ComparisonProgress",
    "CostEffectivenessColumns",
    "DifferenceColumns",
    "DistributionColumns",
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
    subgroups : tuple of PatientGrouping
        By what these are also compared in parts.
    cost_effectiveness : bool
        Whether costs are set against letters gained.
    distributions : bool
        Whether counts by value are given at the times that are tested.
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
    subgroups: tuple[PatientGrouping, ...] = ()
    cost_effectiveness: bool = False
    distributions: bool = False


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
    by, subgroup : tuple of str
        A column of the patients and what those of the row have in it; empty for all patients.
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
    by: tuple[str, ...]
    subgroup: tuple[str, ...]


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
    by: tuple[str, ...]
    subgroup: tuple[str, ...]


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
    by: tuple[str, ...]
    subgroup: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DistributionColumns:
    """One row per run, metric, time point and value: how many have it."""

    sim_id: tuple[str, ...]
    metric: tuple[str, ...]
    time: tuple[float, ...] | tuple[str, ...]
    time_point: tuple[str, ...]
    value: tuple[float, ...]
    count: tuple[int, ...]
    by: tuple[str, ...]
    subgroup: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CostEffectivenessColumns:
    """One row per comparator that has costs, and subgroup; differences are comparator - reference.

    Attributes
    ----------
    var_d_cost, var_d_effect, cov_d_cost_d_effect : tuple of float or None
        Of the estimates of both differences.
    icer : tuple of float or None
        Cost of one more letter.
    icer_set : tuple of str
        Whether the ratio may lie `between` low and high, `outside` of them, or be `any` number.
    p_less_costly, p_more_effective : tuple of float or None
        Probabilities under the normal distribution of the estimates.
    dominance : tuple of str
        In which quarter of the plane the estimates lie, in words.
    """

    reference: tuple[str, ...]
    comparator: tuple[str, ...]
    effect: tuple[str, ...]
    currency: tuple[str, ...]
    is_paired: tuple[bool, ...]
    n_reference: tuple[int, ...]
    n_comparator: tuple[int, ...]
    cost_reference: tuple[float | None, ...]
    cost_comparator: tuple[float | None, ...]
    effect_reference: tuple[float | None, ...]
    effect_comparator: tuple[float | None, ...]
    cost_per_letter_reference: tuple[float | None, ...]
    cost_per_letter_comparator: tuple[float | None, ...]
    d_cost: tuple[float | None, ...]
    d_cost_low: tuple[float | None, ...]
    d_cost_high: tuple[float | None, ...]
    d_effect: tuple[float | None, ...]
    d_effect_low: tuple[float | None, ...]
    d_effect_high: tuple[float | None, ...]
    var_d_cost: tuple[float | None, ...]
    var_d_effect: tuple[float | None, ...]
    cov_d_cost_d_effect: tuple[float | None, ...]
    icer: tuple[float | None, ...]
    icer_low: tuple[float | None, ...]
    icer_high: tuple[float | None, ...]
    icer_set: tuple[str, ...]
    p_less_costly: tuple[float | None, ...]
    p_more_effective: tuple[float | None, ...]
    dominance: tuple[str, ...]
    by: tuple[str, ...]
    subgroup: tuple[str, ...]


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
    distributions: DistributionColumns
    cost_effectiveness: CostEffectivenessColumns
    protocol_diff: ProtocolDiffColumns
    missing: tuple[MissingMetric, ...]
    notes: tuple[str, ...]
    provenance: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonProgress:
    """A line of the answer to who follows a comparison; the last has `result` or `error`.

    Attributes
    ----------
    progress : Progress or None
        How far it is; None in the last line.
    """

    progress: Progress | None = None
    result: Comparison | None = None
    error: ErrorBody | None = None
