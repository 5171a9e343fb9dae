"""Costs against letters, on raw tables, by definition, by resampling and by simulation."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from ape_jupyter.demo.generator import RunSpec, write_results
from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.library.local import LocalLibrary
from ape_jupyter.services.compare.inference.cost_effectiveness import (
    Increment,
    JointMoments,
    acceptability,
    confidence_ellipse,
)

CLOSE = {"rel": 1e-9, "abs": 1e-9}

pairs_ = st.lists(
    st.tuples(st.floats(0, 1e5), st.integers(-100, 100).map(float)), min_size=2, max_size=30
).map(lambda rows: tuple(np.array(column) for column in zip(*rows, strict=True)))


@settings(deadline=None)
@given(pairs_, pairs_)
def test_moments_are_numpys_and_add_up(one: tuple, other: tuple) -> None:
    parts = [JointMoments.of(*one), JointMoments.of(*other)]
    both = [np.concatenate(columns) for columns in zip(one, other, strict=True)]
    expected = np.cov(*both)
    found = JointMoments.total(parts)
    assert (found.n, found.cost) == (len(both[0]), pytest.approx(both[0].mean(), **CLOSE))
    assert found.effect == pytest.approx(both[1].mean(), **CLOSE)
    scale = float(np.abs(expected).max()) + 1.0
    own = [found.var_cost, found.var_effect, found.covariance]
    wanted = [expected[0, 0], expected[1, 1], expected[0, 1]]
    np.testing.assert_allclose(own, wanted, rtol=1e-9, atol=1e-9 * scale)


increments_ = st.builds(
    lambda cost, effect, a, b, r: Increment(cost, effect, a * a, b * b, r * a * b),
    st.floats(-5e3, 5e3),
    st.floats(-10, 10),
    st.floats(1, 1e3),
    st.floats(0.01, 5),
    st.floats(-0.95, 0.95),
)


def is_inside(increment: Increment, ratio: float, confidence: float) -> bool:
    """The definition: cost − ratio·effect does not differ from 0."""
    z = stats.norm.ppf((1 + confidence) / 2)
    variance = (
        increment.var_cost - 2 * ratio * increment.covariance + ratio**2 * increment.var_effect
    )
    return (increment.cost - ratio * increment.effect) ** 2 <= z * z * variance


@settings(deadline=None)
@given(increments_, st.sampled_from([0.8, 0.95]), st.floats(-1e4, 1e4))
def test_fieller_holds_the_ratios_that_are_not_excluded(
    increment: Increment, confidence: float, ratio: float
) -> None:
    found = increment.ratio_interval(confidence)
    ends = [found.low, found.high]
    assume(not any(math.isclose(ratio, end, rel_tol=1e-6, abs_tol=1e-6) for end in ends))
    inside = {
        "between": lambda: found.low <= ratio <= found.high,
        "outside": lambda: ratio <= found.low or ratio >= found.high,
        "any": lambda: True,
    }[found.kind]()
    assert inside == is_inside(increment, ratio, confidence)


@settings(deadline=None)
@given(increments_, st.floats(0, 1e5))
def test_acceptability_is_the_probability_of_a_net_benefit(
    increment: Increment, threshold: float
) -> None:
    weights = np.array([-1.0, threshold])
    matrix = [
        [increment.var_cost, increment.covariance],
        [increment.covariance, increment.var_effect],
    ]
    spread = math.sqrt(weights @ np.array(matrix) @ weights)
    expected = stats.norm.cdf(weights @ [increment.cost, increment.effect] / spread)
    (found,) = acceptability(increment, np.array([threshold]))
    assert found == pytest.approx(expected, **CLOSE)


@settings(deadline=None)
@given(increments_, st.sampled_from([0.5, 0.95]))
def test_ellipse_lies_at_the_chi_square_distance(increment: Increment, confidence: float) -> None:
    effects, costs = confidence_ellipse(increment, confidence, 20)
    matrix = np.array(
        [
            [increment.var_effect, increment.covariance],
            [increment.covariance, increment.var_cost],
        ]
    )
    gaps = np.array([effects - increment.effect, costs - increment.cost])
    distance = (gaps * np.linalg.solve(matrix, gaps)).sum(axis=0)
    np.testing.assert_allclose(distance, stats.chi2.ppf(confidence, 2), rtol=1e-6)


@pytest.mark.parametrize(
    ("cost", "effect", "words"),
    [
        (-1, 1, "dominates"),
        (1, -1, "is dominated"),
        (1, 0, "is dominated"),
        (0, 1, "dominates"),
        (1, 1, "costs more, gains more"),
        (-1, -1, "costs less, gains less"),
        (0, 0, "equal"),
        (math.nan, 1, ""),
    ],
)
def test_dominance(cost: float, effect: float, words: str) -> None:
    assert Increment(cost, effect, 1, 1, 0).dominance == words


def test_intervals_cover_and_agree_with_the_bootstrap() -> None:
    rng = np.random.default_rng(3)
    matrix = [[9e5, -3e3], [-3e3, 120.0]]
    covered = []
    for _ in range(1000):
        one = rng.multivariate_normal([8000, 2], matrix, 200).T
        other = rng.multivariate_normal([9000, 7], matrix, 200).T
        increment = Increment.between(JointMoments.of(*one), JointMoments.of(*other))
        found = increment.ratio_interval(0.95)
        covered.append(found.kind == "between" and found.low <= 200 <= found.high)
    # Three standard errors of a thousand.
    assert np.mean(covered) == pytest.approx(0.95, abs=0.021)

    again = [
        [own[:, rng.integers(0, 200, 200)].mean(axis=1) for own in (one, other)]
        for _ in range(4000)
    ]
    gaps = np.array([b - a for a, b in again])
    np.testing.assert_allclose(
        np.cov(gaps.T),
        [[increment.var_cost, increment.covariance], [increment.covariance, increment.var_effect]],
        rtol=0.15,
    )
    matrix_of = np.linalg.inv(np.cov(gaps.T))
    centred = gaps - [increment.cost, increment.effect]
    inside = (centred @ matrix_of * centred).sum(axis=1) <= stats.chi2.ppf(0.95, 2)
    assert inside.mean() == pytest.approx(0.95, abs=0.02)


@pytest.fixture(scope="module")
def priced(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two runs of one currency and seed, one of another currency, one without costs."""
    folder = tmp_path_factory.mktemp("weighed")
    specs = [("pound", 4, True), ("sterling", 5, True), ("euro", 5, True), ("free", 6, False)]
    runs = {
        name: write_results(
            folder,
            RunSpec(memorable_name=name, n_patients=70, seed=seed, with_costs=has_costs),
        )
        for name, seed, has_costs in specs
    }
    path = runs["euro"] / "resource_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"costs": {"currency": "EUR"}}))
    return runs


