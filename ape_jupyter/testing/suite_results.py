"""The part of the suite that is about results: registering, opening, comparing."""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from ape_jupyter.errors import (
    InvalidArgumentError,
    InvalidResultsError,
    SimulationNotFoundError,
)
from ape_jupyter.library.interface import Library
from ape_jupyter.model.progress import Progress
from ape_jupyter.testing.runs import EXAMPLE_NAMES

__all__ = ["ComparisonTests", "RegistrationTests", "ResultsTests"]


def _tables(run: Path) -> tuple[pa.Table, pa.Table]:
    return pq.read_table(run / "patients.parquet"), pq.read_table(run / "visits.parquet")


class RegistrationTests:
    """Adding runs from tables."""

    def test_registers_tables(self, library: Library, example_runs: list[Path]) -> None:
        patients, visits = _tables(example_runs[0])
        run = library.register(
            patients,
            visits,
            protocol={"name": "My protocol", "version": "2", "dose_mg": 2},
            parameters={"engine_type": "abs", "seed": 7, "duration_years": 2.0},
            audit_log=[{"event": "made", "timestamp": "2026-01-01T00:00:00", "by": "me"}],
            name="my run",
            tags=["own", "b"],
            notes="Line one\nline two — with ✓",
        )
        assert run == library.get_metadata("my run")
        assert (run.n_patients, run.n_visits) == (len(patients), len(visits))
        assert (run.protocol_name, run.engine_type, run.seed) == ("My protocol", "abs", 7)
        assert run.duration_years == 2.0
        assert run.source.value == "registered"
        assert set(run.tags) == {"own", "b"}
        assert run.notes == "Line one\nline two — with ✓"
        data = library.load_simulation("my run")
        assert data.protocol.parameters["dose_mg"] == 2
        assert data.audit_log[0].event == "made"
        assert data.audit_log[0].data == {"by": "me"}
        assert data.load_results().visits.num_rows == len(visits)

    def test_registers_dataframes_and_files_alike(
        self, library: Library, example_runs: list[Path]
    ) -> None:
        patients, visits = _tables(example_runs[1])
        costs = pq.read_table(example_runs[1] / "visits_with_costs.parquet")
        parameters = {"duration_years": 3.0}
        frames = library.register(
            patients.to_pandas(),
            visits.to_pandas(),
            costs=costs.to_pandas(),
            parameters=parameters,
            name="frames",
        )
        files = library.register(
            example_runs[1] / "patients.parquet",
            str(example_runs[1] / "visits.parquet"),
            costs=example_runs[1] / "visits_with_costs.parquet",
            protocol=example_runs[1] / "protocol.yaml",
            parameters=parameters,
            parent="frames",
            name="files",
        )
        assert files.parent == frames.sim_id
        assert frames.has_costs
        assert files.has_costs
        one = library.load_simulation("frames").load_results()
        other = library.load_simulation("files").load_results()
        assert one.patients.equals(other.patients)
        assert one.visits.equals(other.visits)
        assert one.costs is not None
        assert one.costs.equals(other.costs)

    def test_names_every_fault(self, library: Library, example_runs: list[Path]) -> None:
        patients, visits = _tables(example_runs[0])
        visits = visits.drop_columns(["injected"])
        visits = visits.set_column(
            visits.column_names.index("vision"), "vision", pc.add(visits["vision"], 200)
        )
        doubled = pa.concat_tables([patients, patients.slice(0, 1)])
        with pytest.raises(InvalidResultsError) as caught:
            library.register(doubled, visits, name="faulty")
        assert "faulty" in caught.value.run
        columns = {fault.column for fault in caught.value.faults}
        assert columns >= {"injected", "vision", "patient_id"}
        assert any(fault.rows == len(visits) for fault in caught.value.faults)
        assert not library.get_all_metadata()

    def test_names_a_missing_file(self, library: Library, example_runs: list[Path]) -> None:
        with pytest.raises(InvalidResultsError) as caught:
            library.register(Path("nowhere.parquet"), example_runs[0] / "visits.parquet")
        assert [fault.file for fault in caught.value.faults] == ["nowhere.parquet"]

    def test_refuses_an_unknown_parent(self, library: Library, example_runs: list[Path]) -> None:
        with pytest.raises(SimulationNotFoundError):
            library.register(*_tables(example_runs[0]), parent="no such run")


