"""Comparing some of the patients."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from summary_cases import START, Patient, runs_, tables_of, years_

from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.library.local import LocalLibrary
from ape_jupyter.model.comparison import PatientCriterion
from ape_jupyter.results.summary import summarise
from ape_jupyter.services.compare import patient_criteria
from ape_jupyter.services.compare.selection import chosen_patients, summary_of_patients


@settings(max_examples=30, deadline=None)
@given(runs_, years_, st.integers(0, 100), st.integers(0, 100))
def test_is_the_summary_of_a_run_of_those_patients(
    patients: list[Patient], years: float, low: int, high: int
) -> None:
    tables = tables_of(patients)
    criteria = patient_criteria({"baseline_vision": (low, high)})
    own = summary_of_patients(
        chosen_patients(criteria, tables.patients),
        {"patients": tables.patients, "visits": tables.visits},
        START,
        years,
    )
    chosen = [patient for patient in patients if low <= patient.baseline <= high]
    if chosen:
        expected = summarise(tables_of(chosen), START, years)
        assert own.to_arrow().equals(expected.to_arrow())
    else:
        assert not own.tables


@pytest.mark.parametrize(
    ("wanted", "criterion"),
    [
        ((None, 69), PatientCriterion(column="c", maximum=69)),
        ((20, 30.5), PatientCriterion(column="c", minimum=20, maximum=30.5)),
        ({"minimum": 20}, PatientCriterion(column="c", minimum=20)),
        ("F", PatientCriterion(column="c", values=("F",))),
        ([1, 2], PatientCriterion(column="c", values=("1", "2"))),
    ],
)
def test_criteria(wanted: object, criterion: PatientCriterion) -> None:
    assert patient_criteria({"c": wanted}) == (criterion,)


@pytest.mark.parametrize("wanted", [(1, 2, 3), (None, None), ("a", "b"), [], None, [None], {}])
def test_what_is_no_criterion_is_refused(wanted: object) -> None:
    with pytest.raises(InvalidArgumentError, match="baseline_vision"):
        patient_criteria({"baseline_vision": wanted})


def test_of_a_library(library: LocalLibrary, results_folder: Path) -> None:
    for run in results_folder.iterdir():
        patients = pq.read_table(run / "patients.parquet")
        sex = pa.array(["F" if i % 3 else "M" for i in range(patients.num_rows)])
        library.register(
            patients.append_column("sex", sex),
            run / "visits.parquet",
            parameters={"duration_years": 2.0},
            name=run.name.split("_")[-1],
        )
    result = library.compare_simulations(
        ["calm-river", "bold-heron"],
        "statistical",
        "vision",
        "relative",
        patients={"sex": "F", "baseline_vision": (None, 65)},
    )
    for run, size in zip(result.runs, ("n_reference", "n_comparator"), strict=True):
        results = library.load_simulation(run.sim_id).load_results()
        patients, visits = results.patients_df(), results.visits_df()
        own = patients[(patients["sex"] == "F") & (patients["baseline_vision"] <= 65)]
        seen = set(own["patient_id"]) & set(visits["patient_id"])
        end = next(r for r in result.tests.to_pylist() if r["time_point"] == "end")
        assert end[size] == len(seen)
    assert any("sex F and baseline_vision up to 65" in note for note in result.notes)
    again = library.compare_simulations(**result.provenance["parameters"])
    assert again.request == result.request
    with pytest.raises(InvalidArgumentError, match="no column 'age'"):
        library.compare_simulations(["calm-river", "bold-heron"], patients={"age": (50, 60)})
    with pytest.raises(InvalidArgumentError, match="no order"):
        library.compare_simulations(["calm-river", "bold-heron"], patients={"sex": (1, 2)})
