"""Parts of the patients, each against a run of only these; and whether the parts differ."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.meta_analysis import combine_effects
from statsmodels.stats.multitest import multipletests
from summary_cases import START, Patient, runs_, tables_of, years_

from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.library.local import LocalLibrary
from ape_jupyter.model.comparison import PatientGrouping
from ape_jupyter.results.summary import summarise
from ape_jupyter.services.compare import (
    ComparedRun,
    compare_runs,
    comparison_request,
    levels_of_runs,
    parts_of_run,
    patient_groupings,
    populations,
)
from ape_jupyter.services.compare.inference.heterogeneity import interaction
from ape_jupyter.services.compare.inference.outcome import Contrast
from ape_jupyter.services.compare.subgroups import grouped

CLOSE = {"rel": 1e-9, "abs": 1e-9}
METRICS = ("vision", "gain_15", "disease_state", "persistence", "injection_rate")


def run_of(name: str, patients: list[Patient], years: float) -> ComparedRun:
    return ComparedRun(
        sim_id=name,
        summary=summarise(tables_of(patients), START, years),
        start_date=START,
        duration_years=years,
    )


@settings(max_examples=10, deadline=None)
@given(runs_, runs_, years_, st.integers(1, 100))
def test_a_subgroup_is_compared_like_a_run_of_its_patients(
    one: list[Patient], other: list[Patient], years: float, cut: int
) -> None:
    groups = {"a": one, "b": other}
    (grouping,) = patient_groupings({"baseline_vision": [cut]})
    request = comparison_request([*groups], "statistical", METRICS, "relative")
    request = replace(request, subgroups=(grouping,), distributions=True)
    levels = {grouping: (f"below {cut}", f"{cut} and above")}
    runs = [run_of(name, patients, years) for name, patients in groups.items()]
    parts = {}
    for name, patients in groups.items():
        tables = dict(tables_of(patients).items())
        # What no summary is made of is not there, so it can not have been read.
        tables["patients"] = tables["patients"].drop_columns(["final_vision", "total_visits"])
        parts[name] = parts_of_run(request, levels, tables, START, years, lambda _: None)
    found = compare_runs(request, runs, subgroups=populations(levels, runs, parts))
    for level, chosen in (
        (f"below {cut}", lambda p: p.baseline < cut),
        (f"{cut} and above", lambda p: p.baseline >= cut),
    ):
        own = {name: [*filter(chosen, patients)] for name, patients in groups.items()}
        alone = [run_of(name, patients, years) for name, patients in own.items() if patients]
        for table in ("series", "differences", "tests", "distributions"):
            rows = [r for r in getattr(found, table).to_pylist() if r["subgroup"] == level]
            expected = []
            if len(alone) == 2:
                expected = getattr(compare_runs(request, alone), table).to_pylist()
            elif alone and table in ("series", "distributions"):
                names = [run.sim_id for run in alone]
                whole = compare_runs(request, [*alone, run_of("c", [], years)])
                expected = [r for r in getattr(whole, table).to_pylist() if r["sim_id"] in names]
            assert [_plain(row) for row in rows] == [_plain(row) for row in expected]


def _plain(row: Mapping[str, object]) -> dict[str, object]:
    """A row without what is of all tests, or says which patients they are."""
    of_all = {"by", "subgroup", "p_holm", "p_bh"}
    return {
        name: "nan" if isinstance(value, float) and math.isnan(value) else value
        for name, value in row.items()
        if name not in of_all
    }


contrasts_ = st.builds(Contrast, st.floats(-50, 50), st.floats(1e-3, 1e3))


@settings(deadline=None)
@given(st.lists(contrasts_, min_size=2, max_size=6))
def test_interaction_is_cochrans_q(contrasts: list[Contrast]) -> None:
    found = interaction(contrasts, 0.9)
    combined = combine_effects(
        np.array([c.estimate for c in contrasts]), np.array([c.variance for c in contrasts])
    )
    # statsmodels takes the difference of two large sums.
    large = sum(c.estimate**2 / c.variance for c in contrasts)
    assert found.statistic == pytest.approx(combined.q, rel=1e-9, abs=1e-12 * large + 1e-9)
    freedom = len(contrasts) - 1
    assert found.p_value == pytest.approx(stats.chi2.sf(found.statistic, freedom), **CLOSE)
    if len(contrasts) == 2:
        gap = contrasts[1].estimate - contrasts[0].estimate
        assert found.effect.size == pytest.approx(gap, **CLOSE)
        error = math.sqrt(contrasts[0].variance + contrasts[1].variance)
        assert found.effect.high - gap == pytest.approx(1.6448536269514722 * error, **CLOSE)
        assert found.statistic == pytest.approx((gap / error) ** 2, **CLOSE)
    elif found.statistic > 0:
        share = max(0.0, 1 - freedom / found.statistic)
        assert found.effect.size == pytest.approx(share, **CLOSE)


def test_logarithms_become_a_ratio_and_what_is_unknown_is_no_test() -> None:
    two = [Contrast(math.log(2), 0.1, is_log=True), Contrast(math.log(6), 0.2, is_log=True)]
    assert interaction(two, 0.95).effect.size == pytest.approx(3)
    for bad in (Contrast(1.0, 0.0), Contrast(math.nan, math.nan)):
        assert math.isnan(interaction([two[0], bad], 0.95).p_value)


@pytest.mark.parametrize(
    ("column", "cuts", "levels", "members"),
    [
        (pa.array(["M", "F", None, "F"]), (), ("F", "M"), {"F": [1, 3], "M": [0]}),
        (pa.array(["M", "F"]).dictionary_encode(), (), ("F", "M"), {"F": [1], "M": [0]}),
        (pa.array([True, None, False]), (), ("false", "true"), {"false": [2], "true": [0]}),
        (pa.array([2, 10, 1]), (), ("1", "2", "10"), {"1": [2], "2": [0], "10": [1]}),
        (
            pa.array([49.9, 50, math.nan, None, 70]),
            (50.0, 70.0),
            ("below 50", "50 to below 70", "70 and above"),
            {"below 50": [0], "50 to below 70": [1], "70 and above": [4]},
        ),
    ],
)
def test_levels(
    column: pa.Array, cuts: tuple[float, ...], levels: tuple[str, ...], members: dict
) -> None:
    grouping = PatientGrouping(column="c", cuts=cuts)
    chunked = pa.chunked_array([column])
    assert levels_of_runs(grouping, {"a": chunked, "b": None}) == levels
    found = {name: np.flatnonzero(own).tolist() for name, own in grouped(grouping, levels, chunked)}
    assert found == members


@pytest.mark.parametrize(
    ("column", "cuts", "words"),
    [
        (None, (), "no run's patients"),
        (pa.array([*range(13)]), (), "13 values.*cut points"),
        (pa.array(["a"]), (1.0,), "no order"),
    ],
)
def test_what_makes_no_subgroups(column: pa.Array | None, cuts: tuple, words: str) -> None:
    chunked = None if column is None else pa.chunked_array([column])
    with pytest.raises(InvalidArgumentError, match=f"(?i){words}"):
        levels_of_runs(PatientGrouping(column="c", cuts=cuts), {"a": chunked})


@pytest.mark.parametrize(
    "wanted", [{"a": [2, 1]}, {"a": [1, 1]}, {"a": ["x"]}, ["a", "a"], {"a": [*range(12)]}, [3]]
)
def test_what_is_no_grouping_is_refused(wanted: object) -> None:
    with pytest.raises(InvalidArgumentError):
        patient_groupings(wanted)  # type: ignore[arg-type]


@pytest.fixture
def library_with_sex(library: LocalLibrary, results_folder: Path) -> LocalLibrary:
    """Three runs, of which the second does not say the patients' sex."""
    for place, run in enumerate(sorted(results_folder.iterdir())):
        patients = pq.read_table(run / "patients.parquet")
        if place != 1:
            sex = pa.array(np.where(np.arange(patients.num_rows) % 3 > 0, "F", "M"))
            patients = patients.append_column("sex", sex)
        library.register(patients, pq.read_table(run / "visits.parquet"), name=f"run {place}")
    return library