class ResultsTests:
    """Opening runs."""

    def test_metadata_first_results_when_asked(
        self, filled: Library, example_runs: list[Path]
    ) -> None:
        data = filled.load_simulation(EXAMPLE_NAMES[1])
        assert data.metadata.sim_id == example_runs[1].name
        assert data.protocol.name == data.metadata.protocol_name
        assert data.protocol.digest == data.metadata.protocol_digest
        assert data.audit_log
        results = data.load_results()
        assert results.patients.num_rows == data.metadata.n_patients
        assert results.visits.num_rows == data.metadata.n_visits
        assert results.costs is not None
        assert results is data.load_results()

    def test_results_are_those_of_the_files(
        self, filled: Library, example_runs: list[Path]
    ) -> None:
        patients, visits = _tables(example_runs[0])
        results = filled.load_simulation(EXAMPLE_NAMES[0], load_data=True).load_results()
        order = [("patient_id", "ascending"), ("time_days", "ascending")]
        expected = visits.sort_by(order)
        assert results.visits["vision"].to_pylist() == expected["vision"].to_pylist()
        assert results.visits["patient_id"].to_pylist() == expected["patient_id"].to_pylist()
        assert results.patients["final_vision"].to_pylist() == (
            patients.sort_by("patient_id")["final_vision"].to_pylist()
        )

    def test_results_outlive_everything(self, filled: Library) -> None:
        data = filled.load_simulation(EXAMPLE_NAMES[0])
        visits = data.load_results().visits
        total = pc.sum(visits["vision"]).as_py()
        data.unload_results()
        filled.delete(EXAMPLE_NAMES[0])
        filled.close()
        assert pc.sum(visits["vision"]).as_py() == total


