"""Comparisons from counts against pandas, numpy and scipy on the raw values."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.library.local import LocalLibrary
from ape_jupyter.model.comparison import TimeAlignment
from ape_jupyter.results.summary import CountTable, Kind, Method, Summary, TableKey
from ape_jupyter.services.compare import ComparedRun, compare_runs, comparison_request

START = datetime(2024, 1, 1)
Values = dict[int, list[int]]
values_by_week = st.dictionaries(
    st.integers(0, 30), st.lists(st.integers(0, 100), min_size=1, max_size=30), max_size=8
)


def summary_of(values: Values) -> Summary:
    cells = [(week, v) for week, observed in values.items() for v in observed]
    bins, vision = np.array(cells, int).reshape(-1, 2).T
    key = TableKey(Kind.COUNTS, "vision", Method.OBSERVED, TimeAlignment.RELATIVE)
    return Summary({key: CountTable.of_cells(bins, vision, np.ones_like(bins))})


def months_of(values: Values) -> dict[float, list[int]]:
    months: dict[float, list[int]] = {}
    for week, observed in values.items():
        months.setdefault(week // 4 * 28.0, []).extend(observed)
    return months


@settings(max_examples=200, deadline=None)
@given(values_by_week, values_by_week)
def test_statistics_are_those_of_the_raw_values(a: Values, b: Values) -> None:
    request = comparison_request(["a", "b"], "difference", None, "relative", None, 0.9)
    runs = [
        ComparedRun(sim_id=name, summary=summary_of(v), start_date=START, duration_years=2)
        for name, v in {"a": a, "b": b}.items()
    ]
    found = compare_runs(request, runs)
    series, differences = found.series, found.differences
    raw = {"a": months_of(a), "b": months_of(b)}
    rows = series.to_pylist()
    assert {(r["sim_id"], r["x"]) for r in rows} == {(s, x) for s in raw for x in raw[s]}
    for row in rows:
        observed = np.array(raw[row["sim_id"]][row["x"]], float)
        assert row["n"] == len(observed)
        assert row["mean"] == pytest.approx(observed.mean(), abs=1e-9)
        for name, share in {"p10": 0.1, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p90": 0.9}.items():
            assert row[name] == pytest.approx(np.quantile(observed, share), abs=1e-9)
        if len(observed) > 1:
            assert row["sd"] == pytest.approx(observed.std(ddof=1), abs=1e-9)
            half = stats.t.ppf(0.95, len(observed) - 1) * stats.sem(observed)
            assert row["ci_low"] == pytest.approx(observed.mean() - half, abs=1e-9)
            assert row["ci_high"] == pytest.approx(observed.mean() + half, abs=1e-9)
        else:
            assert np.isnan([row["sd"], row["ci_low"], row["ci_high"]]).all()
    _check_differences(differences.to_pylist(), raw["a"], raw["b"])


def _check_differences(
    rows: list[dict[str, float]], a: dict[float, list[int]], b: dict[float, list[int]]
) -> None:
    assert [row["x"] for row in rows] == sorted(set(a) & set(b))
    for row in rows:
        reference, comparator = (np.array(side[row["x"]], float) for side in (a, b))
        difference = comparator.mean() - reference.mean()
        assert row["difference"] == pytest.approx(difference, abs=1e-9)
        varies = len(reference) > 1 and len(comparator) > 1
        if varies and reference.std() + comparator.std() > 0:
            welch = stats.ttest_ind(comparator, reference, equal_var=False)
            interval = welch.confidence_interval(0.9)
            assert row["p_value"] == pytest.approx(welch.pvalue, abs=1e-9)
            assert row["ci_low"] == pytest.approx(interval.low, abs=1e-7)
            assert row["ci_high"] == pytest.approx(interval.high, abs=1e-7)


@pytest.mark.parametrize("alignment", ["absolute", "relative", "normalized"])
def test_series_of_a_run_equal_pandas(filled_library: LocalLibrary, alignment: str) -> None:
    result = filled_library.compare_simulations(
        ["calm-river", "bold-heron"], time_alignment=alignment
    )
    for run in result.runs:
        visits = filled_library.load_simulation(run.sim_id).load_results().visits_df()
        own = result.series.to_pandas().query("sim_id == @run.sim_id")
        assert own["n"].sum() == len(visits)
        weighted = (own["n"] * own["mean"]).sum() / own["n"].sum()
        assert weighted == pytest.approx(visits["vision"].mean(), abs=1e-9)


def test_absolute_time_is_the_first_day_of_each_month(filled_library: LocalLibrary) -> None:
    frame = filled_library.compare_simulations(["calm-river", "bold-heron"]).to_pandas()
    assert set(frame["x"].dt.day) == {1}
    visits = filled_library.load_simulation("calm-river").load_results().visits_df()
    assert frame["x"].min() == visits["date"].min().to_period("M").to_timestamp()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((["a"], "overlay", None, "relative", None, 0.95), "two different runs"),
        ((["a", "a"], "overlay", None, "relative", None, 0.95), "two different runs"),
        ((["a", "b"], "pie", None, "relative", None, 0.95), "overlay, side_by_side, difference"),
        ((["a", "b"], "overlay", ["hearing"], "relative", None, 0.95), "vision"),
        ((["a", "b"], "overlay", [], "relative", None, 0.95), "Metrics are"),
        ((["a", "b"], "overlay", None, "lunar", None, 0.95), "absolute, relative, normalized"),
        ((["a", "b"], "overlay", None, "relative", "c", 0.95), "reference"),
        ((["a", "b"], "overlay", None, "relative", None, 1.0), "between 0 and 1"),
    ],
)
def test_a_wrong_argument_says_what_is_possible(arguments: tuple[object, ...], words: str) -> None:
    with pytest.raises(InvalidArgumentError, match=words):
        comparison_request(*arguments)  # type: ignore[arg-type]


def test_summary_sentence_leads_with_difference_and_interval(filled_library: LocalLibrary) -> None:
    result = filled_library.compare_simulations(
        ["calm-river", "bold-heron"], "difference", time_alignment="relative"
    )
    assert "bold-heron − calm-river: " in result.summary()
    assert "95% interval" in result.summary()
    assert "nan" not in result.summary()


@pytest.mark.parametrize("kind", ["overlay", "difference"])
@pytest.mark.parametrize("alignment", ["absolute", "relative", "normalized"])
def test_figures_can_be_sent_to_a_browser(
    filled_library: LocalLibrary, kind: str, alignment: str
) -> None:
    from bokeh.embed import json_item

    result = filled_library.compare_simulations(
        ["calm-river", "bold-heron", "old-oak"], kind, time_alignment=alignment
    )
    figure = result.figure(dark=True)
    assert json_item(figure)["root_id"] == figure.id
    drawn = [item.label["value"] for item in figure.legend[0].items]
    assert len(drawn) == (3 if kind == "overlay" else 2)
