"""What can be measured about runs (``domain.md`` section 4)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ape_jupyter.model.comparison import Metric

__all__ = ["DEFINED_METRICS", "MetricDefinition", "MetricSource", "metric_definition"]


class MetricSource(StrEnum):
    """How a metric follows from the tables of a summary.

    ``MEAN``: distribution of counted values. ``SHARE_AT_LEAST`` and ``SHARE_AT_MOST``: share of
    counted values from, or up to, a threshold. ``STATES``: share of each counted value.
    ``RATE``: counted events by patient-days. ``SURVIVAL``: life table. ``MONEY``: moments and a
    sketch. ``WORK``: counted days by patients seen.
    """

    MEAN = "mean"
    SHARE_AT_LEAST = "share_at_least"
    SHARE_AT_MOST = "share_at_most"
    STATES = "states"
    RATE = "rate"
    SURVIVAL = "survival"
    MONEY = "money"
    WORK = "work"


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricDefinition:
    """A metric and where its numbers come from.

    Attributes
    ----------
    metric : Metric
        Id, label, unit and direction.
    source : MetricSource
        How it follows from the tables.
    table : str
        The metric under which a summary has the tables.
    threshold : int or None
        Of the shares.
    """

    metric: Metric
    source: MetricSource
    table: str
    threshold: int | None = None


def _defined(
    id_: str,
    label: str,
    unit: str,
    higher_is_better: bool | None,
    source: MetricSource,
    table: str = "",
    threshold: int | None = None,
) -> MetricDefinition:
    metric = Metric(id=id_, label=label, unit=unit, higher_is_better=higher_is_better)
    return MetricDefinition(metric=metric, source=source, table=table or id_, threshold=threshold)


_PATIENTS = "share of patients"
DEFINED_METRICS = {
    definition.metric.id: definition
    for definition in (
        _defined("vision", "Visual acuity", "ETDRS letters", True, MetricSource.MEAN),
        _defined(
            "vision_change", "Change of visual acuity", "ETDRS letters", True, MetricSource.MEAN
        ),
        _defined(
            "gain_15",
            "Gain of 15 letters or more",
            _PATIENTS,
            True,
            MetricSource.SHARE_AT_LEAST,
            "vision_change",
            15,
        ),
        _defined(
            "loss_15",
            "Loss of 15 letters or more",
            _PATIENTS,
            False,
            MetricSource.SHARE_AT_MOST,
            "vision_change",
            -15,
        ),
        _defined(
            "driving_vision",
            "Driving vision (70 letters or more)",
            _PATIENTS,
            True,
            MetricSource.SHARE_AT_LEAST,
            "vision",
            70,
        ),
        _defined("injections", "Injections so far", "per patient", False, MetricSource.MEAN),
        _defined("visits", "Visits so far", "per patient", False, MetricSource.MEAN),
        _defined("injection_rate", "Injections", "per patient-year", False, MetricSource.RATE),
        _defined("treatment_interval", "Days between visits", "days", None, MetricSource.MEAN),
        _defined("persistence", "Still on treatment", _PATIENTS, True, MetricSource.SURVIVAL),
        _defined("disease_state", "Disease state", _PATIENTS, None, MetricSource.STATES),
        _defined("treatment_state", "Pattern of treatment", _PATIENTS, None, MetricSource.STATES),
        _defined("cost", "Cost so far", "currency units per patient", False, MetricSource.MONEY),
    )
}
"""By id. Costs by component and workloads are named by the run: :func:`metric_definition`."""


def metric_definition(id_: str) -> MetricDefinition | None:
    """Return the definition of a metric, also of ``cost_<component>`` and ``workload_<role>``."""
    if id_ in DEFINED_METRICS:
        return DEFINED_METRICS[id_]
    family, _, member = id_.partition("_")
    name = member.replace("_", " ")
    if family == "cost" and member:
        unit = "currency units per patient"
        return _defined(id_, f"Cost so far: {name}", unit, False, MetricSource.MONEY)
    if family == "workload" and member:
        unit = "sessions per working day"
        return _defined(id_, f"Workload: {name}", unit, False, MetricSource.WORK)
    return None