def test_of_a_library(library_with_sex: LocalLibrary) -> None:
    names = ["run 0", "run 1", "run 2"]
    result = library_with_sex.compare_simulations(
        names,
        "statistical",
        ["vision", "persistence"],
        "relative",
        subgroups={"sex": None, "baseline_vision": [60]},
        times=[300],
    )
    tests = result.tests.to_pandas()
    by_sex = tests[tests["by"] == "sex"]
    assert set(by_sex["subgroup"]) == {"F", "M", ""}
    run_1 = result.runs[1].sim_id
    assert run_1 not in set(by_sex["comparator"])
    assert run_1 in set(tests[tests["by"] == "baseline_vision"]["comparator"])
    reasons = {(m.sim_id, m.metric, m.by): m.reason for m in result.missing}
    assert reasons[run_1, "vision", "sex"] == "its patients have no sex"
    # Of all tests one family, whatever the metric and the patients.
    known = tests["p_value"].notna()
    for method, column in (("holm", "p_holm"), ("fdr_bh", "p_bh")):
        adjusted = multipletests(tests.loc[known, "p_value"], method=method)[1]
        np.testing.assert_allclose(tests.loc[known, column], adjusted, rtol=1e-9)
    assert any(f"{len(tests[tests['by'] != ''])} are of subgroups" in n for n in result.notes)
    assert "subgroups" in result.summary("vision")
    repeated = library_with_sex.compare_simulations(**result.provenance["parameters"])
    pd.testing.assert_frame_equal(repeated.tests.to_pandas(), tests)
    assert len(pc.unique(result.at_risk([0, 300])["subgroup"])) == 5


def test_work_is_that_of_all_patients(filled_library: LocalLibrary) -> None:
    result = filled_library.compare_simulations(
        ["calm-river", "bold-heron"],
        metrics=["workload_nurse"],
        patients={"baseline_vision": (0, 100)},
    )
    assert {m.reason for m in result.missing} == {"a clinic's work is that of all its patients"}
