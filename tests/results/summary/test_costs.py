"""Costs and workloads against pandas on the raw tables."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from summary_cases import START, Patient, runs_, tables_of, years_
from summary_money import costs_of, resources_of

from ape_jupyter.library.registration import run_start
from ape_jupyter.model.comparison import TimeAlignment
from ape_jupyter.model.metrics import metric_definition
from ape_jupyter.results.canonical import ResultTables
from ape_jupyter.results.reading import RunFiles, read_run
from ape_jupyter.results.summary import Distribution, Kind, Method, SummaryBuilder, summarise
from ape_jupyter.results.summary.sketch import ACCURACY, bucket_estimates, buckets

RELATIVE = TimeAlignment.RELATIVE


def spent_by_week(tables: ResultTables, years: float) -> pd.DataFrame:
    """Cumulative costs of each patient in follow-up, a row for each week since enrolment."""
    assert tables.costs is not None
    patients, costs = tables.patients.to_pandas(), tables.costs.to_pandas()
    amounts = costs.columns[costs.dtypes == np.float64]
    by_patient = dict(list(costs.groupby(costs["patient_id"].astype(str))))
    start = patients["enrollment_date"].min().normalize()
    run_end = int(max(years * 365.25, 1.0))
    result = []
    for row in patients.itertuples():
        enrolled = (row.enrollment_date.normalize() - start).days
        own = by_patient.get(row.patient_id, costs.iloc[:0])
        days = (own["date"].dt.normalize() - row.enrollment_date.normalize()).dt.days.clip(lower=0)
        end = max(run_end - enrolled, 0)
        lost = row.discontinuation_type in {"death", "attrition", "administrative"}
        has_stopped = not pd.isna(row.discontinued) and bool(row.discontinued)
        if has_stopped and lost:
            since_start = row.discontinuation_time
            is_dated = not pd.isna(since_start)
            stopped = math.floor(since_start - row.enrollment_time_days) if is_dated else 0
            end = min(end, max(stopped, 0))
        end = max([end, *days])
        spent = own[amounts].groupby(days // 7).sum()
        result.append(spent.reindex(range(end // 7 + 1), fill_value=0.0).cumsum())
    return pd.concat(result)


def check_costs(tables: ResultTables, years: float) -> None:
    start = tables.patients["enrollment_date"].to_pandas().min().to_pydatetime()
    summary = summarise(tables, start, years)
    assert tables.costs is not None
    own_names = {"patient_id", "date", "visit_type", "injection_given", "oct_performed"}
    components = set(tables.costs.column_names) - own_names - {"total_cost"}
    columns = {"cost": "total_cost"} | {f"cost_{name}": name for name in components}
    raw = tables.costs.to_pandas()
    weeks = dict(list(spent_by_week(tables, years).groupby(level=0)))
    months = (raw["date"].dt.year * 12 + raw["date"].dt.month - 1).rename("bin")
    for metric, column in columns.items():
        seen = summary.moments(metric, Method.OBSERVED, TimeAlignment.ABSOLUTE)
        groups = raw[column].groupby(months)
        stats = groups.agg(["count", "sum", "min", "max"]).query("count > 0")
        assert seen.bins.tolist() == stats.index.tolist()
        assert seen.counts.tolist() == stats["count"].tolist()
        np.testing.assert_allclose(seen.sums, stats["sum"], rtol=1e-9)
        np.testing.assert_array_equal(seen.minima, stats["min"])
        np.testing.assert_array_equal(seen.maxima, stats["max"])

        carried = summary.moments(metric, Method.LOCF, RELATIVE)
        assert carried.bins.tolist() == sorted(weeks)
        sketch = Distribution.carried(
            *(
                summary.counts(metric, method, RELATIVE, Kind.SKETCH)
                for method in (Method.LOCF, Method.ENDED)
            )
        )
        for i, week in enumerate(carried.bins.tolist()):
            amounts = weeks[week][column].to_numpy()
            assert carried.counts[i] == len(amounts)
            assert carried.sums[i] == pytest.approx(amounts.sum(), rel=1e-9, abs=1e-5)
            assert carried.squares[i] == pytest.approx((amounts**2).sum(), rel=1e-9, abs=1e-2)
            median = bucket_estimates(sketch.values)[np.argmax(sketch.ecdf[i] >= 0.5)]
            exact = np.quantile(amounts, 0.5, method="inverted_cdf")
            assert median == pytest.approx(exact, rel=ACCURACY + 1e-9, abs=1.0)


@settings(max_examples=40, deadline=None)
@given(runs_, years_)
def test_costs_are_those_of_pandas(patients: list[Patient], years: float) -> None:
    patients = [Patient(0, 70), *patients]  # somebody enrols on the first day
    tables = tables_of(patients)
    costs = costs_of(patients, tables)
    check_costs(ResultTables(patients=tables.patients, visits=tables.visits, costs=costs), years)


def test_costs_and_workload_of_a_real_run(real_data: Path, tmp_path: Path) -> None:
    directory = next(real_data.glob("ape-results/*/visits_with_costs.parquet")).parent
    run = read_run(RunFiles.of_directory(directory), tmp_path)
    tables = run.tables.in_memory()
    check_costs(tables, run.details.duration_years)
    assert tables.resources is not None
    summary = summarise(tables, run_start(tables), run.details.duration_years)
    usage = tables.resources.to_pandas()
    months = usage["date"].dt.year * 12 + usage["date"].dt.month - 1
    for role in set(usage.columns) - {"date"}:
        own = summary.moments(f"workload_{role}", Method.OBSERVED, TimeAlignment.ABSOLUTE)
        expected = usage[role].fillna(0).groupby(months).agg(["size", "sum", "max"])
        assert own.counts.tolist() == expected["size"].tolist()
        assert own.sums.tolist() == expected["sum"].tolist()
        assert own.maxima.tolist() == expected["max"].tolist()
        counts = summary.counts(f"workload_{role}", Method.OBSERVED, TimeAlignment.ABSOLUTE)
        assert counts.counts @ counts.values == expected["sum"].sum()


def test_a_role_missing_on_a_day_saw_nobody_and_huge_days_keep_their_sum() -> None:
    builder = SummaryBuilder(START, 1.0)
    builder.add_resources(resources_of([3, None, 3, 40_000]))
    summary = builder.result()
    counts = summary.counts("workload_injector", Method.OBSERVED, TimeAlignment.ABSOLUTE)
    assert counts.values.tolist() == [0, 3, 32_767]
    assert counts.counts.tolist() == [1, 2, 1]
    moments = summary.moments("workload_injector", Method.OBSERVED, TimeAlignment.ABSOLUTE)
    assert moments.sums.tolist() == [40_006.0]


def test_each_amount_is_within_the_accuracy_of_its_bucket() -> None:
    amounts = np.geomspace(1, 1e7, 10_000)
    np.testing.assert_allclose(bucket_estimates(buckets(amounts)), amounts, rtol=ACCURACY + 1e-9)
    assert buckets(np.array([-5.0, 0.0, 0.01])).tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    ("metric", "unit"),
    [
        ("vision", "ETDRS letters"),
        ("gain_15", "share of patients"),
        ("cost_drug", "currency units per patient"),
        ("workload_injector", "sessions per working day"),
    ],
)
def test_every_metric_has_a_definition(metric: str, unit: str) -> None:
    definition = metric_definition(metric)
    assert definition is not None
    assert (definition.metric.id, definition.metric.unit) == (metric, unit)


@pytest.mark.parametrize("metric", ["hearing", "cost_", "workload", ""])
def test_what_is_no_metric_has_none(metric: str) -> None:
    assert metric_definition(metric) is None
