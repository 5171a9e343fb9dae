"""The generator: same seed same files, files like real ones, numbers that hang together."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ape_jupyter.demo.generator import RunSpec, simulate, write_results
from ape_jupyter.demo.protocols import (
    EIGHT_WEEK_MINIMUM,
    FIXED_Q8W,
    PRN,
    PROTOCOLS,
    TREAT_AND_EXTEND,
)

TIME_BASED_STOPS = {
    "administrative",
    "attrition",
    "death",
    "deterioration",
    "poor_vision",
    "treatment_decision_stable",
    "treatment_decision_no_improvement",
}


def digests(run: Path) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in run.iterdir()}


@pytest.fixture(scope="module")
def time_based(tmp_path_factory: pytest.TempPathFactory) -> Path:
    spec = RunSpec(n_patients=4_000, duration_years=5, seed=7)
    return write_results(tmp_path_factory.mktemp("time-based"), spec)


@pytest.fixture(scope="module")
def visit_based(tmp_path_factory: pytest.TempPathFactory) -> Path:
    spec = RunSpec(
        protocol=FIXED_Q8W, model_type="visit_based", n_patients=1_000, duration_years=5, seed=7
    )
    return write_results(tmp_path_factory.mktemp("visit-based"), spec)


@pytest.fixture(scope="module")
def with_costs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    spec = RunSpec(n_patients=900, duration_years=3, seed=8, with_costs=True)
    return write_results(tmp_path_factory.mktemp("costs"), spec)


class TestFiles:
    def test_equal_specifications_give_equal_bytes(self, tmp_path: Path) -> None:
        spec = RunSpec(with_costs=True, visit_order="event")
        first = write_results(tmp_path / "a", spec)
        assert digests(first) == digests(write_results(tmp_path / "b", spec))

    def test_seeds_differ(self) -> None:
        visits = [simulate(RunSpec(seed=seed)).visits["vision"].to_pylist() for seed in range(4)]
        assert len({tuple(column) for column in visits}) == 4

    def test_directory_name(self, tmp_path: Path) -> None:
        created_at = datetime(2025, 3, 9, 23, 5, 6, tzinfo=UTC)
        spec = RunSpec(duration_years=1.5, created_at=created_at, memorable_name="low-tide")
        run = write_results(tmp_path, spec)
        assert run.name == "sim_20250309_230506_01-50_low-tide"
        assert json.loads((run / "metadata.json").read_text())["sim_id"] == run.name

    def test_files_of_a_plain_run(self, time_based: Path) -> None:
        assert {file.name for file in time_based.iterdir()} == {
            "audit_log.json",
            "metadata.json",
            "metadata.parquet",
            "patient_index.parquet",
            "patients.parquet",
            "protocol.yaml",
            "summary_stats.json",
            "visits.parquet",
        }

    def test_files_of_resource_tracking(self, time_based: Path, with_costs: Path) -> None:
        names = {file.name for file in with_costs.iterdir()}
        assert names - {file.name for file in time_based.iterdir()} == {
            "bottlenecks.json",
            "cost_breakdown.json",
            "daily_resource_usage.parquet",
            "resource_config.json",
            "visits_with_costs.parquet",
            "workload_summary.json",
        }

    def test_the_audit_log_holds_the_checksum_of_the_protocol(self, time_based: Path) -> None:
        log = json.loads((time_based / "audit_log.json").read_text())
        content = (time_based / "protocol.yaml").read_bytes()
        assert log[0]["protocol"]["checksum"] == hashlib.sha256(content).hexdigest()
        assert yaml.safe_load(content)["name"] == TREAT_AND_EXTEND.name

    def test_a_run_is_not_written_over(self, tmp_path: Path) -> None:
        write_results(tmp_path, RunSpec())
        with pytest.raises(FileExistsError):
            write_results(tmp_path, RunSpec())

    def test_a_failed_run_leaves_nothing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: object, **__: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(pq, "write_table", full)
        with pytest.raises(OSError, match="No space left"):
            write_results(tmp_path, RunSpec())
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        "change",
        [
            {"n_patients": 0},
            {"duration_years": 0.01},
            {"duration_years": 51},
            {"created_at": datetime(2026, 1, 1)},
        ],
    )
    def test_impossible_specifications_are_refused(self, change: dict[str, object]) -> None:
        with pytest.raises(ValueError, match=next(iter(change))):
            RunSpec(**change)  # type: ignore[arg-type]


class TestOddities:
    """Every peculiarity that real files have."""

    def test_texts_are_large_strings(self, time_based: Path) -> None:
        for table in ("patients", "visits", "patient_index"):
            schema = pq.read_schema(time_based / f"{table}.parquet")
            assert schema.field("patient_id").type == pa.large_string()
        schema = pq.read_schema(time_based / "visits.parquet")
        assert schema.field("disease_state").type == pa.large_string()

    def test_numbers_are_int64(self, time_based: Path) -> None:
        schema = pq.read_schema(time_based / "visits.parquet")
        assert schema.field("vision").type == pa.int64()
        assert schema.field("time_days").type == pa.int64()

    def test_timestamps_have_no_zone(self, time_based: Path) -> None:
        patients = pq.read_schema(time_based / "patients.parquet")
        visits = pq.read_schema(time_based / "visits.parquet")
        assert patients.field("enrollment_date").type == pa.timestamp("us")
        assert visits.field("date").type == pa.timestamp("us")

    def test_next_interval_has_the_type_null(self, time_based: Path) -> None:
        schema = pq.read_schema(time_based / "visits.parquet")
        assert schema.field("next_interval_days").type == pa.null()

    def test_next_interval_can_be_recorded(self) -> None:
        visits = simulate(RunSpec(records_next_interval=True)).visits
        assert visits["next_interval_days"].type == pa.int64()

    def test_discontinuation_columns_are_null_when_nobody_stopped(self) -> None:
        spec = RunSpec(protocol=PRN, model_type="visit_based", duration_years=1)
        schema = simulate(spec).patients.schema
        for name in (
            "discontinuation_time",
            "discontinuation_type",
            "discontinuation_reason",
            "pre_discontinuation_vision",
        ):
            assert schema.field(name).type == pa.null(), name
        assert schema.field("discontinued").type == pa.bool_()

    def test_spelling_of_disease_states(self, time_based: Path) -> None:
        states = pd.read_parquet(time_based / "visits.parquet")["disease_state"].unique()
        assert set(states) == {
            "DiseaseState.NAIVE",
            "DiseaseState.STABLE",
            "DiseaseState.ACTIVE",
            "DiseaseState.HIGHLY_ACTIVE",
        }

    def test_fewer_patients_than_requested(self) -> None:
        counts = {len(simulate(RunSpec(seed=seed)).patients) for seed in range(8)}
        assert max(counts) <= 200
        assert min(counts) < 200

    def test_three_in_ten_patients_of_time_based_runs_have_no_visit(self, time_based: Path) -> None:
        patients = pd.read_parquet(time_based / "patients.parquet")
        visits = pd.read_parquet(time_based / "visits.parquet")
        without = patients[patients.total_visits == 0]
        assert 0.25 < len(without) / len(patients) < 0.35
        assert not without.patient_id.isin(visits.patient_id).any()
        assert (without.final_vision == without.baseline_vision).all()
        assert (without.total_injections == 0).all()

    def test_all_patients_of_visit_based_runs_have_visits(self, visit_based: Path) -> None:
        patients = pd.read_parquet(visit_based / "patients.parquet")
        assert (patients.total_visits > 0).all()

    @pytest.mark.parametrize("order", ["patient", "event"])
    def test_visits_are_sorted_within_chunks_only(self, order: str) -> None:
        n_patients = 12_000 if order == "patient" else 2_000
        spec = RunSpec(n_patients=n_patients, visit_order=order)  # type: ignore[arg-type]
        visits = simulate(spec).visits.to_pandas()[["patient_id", "time_days"]]
        assert len(visits) > 10_000
        for first in range(0, len(visits), 5_000):
            chunk = visits.iloc[first : first + 5_000]
            in_order = chunk.sort_values(["patient_id", "time_days"], kind="stable")
            assert in_order.index.equals(chunk.index)
        everything = visits.sort_values(["patient_id", "time_days"], kind="stable")
        assert not everything.index.equals(visits.index)

    def test_older_files(self, tmp_path: Path) -> None:
        spec = RunSpec(schema_version="1.0.0", timestamp_has_zone=False)
        run = write_results(tmp_path, spec)
        metadata = json.loads((run / "metadata.json").read_text())
        assert {"memorable_name", "model_type"}.isdisjoint(metadata)
        assert datetime.fromisoformat(metadata["timestamp"]).tzinfo is None
        columns = pq.read_schema(run / "patients.parquet").names
        assert not [name for name in columns if "discontinu" in name or name == "retreatment_count"]

    def test_newer_metadata(self, time_based: Path) -> None:
        metadata = json.loads((time_based / "metadata.json").read_text())
        assert metadata["memorable_name"] == "quiet-harbour"
        assert metadata["model_type"] == "time_based"
        assert metadata["timestamp"].endswith("+00:00")

    def test_ways_to_stop_differ_by_engine(self, time_based: Path, visit_based: Path) -> None:
        stops = pd.read_parquet(time_based / "patients.parquet")
        assert set(stops.discontinuation_type.dropna()) == TIME_BASED_STOPS
        assert stops.discontinuation_reason.equals(stops.discontinuation_type)
        planned = pq.read_table(visit_based / "patients.parquet")
        assert set(planned["discontinuation_type"].drop_null().to_pylist()) == {"planned"}
        assert planned["discontinuation_reason"].type == pa.null()

    def test_time_of_stopping_counts_from_the_start_of_the_run(self, time_based: Path) -> None:
        patients = pd.read_parquet(time_based / "patients.parquet")
        stopped = patients[patients.discontinued]
        assert (stopped.discontinuation_time >= stopped.enrollment_time_days).all()
        assert stopped.discontinuation_time.max() < 5 * 365.25
        assert patients[~patients.discontinued].discontinuation_time.isna().all()

    def test_metadata_parquet_is_a_summary(self, time_based: Path) -> None:
        (row,) = pq.read_table(time_based / "metadata.parquet").to_pylist()
        assert {"total_patients", "chunk_size", "has_resource_tracking"} <= set(row)


class TestSums:
    """Tables of one run agree with each other."""

    def test_patients_and_visits(self, time_based: Path, visit_based: Path) -> None:
        for run in (time_based, visit_based):
            patients = pd.read_parquet(run / "patients.parquet").set_index("patient_id")
            visits = pd.read_parquet(run / "visits.parquet")
            assert patients.index.is_unique
            by_patient = visits.sort_values("time_days").groupby("patient_id")
            assert by_patient.size().equals(
                patients.total_visits[patients.total_visits > 0].sort_index()
            )
            injections = by_patient.injected.sum()
            assert (patients.total_injections.loc[injections.index] == injections).all()
            assert (patients.final_vision.loc[injections.index] == by_patient.vision.last()).all()
            assert (by_patient.time_days.first() == 0).all()
            # NaN where a patient has one visit only, False where two share a day.
            assert by_patient.time_days.diff().dropna().gt(0).all()

    def test_dates_and_days(self, time_based: Path, visit_based: Path) -> None:
        for run, first_visit in ((time_based, 0), (visit_based, 1)):
            patients = pd.read_parquet(run / "patients.parquet").set_index("patient_id")
            visits = pd.read_parquet(run / "visits.parquet")
            enrolled = patients.enrollment_date.dt.normalize().loc[visits.patient_id]
            days = (visits.date.to_numpy() - enrolled.to_numpy()) // np.timedelta64(1, "D")
            assert (days - visits.time_days == first_visit).all()
            start = patients.enrollment_date.min()
            assert (
                (patients.enrollment_date - start).dt.days == patients.enrollment_time_days
            ).all()
            assert visits.date.max() < pd.Timestamp(2024, 1, 1) + pd.Timedelta(days=1826)

    def test_no_visit_after_the_end_of_treatment(self, time_based: Path) -> None:
        patients = pd.read_parquet(time_based / "patients.parquet")
        visits = pd.read_parquet(time_based / "visits.parquet").merge(patients, on="patient_id")
        stopped = visits[visits.discontinued]
        since_start = stopped.enrollment_time_days + stopped.time_days
        assert (since_start <= stopped.discontinuation_time).all()

    def test_summary_leaves_out_patients_without_visits(self, time_based: Path) -> None:
        patients = pd.read_parquet(time_based / "patients.parquet")
        summary = json.loads((time_based / "summary_stats.json").read_text())
        seen = patients[patients.total_visits > 0].final_vision
        assert summary["mean_final_vision"] == pytest.approx(seen.mean())
        assert summary["mean_final_vision"] != pytest.approx(patients.final_vision.mean())
        assert summary["total_injections"] == patients.total_injections.sum()
        assert summary["discontinuation_rate"] == pytest.approx(patients.discontinued.mean())

    def test_costs(self, with_costs: Path) -> None:
        priced = pd.read_parquet(with_costs / "visits_with_costs.parquet")
        visits = pd.read_parquet(with_costs / "visits.parquet")
        components = ["drug", "injection_procedure", "consultation", "oct_scan"]
        breakdown = json.loads((with_costs / "cost_breakdown.json").read_text())
        assert priced[components].sum().to_dict() == {name: breakdown[name] for name in components}
        assert breakdown["total"] == priced.total_cost.sum()
        assert (priced[components].sum(axis=1) == priced.total_cost).all()
        assert priced.injection_given.sum() == visits.injected.sum()
        assert priced.drug.notna().equals(priced.injection_given)
        assert priced.oct_scan.notna().equals(priced.oct_performed)
        log = json.loads((with_costs / "audit_log.json").read_text())
        assert log[-1]["total_costs"] == breakdown

    def test_costs_hold_appointments_that_nobody_came_to(self, with_costs: Path) -> None:
        priced = pd.read_parquet(with_costs / "visits_with_costs.parquet")
        visits = pd.read_parquet(with_costs / "visits.parquet")
        patients = pd.read_parquet(with_costs / "patients.parquet")
        missed = (patients.discontinued & (patients.total_visits > 0)).sum()
        assert missed > 0
        assert len(priced) == len(visits) + missed
        assert (priced.total_cost == 0).sum() >= missed

    def test_types_of_the_cost_tables(self, with_costs: Path) -> None:
        priced = pq.read_schema(with_costs / "visits_with_costs.parquet")
        assert priced.field("date").type == pa.large_string()
        assert priced.field("total_cost").type == pa.int64()
        assert priced.field("drug").type == pa.float64()
        usage = pq.read_schema(with_costs / "daily_resource_usage.parquet")
        assert usage.field("date").type == pa.large_string()
        assert pa.types.is_struct(usage.field("usage").type)

    def test_staff(self, with_costs: Path) -> None:
        priced = pd.read_parquet(with_costs / "visits_with_costs.parquet")
        usage = pq.read_table(with_costs / "daily_resource_usage.parquet").to_pylist()
        workload = json.loads((with_costs / "workload_summary.json").read_text())
        assert [row["date"] for row in usage] == sorted(priced.date.unique())
        by_type = priced.visit_type.value_counts().to_dict()
        assert workload["visits_by_type"] == by_type
        injections = by_type["injection_only"] + by_type["decision_with_injection"]
        assert sum(row["usage"]["injector"] or 0 for row in usage) == injections
        assert (
            max(row["usage"]["oct_operator"] or 0 for row in usage)
            == (workload["peak_daily_demand"]["oct_operator"])
        )
        assert None in {row["usage"]["oct_operator"] for row in usage}


class TestPlausibility:
    """Curves have the shape that clinicians expect."""

    @staticmethod
    def changes(spec: RunSpec) -> pd.Series:
        tables = simulate(spec)
        patients = tables.patients.to_pandas()[["patient_id", "baseline_vision"]]
        visits = tables.visits.to_pandas().merge(patients, on="patient_id")
        change = visits.vision - visits.baseline_vision
        return change.groupby((visits.time_days / 365.25).round().astype(int)).mean()

    @pytest.mark.parametrize("name", sorted(PROTOCOLS))
    def test_gain_then_slow_decline(self, name: str) -> None:
        spec = RunSpec(protocol=PROTOCOLS[name], n_patients=6_000, duration_years=5, seed=3)
        change = self.changes(spec)
        assert 3 < change[1] < 12
        assert change[4] < change[1]
        assert change[4] > -8

    def test_less_drug_means_less_vision(self) -> None:
        fixed, as_needed = (
            self.changes(RunSpec(protocol=p, n_patients=6_000, duration_years=5, seed=3))
            for p in (FIXED_Q8W, PRN)
        )
        assert fixed[3] > as_needed[3] + 1

    def test_loading_doses_come_first(self, time_based: Path) -> None:
        visits = pd.read_parquet(time_based / "visits.parquet")
        assert visits[visits.time_days < 84].injected.all()
        assert set(visits[visits.time_days < 84].time_days) == {0, 28, 56}

    def test_intervals_keep_to_the_protocol(self) -> None:
        for protocol in (TREAT_AND_EXTEND, EIGHT_WEEK_MINIMUM):
            visits = simulate(RunSpec(protocol=protocol, n_patients=1_000, duration_years=4)).visits
            frame = visits.to_pandas().sort_values(["patient_id", "time_days"])
            gaps = frame.groupby("patient_id").time_days.diff()[frame.time_days > 84]
            assert gaps.min() == protocol.min_interval_days
            assert gaps.max() == protocol.max_interval_days
            assert (gaps.dropna() % 7 == 0).all()

    def test_as_needed_injects_only_active_eyes(self) -> None:
        visits = simulate(RunSpec(protocol=PRN, n_patients=500)).visits.to_pandas()
        later = visits[visits.time_days > 84]
        assert not later[later.disease_state == "DiseaseState.STABLE"].injected.any()
        assert later.injected.any()

    def test_equal_seeds_enrol_equal_patients_under_every_protocol(self) -> None:
        columns = ["patient_id", "enrollment_date", "baseline_vision"]
        cohorts = [
            simulate(RunSpec(protocol=protocol, n_patients=300)).patients.select(columns)
            for protocol in PROTOCOLS.values()
        ]
        assert all(cohort.equals(cohorts[0]) for cohort in cohorts)


specs = st.builds(
    RunSpec,
    protocol=st.sampled_from(list(PROTOCOLS.values())),
    engine_type=st.sampled_from(["abs", "des"]),
    model_type=st.sampled_from(["time_based", "visit_based"]),
    n_patients=st.integers(1, 120),
    duration_years=st.floats(0.1, 12),
    seed=st.integers(0, 2**63),
    start_date=st.dates(date(1990, 1, 1), date(2060, 1, 1)),
    created_at=st.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)),
    with_costs=st.booleans(),
    schema_version=st.sampled_from(["1.0.0", "1.5.0"]),
    timestamp_has_zone=st.booleans(),
    visit_order=st.sampled_from(["patient", "event"]),
    records_next_interval=st.booleans(),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(spec=specs)
def test_every_specification_gives_a_sound_run(
    tmp_path_factory: pytest.TempPathFactory, spec: RunSpec
) -> None:
    run = write_results(tmp_path_factory.mktemp("run"), spec)
    patients = pq.read_table(run / "patients.parquet").to_pandas()
    visits = pq.read_table(run / "visits.parquet").to_pandas()
    assert 1 <= len(patients) <= spec.n_patients
    assert len(visits) >= 1
    for column in (patients.baseline_vision, patients.final_vision, visits.vision):
        assert column.between(0, 100).all()
    assert set(visits.patient_id) <= set(patients.patient_id)
    assert patients.total_visits.sum() == len(visits)
    assert patients.total_injections.sum() == visits.injected.sum()
    assert visits.time_days.between(0, spec.duration_days).all()
    assert patients.enrollment_time_days.min() == 0
    again = simulate(dataclasses.replace(spec))
    assert again.visits["vision"].to_pylist() == visits.vision.tolist()
