"""All runs that APE wrote, and generated ones: against scipy and statsmodels on raw tables."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from scipy import stats
from statsmodels.duration.survfunc import survdiff

from ape_jupyter.library.local import LocalLibrary

CLOSE = {"rel": 1e-9, "abs": 1e-9}


class RawRun:
    """A run straight from its Parquet files."""

    def __init__(self, directory: Path, years: float) -> None:
        self.patients = pq.read_table(directory / "patients.parquet").to_pandas()
        visits = pq.read_table(directory / "visits.parquet").to_pandas()
        self.visits = visits.sort_values(["patient_id", "time_days"], kind="stable")
        self.last = self.visits.groupby("patient_id").last()
        baseline = self.patients.set_index("patient_id")["baseline_vision"]
        self.change = self.last["vision"] - baseline.reindex(self.last.index)
        self.run_end = int(years * 365.25)
        costs = directory / "visits_with_costs.parquet"
        self.costs = pq.read_table(costs).to_pandas() if costs.exists() else None

    def persistence(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Days on treatment and whether it was stopped, of patients who came."""
        if "discontinued" not in self.patients:
            return None
        own = self.patients[self.patients["patient_id"].isin(self.last.index)]
        own = own.set_index("patient_id")
        enrolled = pd.to_datetime(own["enrollment_date"])
        start = pd.to_datetime(self.patients["enrollment_date"]).min().normalize()
        since = (enrolled.dt.normalize() - start).dt.days
        horizon = np.maximum(self.run_end - since, self.last["time_days"].reindex(own.index))
        stop = np.floor(
            own["discontinuation_time"].astype(float) - own["enrollment_time_days"]
        ).clip(lower=0)
        stopped = own["discontinued"].astype(bool)
        event = stopped & (stop <= horizon)
        undated = stopped & stop.isna()
        last = self.last["time_days"].reindex(own.index)
        days = np.where(event, stop, np.where(undated, last, horizon))
        return days.astype(int), event.to_numpy()


def _compared(library: LocalLibrary, directories: list[Path]) -> Iterator[tuple[object, ...]]:
    runs = {run.sim_id: run for run in library.get_all_metadata()}
    raw = {d.name: RawRun(d, runs[d.name].duration_years) for d in directories}
    names = [d.name for d in directories]
    result = library.compare_simulations(names, "statistical", "all", "relative")
    rows = {
        (row["comparator"], row["metric"], row["test"]): row
        for row in result.tests.to_pylist()
        if row["time_point"] == "end" and not row["state"]
    }
    for name in names[1:]:
        yield name, raw[names[0]], raw[name], rows, result


def check(library: LocalLibrary, directories: list[Path]) -> int:
    n_checked = 0
    for name, a, b, rows, result in _compared(library, directories):
        for metric, one, other in (
            ("vision", a.last["vision"], b.last["vision"]),
            ("vision_change", a.change, b.change),
        ):
            one, other = one.to_numpy(float), other.to_numpy(float)
            welch = stats.ttest_ind(other, one, equal_var=False)
            row = rows[name, metric, "welch_t"]
            assert row["p_value"] == pytest.approx(welch.pvalue, **CLOSE)
            assert row["statistic"] == pytest.approx(welch.statistic, **CLOSE)
            interval = welch.confidence_interval(0.95)
            assert row["difference_low"] == pytest.approx(interval.low, **CLOSE)
            row = rows[name, metric, "mann_whitney_u"]
            ranks = stats.mannwhitneyu(other, one, method="asymptotic")
            assert row["statistic"] == ranks.statistic
            assert row["p_value"] == pytest.approx(ranks.pvalue, **CLOSE)
            row = rows[name, metric, "kolmogorov_smirnov"]
            smirnov = stats.ks_2samp(other, one, method="asymp")
            assert row["p_value"] == pytest.approx(smirnov.pvalue, **CLOSE)
        for metric, one, other in (
            ("loss_15", a.change <= -15, b.change <= -15),
            ("driving_vision", a.last["vision"] >= 70, b.last["vision"] >= 70),
        ):
            table = [[side.sum(), (~side).sum()] for side in (one, other)]
            if np.sum(table, axis=0).min() > 0:
                row = rows[name, metric, "chi_square"]
                assert row["p_value"] == pytest.approx(
                    stats.chi2_contingency(table).pvalue, **CLOSE
                )
        times = a.persistence(), b.persistence()
        if None not in times:
            (days_a, events_a), (days_b, events_b) = times
            row = rows[name, "persistence", "log_rank"]
            if not math.isnan(row["p_value"]):
                statistic, p_value = survdiff(
                    np.concatenate([days_a, days_b]),
                    np.concatenate([events_a, events_b]).astype(int),
                    np.repeat([0, 1], [len(days_a), len(days_b)]),
                )
                assert row["statistic"] == pytest.approx(statistic, **CLOSE)
                assert row["p_value"] == pytest.approx(p_value, **CLOSE)
                n_checked += 1
        has_costs = a.costs is not None and b.costs is not None
        assert has_costs == ((name, "cost", "welch_t") in rows)
        lacking = {item.sim_id for item in result.missing if item.metric == "cost"}
        assert (name in lacking) == (b.costs is None)
        n_checked += 1
    return n_checked


def test_generated_runs(filled_library: LocalLibrary, results_folder: Path) -> None:
    assert check(filled_library, sorted(results_folder.iterdir())) >= 2


def test_all_real_runs(library: LocalLibrary, real_data: Path) -> None:
    folder = real_data / "ape-results"
    library.import_results(folder)
    assert check(library, sorted(folder.iterdir())) >= 17
