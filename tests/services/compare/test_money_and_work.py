"""Costs and workloads against pandas, and currencies that must not be mixed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from scipy import stats

from ape_jupyter.demo.generator import RunSpec, write_results
from ape_jupyter.library.local import LocalLibrary

CLOSE = {"rel": 1e-9, "abs": 1e-9}


@pytest.fixture(scope="module")
def priced(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two runs in pounds, the same as the second in euros, and one without a currency."""
    folder = tmp_path_factory.mktemp("priced")
    specs = [("pound", 4), ("sterling", 5), ("euro", 5), ("nameless", 6)]
    runs = [
        write_results(folder, RunSpec(memorable_name=n, n_patients=80, seed=s, with_costs=True))
        for n, s in specs
    ]
    for run, change in ((runs[2], {"currency": "EUR"}), (runs[3], {})):
        path = run / "resource_config.json"
        config = json.loads(path.read_text())
        config["costs"] = change
        path.write_text(json.dumps(config))
    return runs


@pytest.fixture
def library_of_priced(library: LocalLibrary, priced: list[Path]) -> LocalLibrary:
    for run in priced:
        library.import_results(run)
    return library


def total_costs(run: Path, component: str = "total_cost") -> pd.Series:
    costs = pq.read_table(run / "visits_with_costs.parquet").to_pandas()
    patients = pq.read_table(run / "patients.parquet").to_pandas()["patient_id"]
    return costs.groupby("patient_id")[component].sum().reindex(patients, fill_value=0.0)


@pytest.mark.parametrize(("metric", "column"), [("cost", "total_cost"), ("cost_drug", "drug")])
def test_costs_are_those_of_all_patients(
    library_of_priced: LocalLibrary, priced: list[Path], metric: str, column: str
) -> None:
    result = library_of_priced.compare_simulations(
        ["pound", "sterling"], "statistical", metric, "relative"
    )
    assert result.metrics[0].unit == "GBP per patient"
    row = next(r for r in result.tests.to_pylist() if r["time_point"] == "end")
    one, other = (total_costs(run, column).to_numpy() for run in priced[:2])
    welch = stats.ttest_ind(other, one, equal_var=False)
    assert row["n_reference"] == len(one)
    assert row["difference"] == pytest.approx(other.mean() - one.mean(), **CLOSE)
    assert row["p_value"] == pytest.approx(welch.pvalue, **CLOSE)
    assert row["difference_low"] == pytest.approx(welch.confidence_interval().low, rel=1e-9)
    assert "GBP per patient" in result.summary()


def test_currencies_never_share_an_axis(library_of_priced: LocalLibrary) -> None:
    names = ["pound", "sterling", "euro", "nameless"]
    result = library_of_priced.compare_simulations(names, "difference", ["cost", "vision"])
    ids = {run.name: run.sim_id for run in result.runs}
    reasons = {m.sim_id: m.reason for m in result.missing}
    assert set(reasons) == {ids["euro"], ids["nameless"]}
    assert "EUR" in reasons[ids["euro"]]
    assert "GBP" in reasons[ids["euro"]]
    assert "unknown currency" in reasons[ids["nameless"]]
    rows = result.series.to_pandas()
    assert set(rows[rows["metric"] == "cost"]["sim_id"]) == {ids["pound"], ids["sterling"]}
    assert set(rows[rows["metric"] == "vision"]["sim_id"]) == set(ids.values())


@pytest.mark.parametrize("months", [1, 3])
def test_sessions_by_working_day(
    library_of_priced: LocalLibrary, priced: list[Path], months: int
) -> None:
    result = library_of_priced.compare_simulations(
        ["pound", "sterling"], metrics=["workload_injector"], bin_width=months
    )
    run = result.runs[0]
    usage = pq.read_table(priced[0] / "daily_resource_usage.parquet").to_pandas()
    seen = usage["usage"].map(lambda by_role: by_role.get("injector") or 0)
    sessions = pd.Series(np.ceil(seen / 12).to_numpy(), pd.to_datetime(usage["date"]))
    start = pd.Timestamp(run.start_date).tz_localize(None).normalize()
    days = pd.bdate_range(start, start + pd.Timedelta(days=int(run.duration_years * 365.25)))
    daily = sessions.reindex(days, fill_value=0.0)
    assert daily.sum() == sessions[sessions.index <= days[-1]].sum()  # nobody works on Sundays
    expected = daily.groupby((daily.index.year * 12 + daily.index.month - 1) // months)
    own = result.series.filter(
        [sim_id.as_py() == run.sim_id for sim_id in result.series["sim_id"]]
    ).to_pandas()
    in_run = own[own["x"] <= (days[-1] - pd.Timestamp("1970-01-01")).days][: len(expected)]
    assert in_run["n"].tolist()[:-1] == expected.size().tolist()[:-1]
    assert in_run["mean"].tolist()[:-1] == pytest.approx(expected.mean().tolist()[:-1], **CLOSE)


def test_work_has_no_time_since_enrolment(library_of_priced: LocalLibrary) -> None:
    result = library_of_priced.compare_simulations(
        ["pound", "sterling"], metrics="workload_injector", time_alignment="relative"
    )
    assert result.series.num_rows == 0
    assert all("since enrolment" in item.reason for item in result.missing)


def test_a_role_or_component_that_is_not_there_is_named(library_of_priced: LocalLibrary) -> None:
    result = library_of_priced.compare_simulations(
        ["pound", "sterling"], metrics=["workload_pilot", "cost_parking"]
    )
    assert {(m.metric, m.sim_id) for m in result.missing} == {
        (metric, run.sim_id) for metric in ("workload_pilot", "cost_parking") for run in result.runs
    }
