"""Every metric, alignment and kind of observation against slow summaries of made-up runs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint
from summary_cases import START, Patient, SlowSummary, Visit, runs_, tables_of, years_

from ape_jupyter.model.comparison import ComparisonType, TimeAlignment
from ape_jupyter.results.schema import DISEASE_STATES
from ape_jupyter.results.summary import summarise
from ape_jupyter.results.summary.treatment import TREATMENT_STATES
from ape_jupyter.services.compare import ComparedRun, Findings, compare_runs, comparison_request

CLOSE = {"rel": 1e-9, "abs": 1e-9}
MEANS = ("vision", "vision_change", "injections", "visits", "treatment_interval")
SHARES = {
    "gain_15": ("vision_change", lambda v: v >= 15),
    "loss_15": ("vision_change", lambda v: v <= -15),
    "driving_vision": ("vision", lambda v: v >= 70),
}
STATES = {"disease_state": DISEASE_STATES, "treatment_state": TREATMENT_STATES}
METRICS = (*MEANS, *SHARES, *STATES, "injection_rate")
WIDTHS = {"relative": (7, 28, 91), "absolute": (1, 3, 12), "normalized": (1, 5, 50)}


class CoarseSummary(SlowSummary):
    """A slow summary with wider bins."""

    width = 1

    def bin_of(self, alignment: str, since_enrolment: int, since_start: int) -> int:
        return super().bin_of(alignment, since_enrolment, since_start) // self.width


def slow(patients: list[Patient], years: float, alignment: str, width: int) -> CoarseSummary:
    summary = CoarseSummary(tables_of(patients), START, years)
    summary.width = width // 7 if alignment == "relative" else width
    return summary


def compared(
    groups: Mapping[str, list[Patient]],
    years: float,
    kind: str = "overlay",
    metrics: tuple[str, ...] = METRICS,
    alignment: str = "relative",
    **options: object,
) -> Findings:
    runs = [
        ComparedRun(
            sim_id=name,
            summary=summarise(tables_of(patients), START, years),
            start_date=START,
            duration_years=years,
        )
        for name, patients in groups.items()
    ]
    request = comparison_request([*groups], kind, metrics, alignment, **options)  # type: ignore[arg-type]
    return compare_runs(request, runs)


def left_edge(key: int, alignment: str, width: int) -> float:
    if alignment == "relative":
        return float(key * width)
    if alignment == "normalized":
        return key * width / 50
    month = key * width
    return float((date(month // 12, month % 12 + 1, 1) - date(1970, 1, 1)).days)


@settings(max_examples=12, deadline=None)
@given(
    runs_,
    years_,
    st.sampled_from([(a, w) for a, widths in WIDTHS.items() for w in widths]),
    st.sampled_from(["observed", "locf"]),
)
def test_series(
    patients: list[Patient], years: float, scale: tuple[str, int], observations: str
) -> None:
    alignment, width = scale
    found = compared(
        {"a": patients, "b": patients},
        years,
        alignment=alignment,
        bin_width=width,
        observations=observations,
        confidence=0.9,
    )
    rows = [row for row in found.series.to_pylist() if row["sim_id"] == "a"]
    expected = slow(patients, years, alignment, width)
    for metric in MEANS:
        method = "locf" if metric in {"injections", "visits"} else observations
        values = expected.values(metric, method, alignment)
        own = {row["x"]: row for row in rows if row["metric"] == metric}
        assert set(own) == {left_edge(key, alignment, width) for key in values}
        for key, raw in values.items():
            _check_mean(own[left_edge(key, alignment, width)], raw)
    for metric, (table, chosen) in SHARES.items():
        values = expected.values(table, observations, alignment)
        own = {row["x"]: row for row in rows if row["metric"] == metric}
        assert set(own) == {left_edge(key, alignment, width) for key in values}
        for key, raw in values.items():
            _check_share(own[left_edge(key, alignment, width)], sum(map(chosen, raw)), len(raw))
    for metric, names in STATES.items():
        values = expected.values(metric, observations, alignment)
        own = {(row["x"], row["state"]): row for row in rows if row["metric"] == metric}
        for key, raw in values.items():
            for code, name in enumerate(names):
                row = own.pop((left_edge(key, alignment, width), name))
                _check_share(row, raw.count(code), len(raw))
        assert not own
    _check_rates(rows, expected, alignment, width)


def _check_mean(row: Mapping[str, float], raw: list[int]) -> None:
    assert row["n"] == len(raw)
    assert row["mean"] == pytest.approx(np.mean(raw), **CLOSE)
    for name, share in {"p10": 0.1, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p90": 0.9}.items():
        assert row[name] == pytest.approx(np.quantile(raw, share), **CLOSE)
    if len(raw) == 1:
        assert math.isnan(row["sd"])
        assert math.isnan(row["ci_low"])
        return
    half = stats.t.ppf(0.95, len(raw) - 1) * np.std(raw, ddof=1) / math.sqrt(len(raw))
    assert row["ci_high"] == pytest.approx(np.mean(raw) + half, **CLOSE)


def _check_share(row: Mapping[str, float], events: int, n: int) -> None:
    low, high = proportion_confint(events, n, alpha=0.1, method="wilson")
    assert (row["n"], row["mean"]) == (n, pytest.approx(events / n, **CLOSE))
    assert row["ci_low"] == pytest.approx(low, **CLOSE)
    assert row["ci_high"] == pytest.approx(high, **CLOSE)


def _check_rates(
    rows: list[dict[str, float]], expected: CoarseSummary, alignment: str, width: int
) -> None:
    own = {row["x"]: row for row in rows if row["metric"] == "injection_rate"}
    days = {key: n for (key, _), n in expected.patient_days(alignment).items()}
    given_ = expected.visits[expected.visits["injected"].astype(bool)]
    both = zip(given_["time_days"], given_["since_start"], strict=True)
    keys = [expected.bin_of(alignment, *at) for at in both]
    if not len(expected.visits):
        assert not own
        return
    assert set(own) == {left_edge(key, alignment, width) for key in days}
    for key, n_days in days.items():
        row = own[left_edge(key, alignment, width)]
        assert row["n"] == keys.count(key)
        assert row["mean"] == pytest.approx(keys.count(key) / (n_days / 365.25), **CLOSE)


@settings(max_examples=12, deadline=None)
@given(runs_, runs_, years_)
def test_tests_at_the_end_take_each_patient_once(
    a: list[Patient], b: list[Patient], years: float
) -> None:
    found = compared({"a": a, "b": b}, years, "statistical", (*METRICS, "persistence"))
    rows = {
        (row["metric"], row["test"], row["state"]): row
        for row in found.tests.to_pylist()
        if row["time_point"] == "end"
    }
    last = {}
    for name, patients in {"a": a, "b": b}.items():
        ended = slow(patients, years, "relative", 7)
        last[name] = {
            metric: [v for own in ended.values(metric, "ended", "relative").values() for v in own]
            for metric in (*MEANS, *STATES)
        }
    for metric in MEANS:
        reference, comparator = last["a"][metric], last["b"][metric]
        if not reference or not comparator:
            assert (metric, "welch_t", "") not in rows
            continue
        row = rows[metric, "mann_whitney_u", ""]
        other = stats.mannwhitneyu(comparator, reference, method="asymptotic")
        assert (row["n_reference"], row["n_comparator"]) == (len(reference), len(comparator))
        assert row["statistic"] == other.statistic
        assert row["p_value"] == pytest.approx(other.pvalue, **CLOSE)
        difference = rows[metric, "welch_t", ""]["difference"]
        assert difference == pytest.approx(np.mean(comparator) - np.mean(reference), **CLOSE)
    for metric, (table, chosen) in SHARES.items():
        if last["a"][table] and last["b"][table]:
            shares = [np.mean([chosen(v) for v in last[name][table]]) for name in ("a", "b")]
            row = rows[metric, "two_proportion", ""]
            assert row["effect_size"] == pytest.approx(shares[1] - shares[0], **CLOSE)
    for metric, names in STATES.items():
        if last["a"][metric] and last["b"][metric]:
            table = [[last[n][metric].count(c) for c in range(len(names))] for n in ("a", "b")]
            filled = np.array(table)[:, np.sum(table, axis=0) > 0]
            row = rows[metric, "chi_square", ""]
            if filled.shape[1] > 1:
                other = stats.chi2_contingency(filled)
                assert row["p_value"] == pytest.approx(other.pvalue, **CLOSE)
            else:
                assert math.isnan(row["p_value"])


VISIT = Visit(0, 70, injected=True, state=1)


def stopped(day: float, baseline: int = 70) -> Patient:
    return Patient(0, baseline, (VISIT,), discontinued=True, stopped=day, stop_type="planned")


@pytest.mark.parametrize(
    ("patients", "name"),
    [
        ([Patient(0, 70, (VISIT,))], "one patient"),
        ([Patient(0, 70), Patient(3, 60)], "no visits"),
        ([Patient(0, 70, (VISIT,))] * 20, "constant values"),
        ([Patient(0, 70, (VISIT,), discontinued=False)] * 5, "all censored"),
        ([Patient(0, 70, (VISIT,), discontinued=None)] * 5, "nothing known of stops"),
        ([stopped(float(day)) for day in range(8)], "all discontinued"),
    ],
)
@pytest.mark.parametrize("kind", list(ComparisonType))
@pytest.mark.parametrize("alignment", list(TimeAlignment))
def test_odd_runs_are_compared_without_warnings(
    patients: list[Patient],
    name: str,
    kind: ComparisonType,
    alignment: TimeAlignment,
    recwarn: pytest.WarningsRecorder,
) -> None:
    others = [stopped(float(d), 60) for d in (10, 200, 900)] + [Patient(0, 66, (VISIT,))] * 3
    metrics = (*METRICS, "persistence", "cost", "workload_injector")
    found = compared({"odd": patients, "b": others}, 2.0, kind, metrics, alignment)
    assert not [warning for warning in recwarn if "ape_jupyter" in warning.filename]
    present = {(row["sim_id"], row["metric"]) for row in found.series.to_pylist()}
    named = {(item.sim_id, item.metric) for item in found.missing}
    assert present | named == {(run, metric) for run in ("odd", "b") for metric in metrics}
    assert ("odd", "vision") in (named if name == "no visits" else present)
    for row in found.tests.to_pylist():
        p_value = row["p_value"]
        assert math.isnan(p_value) or 0 <= p_value <= row["p_bh"] <= row["p_holm"] <= 1


def test_an_empty_bin_is_left_out_and_named_when_it_is_to_be_tested() -> None:
    early = [Patient(0, 70, (VISIT, Visit(400, 60, injected=False, state=1)))] * 3
    late = [Patient(0, 70, (VISIT, Visit(500, 60, injected=False, state=1)))] * 3
    found = compared(
        {"a": early, "b": late},
        2.0,
        "statistical",
        ("vision",),
        observations="observed",
        times=[0, 400],
    )
    assert found.series.to_pandas().groupby("sim_id", observed=True)["x"].apply(list).to_dict() == {
        "a": [0.0, 392.0],
        "b": [0.0, 476.0],
    }
    assert found.differences["x"].to_pylist() == [0.0]
    assert {row["time"] for row in found.tests.to_pylist()} == {0.0}
    assert [(m.sim_id, m.metric) for m in found.missing] == [("b", "vision")]
    assert "day 400" in found.missing[0].reason


def test_everybody_discontinued_on_one_day_ends_the_curve() -> None:
    found = compared(
        {"a": [stopped(30.0)] * 4, "b": [stopped(10.0)] * 4},
        2.0,
        "statistical",
        ("persistence",),
        bin_width=7,
    )
    curve = [row for row in found.series.to_pylist() if row["sim_id"] == "a"]
    assert [(row["x"], row["n"], row["mean"]) for row in curve] == [
        (7.0 * week, 4, 1.0) for week in range(5)
    ]
    (test,) = found.tests.to_pylist()
    expected = stats.logrank(stats.CensoredData([10.0] * 4), stats.CensoredData([30.0] * 4)).pvalue
    assert test["p_value"] == pytest.approx(expected, **CLOSE)
    assert math.isnan(test["effect_size"])  # nobody of a had an event while b was at risk


def test_the_family_of_all_tests_is_adjusted_together() -> None:
    a = [Patient(0, 70, (Visit(0, v, injected=True, state=1),)) for v in range(50, 70)]
    b = [Patient(0, 70, (Visit(0, v, injected=True, state=1),)) for v in range(55, 75)]
    one = compared({"a": a, "b": b}, 1.0, "statistical", ("vision",)).tests.to_pylist()
    two = compared({"a": a, "b": b}, 1.0, "statistical", ("vision", "vision_change"))
    first = two.tests.to_pylist()[0]
    assert first["p_value"] == one[0]["p_value"]
    assert first["p_holm"] > one[0]["p_holm"]


def test_runs_of_other_years_say_that_they_share_no_time() -> None:
    patients = [Patient(0, 70, (VISIT,))] * 3
    later = START.replace(year=START.year + 9)
    runs = [
        ComparedRun(
            sim_id=name,
            summary=summarise(tables_of(patients), START, 1.0),
            start_date=start,
            duration_years=1.0,
        )
        for name, start in {"a": START, "b": later}.items()
    ]
    found = compare_runs(comparison_request(["a", "b"], "statistical"), runs)
    assert any("share no calendar time" in note for note in found.notes)
    assert found.tests.num_rows == 0
