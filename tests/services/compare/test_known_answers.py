"""Comparing like with like: p-values are uniform, and intervals cover as often as they say."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ape_jupyter.model.comparison import TimeAlignment
from ape_jupyter.model.metrics import DEFINED_METRICS
from ape_jupyter.results.summary import (
    CountTable,
    Kind,
    Method,
    MomentTable,
    Summary,
    TableKey,
)
from ape_jupyter.results.summary.followup import CENSORED, TREATMENT_OUTCOMES
from ape_jupyter.results.summary.sketch import buckets
from ape_jupyter.services.compare import ComparedRun, comparison_request
from ape_jupyter.services.compare.measuring import at_the_end
from ape_jupyter.services.compare.scale import TimeScale
from ape_jupyter.services.compare.statistical import tests_of_metric as all_tests
from ape_jupyter.services.compare.statistical import with_adjusted_p_values

N_SEEDS = 1000
N_PATIENTS = 150
DAYS = 365
METRICS = ("vision", "driving_vision", "disease_state", "persistence", "cost", "injection_rate")
NULL = {"hazard_ratio": 1.0, "rate_ratio": 1.0}


def made_run(sim_id: str, rng: np.random.Generator) -> ComparedRun:
    """A run of which only the last values of patients are made, straight as a summary."""
    zeros = np.zeros(N_PATIENTS, np.int64)
    ones = zeros + 1
    vision = np.clip(rng.normal(62, 14, N_PATIENTS).round(), 0, 100).astype(np.int64)
    state = rng.choice(4, N_PATIENTS, p=[0.1, 0.5, 0.25, 0.15])
    stop = np.ceil(rng.exponential(500, N_PATIENTS)).astype(np.int64)
    outcome = np.where(stop <= DAYS, TREATMENT_OUTCOMES.index("planned"), CENSORED)
    injections = rng.poisson(5.0, N_PATIENTS).sum()
    counted = {
        ("vision", Method.ENDED): CountTable.of_cells(zeros, vision, ones),
        ("disease_state", Method.ENDED): CountTable.of_cells(zeros, state, ones),
        ("persistence", Method.OBSERVED): CountTable.of_cells(
            np.minimum(stop, DAYS), outcome, ones
        ),
        ("injection_rate", Method.OBSERVED): CountTable.of_cells(
            zeros[:1], ones[:1], injections[None]
        ),
        ("patient_days", Method.OBSERVED): CountTable.of_cells(
            zeros[:1], zeros[:1], np.array([N_PATIENTS * DAYS])
        ),
    }
    tables: dict[TableKey, CountTable | MomentTable] = {
        TableKey(Kind.COUNTS, metric, method, TimeAlignment.RELATIVE): table
        for (metric, method), table in counted.items()
    }
    cost = TableKey(Kind.MOMENTS, "cost", Method.ENDED, TimeAlignment.RELATIVE)
    amounts = rng.normal(9000, 1500, N_PATIENTS)
    tables[cost] = MomentTable.of_observations(zeros, amounts)
    tables[cost._replace(kind=Kind.SKETCH)] = CountTable.of_cells(zeros, buckets(amounts), ones)
    return ComparedRun(
        sim_id=sim_id,
        summary=Summary(tables),
        start_date=datetime(2024, 1, 1),
        duration_years=1.0,
    )


@pytest.fixture(scope="module")
def found() -> pd.DataFrame:
    """All tests of a thousand pairs, without the curves, which would take most of the time."""
    request = comparison_request(["a", "b"], "statistical", METRICS, "relative")
    scale = TimeScale(request.time_alignment, request.bin_width)
    rows = []
    for seed in range(N_SEEDS):
        rng = np.random.default_rng(seed)
        runs = {name: made_run(name, rng) for name in ("a", "b")}
        family = []
        for metric in METRICS:
            definition = DEFINED_METRICS[metric]
            ends = {name: at_the_end(run, definition) for name, run in runs.items()}
            family += all_tests(request, definition, scale, runs, ends)[0]
        rows += [{"seed": seed, **row} for row in with_adjusted_p_values(family)]
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("metric", "test"),
    [
        ("vision", "welch_t"),
        ("vision", "mann_whitney_u"),
        ("cost", "welch_t"),
        ("disease_state", "chi_square"),
        ("persistence", "log_rank"),
        ("injection_rate", "poisson_rates"),
    ],
)
def test_p_values_are_uniform(found: pd.DataFrame, metric: str, test: str) -> None:
    own = found[(found["metric"] == metric) & (found["test"] == test)]["p_value"]
    assert len(own) == N_SEEDS
    assert stats.kstest(own, "uniform").pvalue > 0.01
    # The tail is what decisions are made by: within three standard errors.
    assert (own < 0.05).mean() == pytest.approx(0.05, abs=3 * np.sqrt(0.05 * 0.95 / N_SEEDS))


@pytest.mark.parametrize(
    ("metric", "test"),
    [
        ("vision", "kolmogorov_smirnov"),
        ("driving_vision", "chi_square"),
        ("driving_vision", "two_proportion"),
    ],
)
def test_discrete_p_values_are_not_too_small(found: pd.DataFrame, metric: str, test: str) -> None:
    own = found[(found["metric"] == metric) & (found["test"] == test)]["p_value"]
    for level in (0.01, 0.05, 0.2):
        assert (own < level).mean() < level + 3 * np.sqrt(level * (1 - level) / N_SEEDS)


@pytest.mark.parametrize(
    ("metric", "effect"),
    [
        ("vision", "hedges_g"),
        ("vision", "cliffs_delta"),
        ("driving_vision", "risk_difference"),
        ("persistence", "hazard_ratio"),
        ("injection_rate", "rate_ratio"),
    ],
)
def test_intervals_cover_the_truth(found: pd.DataFrame, metric: str, effect: str) -> None:
    own = found[(found["metric"] == metric) & (found["effect"] == effect)]
    truth = NULL.get(effect, 0.0)
    covered = (own["effect_low"] <= truth) & (truth <= own["effect_high"])
    assert covered.mean() == pytest.approx(0.95, abs=3 * np.sqrt(0.05 * 0.95 / N_SEEDS))


@pytest.mark.parametrize("metric", ["vision", "cost", "driving_vision", "injection_rate"])
def test_intervals_of_differences_cover_nothing(found: pd.DataFrame, metric: str) -> None:
    own = found[(found["metric"] == metric) & found["difference"].notna()]
    covered = (own["difference_low"] <= 0) & (own["difference_high"] >= 0)
    assert covered.mean() == pytest.approx(0.95, abs=3 * np.sqrt(0.05 * 0.95 / N_SEEDS))


def test_holm_keeps_the_family(found: pd.DataFrame) -> None:
    any_positive = (found["p_holm"] < 0.05).groupby(found["seed"]).any()
    assert any_positive.mean() < 0.05 + 3 * np.sqrt(0.05 * 0.95 / N_SEEDS)
