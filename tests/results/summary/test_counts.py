"""Counted tables against slow ones made with pandas, on made-up and on real runs."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from summary_cases import START, Patient, SlowSummary, Visit, runs_, tables_of, years_

from ape_jupyter.library.registration import run_start
from ape_jupyter.model.comparison import TimeAlignment
from ape_jupyter.results.canonical import ResultTables
from ape_jupyter.results.reading import RunFiles, read_run
from ape_jupyter.results.summary import CountTable, Distribution, Method, Summary, summarise
from ape_jupyter.results.summary.followup import TREATMENT_OUTCOMES

OF_VISITS = ("vision", "vision_change", "treatment_interval", "disease_state", "treatment_state")
CUMULATIVE = ("injections", "visits")


def as_dict(table: CountTable) -> dict[tuple[int, int], int]:
    cells = zip(table.bins.tolist(), table.values.tolist(), strict=True)
    return dict(zip(cells, table.counts.tolist(), strict=True))


def check(summary: Summary, slow: SlowSummary) -> None:
    for alignment in TimeAlignment:
        for metric in (*OF_VISITS, *CUMULATIVE):
            methods = [Method.LOCF, Method.ENDED]
            for method in [Method.OBSERVED, *methods] if metric in OF_VISITS else methods:
                own = as_dict(summary.counts(metric, method, alignment))
                expected = slow.counts(metric, method.value, alignment.value)
                assert own == expected, (metric, method, alignment)
        injected = as_dict(summary.counts("injection_rate", Method.OBSERVED, alignment))
        bins = slow._binned(alignment.value)
        assert injected == dict(Counter(zip(bins, slow.visits["injected"].map(int), strict=True)))
        days = as_dict(summary.counts("patient_days", Method.OBSERVED, alignment))
        assert days == slow.patient_days(alignment.value)
    ends = slow.treatment_ends()
    for method, chosen in ((Method.OBSERVED, True), (Method.WITHOUT_VISITS, False)):
        own = as_dict(summary.counts("persistence", method, TimeAlignment.RELATIVE))
        assert own == dict(
            Counter((d, TREATMENT_OUTCOMES.index(o)) for d, o, seen in ends if seen is chosen)
        )


@settings(max_examples=40, deadline=None)
@given(runs_, years_)
def test_counts_are_those_of_pandas(patients: list[Patient], years: float) -> None:
    tables = tables_of(patients)
    check(summarise(tables, START, years), SlowSummary(tables, START, years))


def first_patients(tables: ResultTables, n: int) -> ResultTables:
    """Return so many patients as the slow way counts in a second."""
    end = int(np.searchsorted(codes(tables), n))
    return ResultTables(patients=tables.patients.slice(0, n), visits=tables.visits.slice(0, end))


@pytest.mark.parametrize("name", ["calm-river", "bold-heron", "old-oak"])
def test_counts_of_generated_runs(results_folder: Path, name: str, tmp_path: Path) -> None:
    run = read_run(RunFiles.of_directory(next(results_folder.glob(f"*{name}"))), tmp_path)
    start, years = run_start(run.tables).replace(tzinfo=None), run.details.duration_years
    tables = first_patients(run.tables.in_memory(), 25)
    check(summarise(tables, start, years), SlowSummary(tables, start, years))


def test_counts_of_real_runs(real_data: Path, tmp_path: Path) -> None:
    directories = sorted(path.parent for path in real_data.glob("ape-results/*/visits.parquet"))
    assert directories
    for directory in directories:
        run = read_run(RunFiles.of_directory(directory), tmp_path)
        tables = run.tables.in_memory()
        start, years = run_start(run.tables).replace(tzinfo=None), run.details.duration_years
        some = first_patients(tables, 12)
        check(summarise(some, start, years), SlowSummary(some, start, years))

        summary = summarise(tables, start, years)
        visits = tables.visits.to_pandas()
        months = visits["date"].dt.year * 12 + visits["date"].dt.month - 1
        weeks = visits["time_days"] // 7
        for alignment, bins in ((TimeAlignment.RELATIVE, weeks), (TimeAlignment.ABSOLUTE, months)):
            expected = visits.groupby([bins.rename("bin"), "vision"]).size().to_dict()
            own = summary.counts("vision", Method.OBSERVED, alignment)
            assert as_dict(own) == expected, directory.name
        n = tables.patients.num_rows
        for alignment in TimeAlignment:
            for metric in ("injections", "visits"):
                ended = summary.counts(metric, Method.ENDED, alignment)
                assert ended.counts.sum() == n
                totals = tables.patients[f"total_{metric}"].to_numpy()
                if (np.bincount(codes(tables), minlength=n) == totals).all():
                    assert ended.counts @ ended.values == totals.sum()


def codes(tables: ResultTables) -> np.ndarray:
    return tables.visits["patient_id"].combine_chunks().indices.to_numpy()


@settings(max_examples=20, deadline=None)
@given(runs_, years_, st.sampled_from(["observed", "locf"]), st.sampled_from([1, 4, 13]))
def test_statistics_are_those_of_the_raw_values(
    patients: list[Patient], years: float, method: str, width: int
) -> None:
    tables = tables_of(patients)
    summary = summarise(tables, START, years)
    slow = SlowSummary(tables, START, years)
    for metric in ("vision", "vision_change"):
        own = [summary.counts(metric, m, TimeAlignment.RELATIVE) for m in Method]
        by_method = dict(zip(Method, own, strict=True))
        if method == "observed":
            distribution = Distribution.observed(by_method[Method.OBSERVED], width)
        else:
            distribution = Distribution.carried(
                by_method[Method.LOCF], by_method[Method.ENDED], width
            )
        # Coarse bins are made before anything is counted or carried.
        slow_coarse = SlowSummary(tables, START, years)
        slow_coarse.bin_of = lambda alignment, e, s: slow.bin_of(alignment, e, s) // width  # type: ignore[method-assign]
        raw = slow_coarse.values(metric, method, "relative")
        assert distribution.bins.tolist() == sorted(raw)
        for i, bin_ in enumerate(distribution.bins.tolist()):
            values = np.array(raw[bin_])
            assert distribution.n[i] == len(values)
            assert distribution.mean[i] == pytest.approx(values.mean(), abs=1e-9)
            if len(values) > 1:
                assert distribution.variance[i] == pytest.approx(values.var(ddof=1), abs=1e-9)
            else:
                assert np.isnan(distribution.variance[i])
            for share in (0.0, 0.1, 0.25, 0.5, 0.9, 1.0):
                expected = np.quantile(values, share)
                assert distribution.quantile(share)[i] == pytest.approx(expected, abs=1e-9)
            ecdf = [(values <= v).mean() for v in distribution.values]
            assert distribution.ecdf[i] == pytest.approx(ecdf)
            assert distribution.share_at_least(15)[i] == pytest.approx((values >= 15).mean())
            assert distribution.share_at_most(-15)[i] == pytest.approx((values <= -15).mean())


def test_nobody_has_visits() -> None:
    summary = summarise(tables_of([Patient(0, 70), Patient(10, 60)]), START, 1.0)
    assert summary.metrics == {"injections", "visits", "patient_days", "enrolment", "persistence"}
    waiting = summary.counts("visits", Method.LOCF, TimeAlignment.RELATIVE)
    assert set(waiting.values.tolist()) == {0}
    assert waiting.counts.max() == 2


def test_all_discontinue_at_once_and_lose_or_keep_their_follow_up() -> None:
    visits = (Visit(0, 70, injected=True, state=1),)
    dead = Patient(0, 70, visits, discontinued=True, stopped=10.0, stop_type="death")
    stopped = replace(dead, stop_type="deterioration")
    for patient, weeks in ((dead, 2), (stopped, 53)):
        summary = summarise(tables_of([patient] * 3), START, 1.0)
        carried = summary.counts("vision", Method.LOCF, TimeAlignment.RELATIVE)
        assert carried.bins.tolist() == list(range(weeks))
        assert set(carried.values.tolist()) == {70}
        assert set(carried.counts.tolist()) == {3}


def test_a_bin_without_visits_is_carried_but_not_observed() -> None:
    visits = (Visit(0, 70, injected=True, state=1), Visit(30, 75, injected=True, state=1))
    summary = summarise(tables_of([Patient(0, 70, visits)]), START, 0.1)
    observed = summary.counts("vision", Method.OBSERVED, TimeAlignment.RELATIVE)
    assert observed.bins.tolist() == [0, 4]
    carried = summary.counts("vision", Method.LOCF, TimeAlignment.RELATIVE)
    assert carried.values.tolist() == [70, 70, 70, 70, 75, 75]


@pytest.mark.parametrize("nulls", [True, False])
def test_without_discontinuation_columns_patients_stay_until_the_end(nulls: bool) -> None:
    visits = (Visit(0, 70, injected=True, state=1),)
    tables = tables_of([Patient(0, 70, visits, discontinued=None, stopped=None, stop_type=None)])
    if not nulls:
        names = ["discontinued", "discontinuation_time", "discontinuation_type"]
        tables = replace(
            tables,
            patients=tables.patients.drop_columns(names),
            visits=tables.visits.drop_columns(["next_interval_days"]),
        )
    summary = summarise(tables, START, 1.0)
    assert "persistence" not in summary.metrics
    days = summary.counts("patient_days", Method.OBSERVED, TimeAlignment.RELATIVE)
    assert days.counts.sum() == 365


def test_visits_that_are_not_sorted_or_not_of_these_patients_are_refused() -> None:
    visits = (Visit(9, 70, injected=True, state=1), Visit(0, 75, injected=True, state=1))
    with pytest.raises(ValueError, match="not sorted by time"):
        summarise(tables_of([Patient(0, 70, visits)]), START, 1.0)
    tables = tables_of([Patient(0, 70, visits[1:]), Patient(0, 70, visits[1:])])
    with pytest.raises(ValueError, match="not of these patients"):
        summarise(replace(tables, patients=tables.patients.slice(0, 1)), START, 1.0)
    with pytest.raises(ValueError, match="not sorted by patient"):
        summarise(replace(tables, visits=tables.visits.take(pa.array([1, 0]))), START, 1.0)


def test_absurd_days_do_not_make_absurd_tables() -> None:
    visits = (Visit(0, 70, injected=True, state=1), Visit(2_000_000, 75, injected=True, state=1))
    summary = summarise(tables_of([Patient(0, 70, visits)]), START, 1.0)
    assert summary.counts("vision", Method.LOCF, TimeAlignment.RELATIVE).bins.max() == 36_525 // 7
