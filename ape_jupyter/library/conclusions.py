"""What a comparison shows, in two or three sentences."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ape_jupyter.model.comparison import (
    MIN_VISITS_TO_MENTION,
    ComparisonRequest,
    ComparisonType,
    Metric,
    MissingMetric,
    TimeAlignment,
)

__all__ = ["Conclusions", "rows_of_metric"]

_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_MAX_SENTENCES = 2
_LARGE = 100
_SHARE = "share of patients"
_EFFECTS = {
    "hedges_g": "Hedges' g",
    "risk_difference": "risk difference",
    "hazard_ratio": "hazard ratio",
    "rate_ratio": "rate ratio",
    "cramers_v": "Cramér's V",
}
_LEADING_TESTS = ("welch_t", "two_proportion", "log_rank", "poisson_rates")


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusions:
    """Says what the tables of one comparison show of one metric.

    Attributes
    ----------
    names : mapping
        From the ids of runs to their names, in the order of the request.
    """

    request: ComparisonRequest
    names: Mapping[str, str]
    series: pa.Table
    differences: pa.Table
    tests: pa.Table
    cost_effectiveness: pa.Table
    missing: Sequence[MissingMetric]

    def of(self, metric: Metric) -> str:
        """Return effect sizes with their intervals first, and then what is missing."""
        if self.request.comparison_type is ComparisonType.STATISTICAL:
            sentences = [*self._tests(metric)]
        elif self.request.comparison_type is ComparisonType.DIFFERENCE:
            sentences = [*self._differences(metric)]
        else:
            sentences = [self._series(metric)]
        if len(sentences) > _MAX_SENTENCES:
            n_more = len(sentences) - _MAX_SENTENCES
            sentences[_MAX_SENTENCES:] = [f"The tables have {n_more} more."]
        sentences = [*filter(None, sentences), *self._subgroups(metric), *self._value(metric)]
        lacking = {m.sim_id: m.reason for m in self.missing if m.metric == metric.id and not m.by}
        if lacking and len(sentences) < _MAX_SENTENCES + 1:
            (sim_id, reason), n_more = next(iter(lacking.items())), len(lacking) - 1
            others = f" (and {n_more} more)" if n_more else ""
            sentences.append(f"Left out: {self.names[sim_id]}, as {reason}{others}.")
        return " ".join(sentences)

    def _subgroups(self, metric: Metric) -> Iterator[str]:
        """Yield whether the subgroup differs most in the last of the times, if any was tested."""
        rows = [
            row
            for row in self.tests.filter(
                pc.and_(
                    pc.equal(self.tests["metric"].cast(pa.string()), metric.id),
                    pc.equal(self.tests["test"].cast(pa.string()), "interaction"),
                )
            ).to_pylist()
            if not math.isnan(row["p_value"])
        ]
        if not rows:
            return
        row = min(rows, key=lambda row: row["p_holm"])
        is_told = row["p_holm"] < 1 - self.request.confidence
        verb = "differs" if is_told else "can not be said to differ"
        columns = " or ".join(dict.fromkeys(r["by"] for r in rows))
        about = row["by"] if is_told else columns
        size = ""
        if not math.isnan(row["difference"]):
            low, high = row["difference_low"], row["difference_high"]
            gap = _difference(row["difference"], metric)
            size = f" by {gap} ({self._interval(low, high, metric)})" if is_told else ""
        smallest = "" if is_told else "smallest "
        yield (
            f"The difference {verb} between subgroups of {about}{size} "
            f"({smallest}{_p_value(row['p_holm'])[2:]})."
        )

    def _value(self, metric: Metric) -> Iterator[str]:
        """Yield what a letter costs, beside the metric that counts letters or costs."""
        rows = [row for row in self.cost_effectiveness.to_pylist() if not row["by"]]
        if metric.id not in ("cost", "vision_change", "vision") or not rows:
            return
        row = rows[0]
        money = f"{row['currency']} " if row["currency"] else ""
        pair = f"{self.names[row['comparator']]} {row['dominance']}"
        level = f"{self.request.confidence:.0%} interval"
        gaps = (
            f"{money}{row['d_cost']:+,.0f} ({level} {row['d_cost_low']:+,.0f} to "
            f"{row['d_cost_high']:+,.0f}) for {row['d_effect']:+.1f} letters "
            f"({row['d_effect_low']:+.1f} to {row['d_effect_high']:+.1f})"
        )
        if row["dominance"].startswith("costs") and row["icer_set"] == "between":
            gaps += (
                f", {money}{row['icer']:,.0f} per letter ({level} {row['icer_low']:,.0f} to "
                f"{row['icer_high']:,.0f})"
            )
        elif row["dominance"].startswith("costs"):
            gaps += f", {money}{row['icer']:,.0f} per letter, of which no range can be given"
        yield f"{pair}: {gaps}."

    def _series(self, metric: Metric) -> str:
        parts = []
        rows = [r for r in rows_of_metric(self.series, metric.id) if _is_well_observed(r, "n")]
        for sim_id, name in self.names.items():
            own = [row for row in rows if row["sim_id"] == sim_id]
            if own and own[0]["state"]:
                last = [row for row in own if row["x"] == own[-1]["x"]]
                top = max(last, key=lambda row: row["mean"])
                share = _amount(top["mean"], metric)
                state = top["state"].replace("_", " ").lower()
                parts.append(f"{name} mostly {state}, {share} ({self._when(top['x'])})")
            elif own:
                first, last_row = own[0], own[-1]
                begun, ended = (_amount(row["mean"], metric) for row in (first, last_row))
                parts.append(f"{name} {begun} to {ended} ({self._when(last_row['x'])})")
            elif any(m.sim_id == sim_id and m.metric == metric.id for m in self.missing):
                continue
            else:
                parts.append(f"{name} has too few visits to say")
        if not parts:
            return ""
        label = f"{metric.label[0].lower()}{metric.label[1:]}"
        what = metric.label if metric.unit == _SHARE else f"Mean {label}, {metric.unit}"
        return f"{what}: {'; '.join(parts)}."

    def _differences(self, metric: Metric) -> Iterator[str]:
        rows = [
            row
            for row in rows_of_metric(self.differences, metric.id)
            if _is_well_observed(row, "n_reference", "n_comparator")
        ]
        reference = self.request.reference
        for sim_id in self._comparators(metric):
            own = [row for row in rows if row["comparator"] == sim_id]
            both = self.names[sim_id], self.names[reference]
            if not own:
                yield f"{' and '.join(both)} share no time with enough visits."
                continue
            last = [row for row in own if row["x"] == own[-1]["x"]]
            row = max(last, key=lambda row: abs(row["difference"]))
            yield (
                f"{' − '.join(both)}: {_state(row)}{_difference(row['difference'], metric)} "
                f"({self._interval(row['ci_low'], row['ci_high'], metric)}) {self._when(row['x'])}."
            )

    def _tests(self, metric: Metric) -> Iterator[str]:
        rows = [
            row
            for row in rows_of_metric(self.tests, metric.id)
            if row["test"] in _LEADING_TESTS and not math.isnan(row["effect_size"])
        ]
        reference = self.request.reference
        for sim_id in self._comparators(metric):
            own = [row for row in rows if row["comparator"] == sim_id]
            if not own:
                yield f"{self.names[sim_id]} and {self.names[reference]} can not be tested."
                continue
            last = [row for row in own if row["time_point"] == own[-1]["time_point"]]
            row = max(last, key=lambda row: abs(row["effect_size"]))
            pair = f"{self.names[sim_id]} − {self.names[reference]}"
            level = f"{self.request.confidence:.0%} interval"
            effect = (
                f"{_EFFECTS[row['effect']]} {row['effect_size']:.2f}, "
                f"{row['effect_low']:.2f} to {row['effect_high']:.2f}"
            )
            p_value = _p_value(row["p_holm"])
            if math.isnan(row["difference"]):
                yield f"{pair}: {effect} ({level}{p_value}) at the {row['time_point']}."
                continue
            interval = self._interval(row["difference_low"], row["difference_high"], metric)
            more = "" if row["effect"] == "risk_difference" else f"; {effect}"
            when = "at the end" if row["time_point"] == "end" else f"at {row['time_point']}"
            yield (
                f"{pair}: {_state(row)}{_difference(row['difference'], metric)} "
                f"({interval}{more}{p_value}) {when}."
            )

    def _comparators(self, metric: Metric) -> list[str]:
        lacking = {m.sim_id for m in self.missing if m.metric == metric.id}
        if self.request.reference in lacking:
            return []
        return [s for s in self.names if s != self.request.reference and s not in lacking]

    def _interval(self, low: float, high: float, metric: Metric) -> str:
        scale, digits = _scale(metric, low, high)
        level = f"{self.request.confidence:.0%} interval"
        return f"{level} {low * scale:+.{digits}f} to {high * scale:+.{digits}f}"

    def _when(self, x: float) -> str:
        if self.request.time_alignment is TimeAlignment.RELATIVE:
            return f"from day {x:.0f}"
        if self.request.time_alignment is TimeAlignment.NORMALIZED:
            return f"after {x:.0%} of the run"
        return f"in {date.fromordinal(_EPOCH_ORDINAL + int(x)):%B %Y}"


def rows_of_metric(table: pa.Table, metric: str) -> list[dict[str, Any]]:
    """Return the rows of one metric, of all patients."""
    is_metric = pc.equal(table["metric"].cast(pa.string()), metric)
    is_of_all = pc.equal(table["by"].cast(pa.string()), "")
    rows: list[dict[str, Any]] = table.filter(pc.and_(is_metric, is_of_all)).to_pylist()
    return rows


def _is_well_observed(row: Mapping[str, Any], *sizes: str) -> bool:
    return all(row[size] >= MIN_VISITS_TO_MENTION for size in sizes)


def _state(row: Mapping[str, Any]) -> str:
    return f"{row['state'].replace('_', ' ').lower()} " if row["state"] else ""


def _scale(metric: Metric, *values: float) -> tuple[float, int]:
    """Return factor and digits in which values are told."""
    if metric.unit == _SHARE:
        return 100.0, 1
    if metric.unit in ("ETDRS letters", "days"):
        return 1.0, 1
    return 1.0, 0 if max(map(abs, values)) >= _LARGE else 2


def _amount(value: float, metric: Metric) -> str:
    scale, digits = _scale(metric, value)
    percent = "%" if metric.unit == _SHARE else ""
    return f"{value * scale:.{digits}f}{percent}"


def _difference(value: float, metric: Metric) -> str:
    scale, digits = _scale(metric, value)
    unit = "percentage points" if metric.unit == _SHARE else metric.unit
    return f"{value * scale:+.{digits}f} {unit}"


def _p_value(p_holm: float) -> str:
    if math.isnan(p_holm):  # there was nothing to test
        return ""
    shown = "< 0.001" if p_holm < 0.001 else f"{p_holm:.3f}"  # noqa: PLR2004 - as journals do
    return f"; p {shown} after Holm"