class ComparisonTests:
    """Comparing runs."""

    def test_series_are_those_of_the_visits(
        self, filled: Library, example_runs: list[Path]
    ) -> None:
        result = filled.compare_simulations(EXAMPLE_NAMES[:2], time_alignment="relative")
        assert [run.name for run in result.runs] == list(EXAMPLE_NAMES[:2])
        assert result.request.reference == example_runs[0].name
        assert result.differences.num_rows == 0
        _, visits = _tables(example_runs[0])
        bins = visits["time_days"].to_numpy() // 28
        vision = visits["vision"].to_numpy()
        series = result.series.to_pandas()
        series = series[series["sim_id"] == example_runs[0].name].set_index("x")
        for number in np.unique(bins):
            row, values = series.loc[28.0 * number], vision[bins == number]
            assert row["n"] == len(values)
            assert math.isclose(row["mean"], values.mean(), rel_tol=1e-12)
            assert math.isclose(row["p25"], np.quantile(values, 0.25), rel_tol=1e-12)

    def test_differences_are_comparator_minus_reference(
        self, filled: Library, example_runs: list[Path]
    ) -> None:
        result = filled.compare_simulations(
            EXAMPLE_NAMES[:2],
            "difference",
            metrics=["vision"],
            time_alignment="relative",
            reference=EXAMPLE_NAMES[1],
            confidence=0.9,
        )
        assert result.request.confidence == 0.9
        series = result.series.to_pandas()
        means = {
            key: frame.set_index("x")["mean"]
            for key, frame in series.groupby("sim_id", observed=True)
        }
        found = result.differences.to_pandas()
        assert set(found["reference"]) == {example_runs[1].name}
        assert set(found["comparator"]) == {example_runs[0].name}
        for row in found.itertuples():
            expected = means[example_runs[0].name][row.x] - means[example_runs[1].name][row.x]
            assert math.isclose(row.difference, expected, rel_tol=1e-9, abs_tol=1e-12)

    @pytest.mark.parametrize("alignment", ["absolute", "normalized"])
    def test_other_times(self, filled: Library, alignment: str) -> None:
        result = filled.compare_simulations(EXAMPLE_NAMES, time_alignment=alignment)
        frame = result.to_pandas()
        if alignment == "absolute":
            assert frame["x"].min().date() >= date(2023, 12, 1)
            assert set(frame["x"].dt.day) == {1}
        else:
            assert 0 <= frame["x"].min() <= frame["x"].max() <= 1
        assert result.summary()

    @pytest.mark.parametrize(
        "request_",
        [
            {"sim_ids": [EXAMPLE_NAMES[0]]},
            {"sim_ids": [EXAMPLE_NAMES[0], EXAMPLE_NAMES[0]]},
            {"comparison_type": "opinion"},
            {"metrics": ["height"]},
            {"metrics": []},
            {"time_alignment": "crooked"},
            {"reference": EXAMPLE_NAMES[2]},
            {"confidence": 1.0},
            {"confidence": 0},
            {"bin_width": 5, "time_alignment": "relative"},
            {"times": ["yesterday"]},
            {"observations": "guessed"},
            {"patients": {"age": (1, 2)}},
        ],
    )
    def test_refuses_what_it_can_not_compare(
        self, filled: Library, request_: dict[str, object]
    ) -> None:
        with pytest.raises(InvalidArgumentError):
            filled.compare_simulations(**{"sim_ids": EXAMPLE_NAMES[:2], **request_})  # type: ignore[arg-type]

    def test_options_are_carried_out(self, filled: Library) -> None:
        result = filled.compare_simulations(
            EXAMPLE_NAMES[:2],
            "statistical",
            "driving_vision",
            "absolute",
            observations="observed",
            bin_width=3,
            times=[date(2024, 11, 5)],
            patients={"baseline_vision": (30, None)},
        )
        assert set(result.to_pandas()["time"].dt.month) == {11}
        assert {row["test"] for row in result.tests.to_pylist()} == {
            "two_proportion",
            "chi_square",
        }
        assert result.request.patients[0].minimum == 30
        assert result.request.bin_width == 3
        assert result.metrics[0].unit == "share of patients"
        assert any("baseline_vision of at least 30" in note for note in result.notes)
        assert result.protocol_diff.num_rows > 0

    def test_names_what_a_run_lacks(self, filled: Library) -> None:
        result = filled.compare_simulations(EXAMPLE_NAMES, metrics=["cost", "vision"])
        lacking = {item.sim_id for item in result.missing}
        names = {run.sim_id: run.name for run in result.runs}
        assert {names[sim_id] for sim_id in lacking} == {EXAMPLE_NAMES[0], EXAMPLE_NAMES[2]}
        assert {item.reason for item in result.missing} == {"the run has no costs"}

    def test_refuses_an_unknown_run(self, filled: Library) -> None:
        with pytest.raises(SimulationNotFoundError):
            filled.compare_simulations([EXAMPLE_NAMES[0], "no such run"])

    def test_subgroups_costs_and_counts_come_along(self, filled: Library, tmp_path: Path) -> None:
        heard: list[Progress] = []
        result = filled.compare_simulations(
            EXAMPLE_NAMES[:2],
            "statistical",
            ["vision"],
            "relative",
            subgroups={"baseline_vision": [60]},
            cost_effectiveness=True,
            distributions=True,
            progress=heard.append,
        )
        assert set(result.series["subgroup"].to_pylist()) == {"", "below 60", "60 and above"}
        assert "interaction" in result.tests["test"].to_pylist()
        assert {m.metric for m in result.missing} == {"cost_effectiveness"}
        assert result.cost_effectiveness.num_rows == 0
        counts = result.distributions.to_pandas().query("by == '' and time_point == 'end'")
        at_end = result.tests.to_pandas().query("by == '' and time_point == 'end'").iloc[0]
        n_by_run = counts.groupby("sim_id", observed=True)["count"].sum()
        assert n_by_run[at_end["reference"]] == at_end["n_reference"]
        if heard:
            assert heard[-1].done == heard[-1].total > 0
            assert [step.done for step in heard] == sorted(step.done for step in heard)
        # In every form of library the page is made from the result alone.
        (page,) = result.save(tmp_path / "page.html")
        assert "bokeh" in page.read_text().lower()

    def test_is_told_in_the_log(self, filled: Library) -> None:
        since = max((event.seq for event in filled.events()), default=0)
        types = ("comparison_started", "comparison_finished")
        filled.compare_simulations(EXAMPLE_NAMES[:2], confidence=0.91)
        filled.compare_simulations(EXAMPLE_NAMES[:2], confidence=0.91)  # is remembered
        begun, ended = filled.events(since, types)
        assert (begun.type, ended.type) == types
        assert begun.data["metrics"] == ["vision"]
        assert ended.data["outcome"] == "finished"
        with pytest.raises(InvalidArgumentError):
            filled.compare_simulations(EXAMPLE_NAMES[:2], subgroups="no such column")
        assert filled.events(ended.seq, types)[-1].data["outcome"] == "failed"

    def test_can_be_repeated_from_its_provenance(self, filled: Library) -> None:
        result = filled.compare_simulations(
            EXAMPLE_NAMES[:2],
            "statistical",
            ["vision"],
            "absolute",
            EXAMPLE_NAMES[1],
            0.9,
            times=[date(2024, 11, 5)],
            patients={"baseline_vision": (30, None)},
            subgroups={"baseline_vision": [60]},
        )
        again = filled.compare_simulations(**result.provenance["parameters"])
        assert again.provenance == result.provenance
        assert again.tests.to_pandas().equals(result.tests.to_pandas())
