"""Runs with the same patients, and runs that are replicates of each other."""

from __future__ import annotations

import math
import warnings
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar

from ape_jupyter.demo.generator import RunSpec, write_results
from ape_jupyter.demo.protocols import FIXED_Q8W, TREAT_AND_EXTEND
from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.library.local import LocalLibrary
from ape_jupyter.services.compare.inference.pairs import mcnemar, paired_t, wilcoxon

CLOSE = {"rel": 1e-9, "abs": 1e-9}
differences_ = st.lists(st.integers(-9, 9), min_size=1, max_size=40).map(np.array)
quick = settings(max_examples=60, deadline=None)


@quick
@given(differences_)
def test_paired_t_and_wilcoxon(differences: np.ndarray) -> None:
    own = paired_t(differences, 0.9)
    ranks = wilcoxon(differences)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        t = stats.ttest_1samp(differences, 0)
        if differences.any():
            signed = stats.wilcoxon(differences, method="approx")
    if len(differences) > 1 and differences.std() > 0:
        assert own.p_value == pytest.approx(t.pvalue, **CLOSE)
        assert own.difference.low == pytest.approx(t.confidence_interval(0.9).low, **CLOSE)
    if differences.any():
        assert ranks.statistic == signed.statistic
        assert ranks.p_value == pytest.approx(signed.pvalue, **CLOSE)
    else:
        assert math.isnan(ranks.p_value)


@quick
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60))
def test_mcnemar(pairs: list[tuple[bool, bool]]) -> None:
    one, other = np.array(pairs).T
    own = mcnemar(one, other, 0.95)
    table = [[(one & other).sum(), (one & ~other).sum()], [(~one & other).sum(), 0]]
    assert own.effect.size == pytest.approx(other.mean() - one.mean(), **CLOSE)
    if (one != other).any():
        expected = statsmodels_mcnemar(table, exact=False, correction=False)
        assert own.p_value == pytest.approx(expected.pvalue, **CLOSE)
    else:
        assert math.isnan(own.p_value)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Replicates of two arms; ``fixed-1`` has the seed of ``extend-1``."""
    folder = tmp_path_factory.mktemp("arms")
    for protocol, arm in ((TREAT_AND_EXTEND, "extend"), (FIXED_Q8W, "fixed")):
        for seed in (1, 2, 3):
            name = f"{arm}-{seed}"
            spec = RunSpec(protocol=protocol, n_patients=60, seed=seed, memorable_name=name)
            write_results(folder, spec)
    return folder


@pytest.fixture
def arms(library: LocalLibrary, folder: Path) -> LocalLibrary:
    library.import_results(folder)
    return library


def raw_change(folder: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    run = next(folder.glob(f"*{name}"))
    patients = pq.read_table(run / "patients.parquet").to_pandas().set_index("patient_id")
    visits = pq.read_table(run / "visits.parquet").to_pandas()
    last = visits.sort_values("time_days").groupby("patient_id")["vision"].last()
    patients = patients.sort_index()
    change = (last - patients["baseline_vision"]).reindex(patients.index)
    return change.to_numpy(), patients["baseline_vision"].to_numpy()


def test_same_patients_are_tested_in_pairs(arms: LocalLibrary, folder: Path) -> None:
    result = arms.compare_simulations(
        ["extend-1", "fixed-1", "fixed-2"],
        "statistical",
        ["vision_change", "driving_vision", "persistence"],
        "relative",
        paired=True,
    )
    rows = {(r["metric"], r["test"]): r for r in result.tests.to_pylist()}
    (one, baseline), (other, same_baseline) = (
        raw_change(folder, name) for name in ("extend-1", "fixed-1")
    )
    assert (baseline == same_baseline).all()
    both = ~np.isnan(one) & ~np.isnan(other)
    expected = stats.ttest_rel(other[both], one[both])
    row = rows["vision_change", "paired_t"]
    assert row["comparator"] == next(r.sim_id for r in result.runs if r.name == "fixed-1")
    assert row["n_reference"] == both.sum()
    assert row["p_value"] == pytest.approx(expected.pvalue, **CLOSE)
    assert row["difference_high"] == pytest.approx(expected.confidence_interval().high, **CLOSE)
    assert ("driving_vision", "mcnemar") in rows
    assert ("persistence", "log_rank") in rows
    share = 1 - (other - one)[both].var(ddof=1) / (one[both].var(ddof=1) + other[both].var(ddof=1))
    assert any(f"takes {share:.0%} off the variance" in note for note in result.notes)
    assert any("have no seed in common" in note for note in result.notes)
    # The paired tests belong to the family.
    assert row["p_holm"] >= row["p_bh"] >= row["p_value"]


def test_replicates_are_pooled(arms: LocalLibrary, folder: Path) -> None:
    names = [f"{arm}-{seed}" for arm in ("extend", "fixed") for seed in (1, 2, 3)]
    single = arms.compare_simulations(names, metrics="vision", time_alignment="relative")
    result = arms.compare_simulations(
        names, "statistical", "vision", "relative", pool_replicates=True, observations="observed"
    )
    ids = {run.name: run.sim_id for run in result.runs}
    assert result.request.sim_ids == (ids["extend-1"], ids["fixed-1"])
    one = single.series.to_pandas().set_index(["sim_id", "x"])
    for row in result.series.to_pandas().itertuples():
        arm = "extend" if row.sim_id == ids["extend-1"] else "fixed"
        members = [ids[f"{arm}-{seed}"] for seed in (1, 2, 3)]
        own = one.loc[[(sim_id, row.x) for sim_id in members if (sim_id, row.x) in one.index]]
        assert row.n == own["n"].sum()
        assert row.mean == pytest.approx(np.average(own["mean"], weights=own["n"]), **CLOSE)
        if len(own) > 1:
            half = stats.t.ppf(0.975, len(own) - 1) * stats.sem(own["mean"])
            assert row.ci_high == pytest.approx(own["mean"].mean() + half, **CLOSE)
        else:
            assert math.isnan(row.ci_high)
    end = next(r for r in result.tests.to_pylist() if r["time_point"] == "end")
    changes = [raw_change(folder, f"extend-{seed}")[0] for seed in (1, 2, 3)]
    assert end["n_reference"] == sum((~np.isnan(c)).sum() for c in changes)
    assert sum("an arm of 3 replicates" in note for note in result.notes) == 2
    assert result.summary().startswith("fixed-1 − extend-1: ")
    again = arms.compare_simulations(**result.provenance["parameters"])
    assert again.request == result.request


def test_the_same_seed_twice_is_no_replicate(arms: LocalLibrary, folder: Path) -> None:
    run = next(folder.glob("*extend-1"))
    arms.register(
        run / "patients.parquet",
        run / "visits.parquet",
        protocol=run / "protocol.yaml",
        parameters={"seed": 1, "duration_years": 5.0, "engine_type": "abs", "n_patients": 60},
        name="twin",
    )
    result = arms.compare_simulations(["extend-1", "twin"], pool_replicates=True)
    assert len(result.request.sim_ids) == 2


@pytest.mark.parametrize(
    "options",
    [{"paired": True}, {"comparison_type": "statistical", "paired": True, "pool_replicates": True}],
)
def test_what_does_not_fit_together_is_refused(arms: LocalLibrary, options: dict) -> None:
    with pytest.raises(InvalidArgumentError):
        arms.compare_simulations(["extend-1", "fixed-1"], **options)