def raw(run: Path) -> pd.DataFrame:
    """Cost and letters gained of the patients who came."""
    patients = pq.read_table(run / "patients.parquet").to_pandas().set_index("patient_id")
    visits = pq.read_table(run / "visits.parquet").to_pandas()
    visits = visits.sort_values(["patient_id", "time_days"], kind="stable")
    last = visits.groupby("patient_id")["vision"].last()
    costs = pq.read_table(run / "visits_with_costs.parquet").to_pandas()
    total = costs.groupby("patient_id")["total_cost"].sum()
    seen = patients.loc[last.index]
    return pd.DataFrame(
        {
            "cost": total.reindex(last.index, fill_value=0.0),
            "gain": last - seen["baseline_vision"],
            "baseline": seen["baseline_vision"],
        }
    )


def test_of_a_library(library: LocalLibrary, priced: dict[str, Path]) -> None:
    for run in priced.values():
        library.import_results(run)
    result = library.compare_simulations(
        [*priced],
        metrics=["vision", "cost"],
        cost_effectiveness=True,
        subgroups={"baseline_vision": [60]},
        confidence=0.9,
    )
    rows = {row["subgroup"]: row for row in result.cost_effectiveness.to_pylist()}
    assert set(rows) == {"", "below 60", "60 and above"}
    one, other = raw(priced["pound"]), raw(priced["sterling"])
    for level, chosen in (
        ("", lambda f: f),
        ("below 60", lambda f: f[f["baseline"] < 60]),
        ("60 and above", lambda f: f[f["baseline"] >= 60]),
    ):
        row, a, b = rows[level], chosen(one), chosen(other)
        assert (row["n_reference"], row["n_comparator"]) == (len(a), len(b))
        assert row["d_cost"] == pytest.approx(b["cost"].mean() - a["cost"].mean(), **CLOSE)
        assert row["d_effect"] == pytest.approx(b["gain"].mean() - a["gain"].mean(), **CLOSE)
        covariance = a[["cost", "gain"]].cov() / len(a) + b[["cost", "gain"]].cov() / len(b)
        assert row["var_d_cost"] == pytest.approx(covariance.loc["cost", "cost"], **CLOSE)
        assert row["cov_d_cost_d_effect"] == pytest.approx(covariance.loc["cost", "gain"], **CLOSE)
        assert row["icer"] == pytest.approx(row["d_cost"] / row["d_effect"], **CLOSE)
    reasons = {m.sim_id: m.reason for m in result.missing if m.metric == "cost_effectiveness"}
    assert reasons[result.runs[3].sim_id] == "the run has no costs"
    assert "EUR" in reasons[result.runs[2].sim_id]
    assert rows[""]["dominance"] in result.summary("cost")
    curve = result.acceptability([0.0, 1e9]).to_pandas()
    whole = curve[curve["subgroup"] == ""]["probability"]
    assert whole.iloc[0] == pytest.approx(rows[""]["p_less_costly"], **CLOSE)
    assert whole.iloc[1] == pytest.approx(rows[""]["p_more_effective"], abs=1e-4)
    assert result.acceptability().num_rows == 3 * 101
    assert result.confidence_ellipses(10).num_rows == 3 * 10
    with pytest.raises(InvalidArgumentError):
        result.acceptability([-1.0])


def test_pairs_take_what_patients_have_in_common_out(library: LocalLibrary, tmp_path: Path) -> None:
    runs = [
        write_results(
            tmp_path,
            RunSpec(
                memorable_name=name,
                n_patients=60,
                seed=9,
                with_costs=True,
            ),
        )
        for name in ("first", "second")
    ]
    costs = pq.read_table(runs[1] / "visits_with_costs.parquet").to_pandas()
    costs["total_cost"] += 10.0
    costs.to_parquet(runs[1] / "visits_with_costs.parquet")
    for run in runs:
        library.import_results(run)
    result = library.compare_simulations(
        ["first", "second"], "statistical", ["cost"], paired=True, cost_effectiveness=True
    )
    (row,) = result.cost_effectiveness.to_pylist()
    gaps = raw(runs[1])["cost"] - raw(runs[0])["cost"]
    assert row["is_paired"]
    assert row["d_cost"] == pytest.approx(gaps.mean(), **CLOSE)
    assert row["var_d_cost"] == pytest.approx(gaps.var() / len(gaps), **CLOSE)


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 1))
def test_nothing_can_be_said_of_too_few(n: int) -> None:
    few = JointMoments.of(np.ones(n), np.ones(n))
    increment = Increment.between(few, JointMoments(5, 1.0, 1.0, 1.0, 1.0, 0.0)) if n else None
    assert few.n == n
    assert increment is None or increment.ratio_interval(0.95).kind == ""
