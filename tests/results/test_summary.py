"""Summaries against pandas on the raw visits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ape_jupyter.library.registration import run_start
from ape_jupyter.results.reading import RunFiles, RunResults, read_run
from ape_jupyter.results.summary import NORMALIZED_BINS, summarise


@pytest.fixture(params=["calm-river", "bold-heron", "old-oak"])
def run(results_folder: Path, request: pytest.FixtureRequest) -> RunResults:
    return read_run(RunFiles.of_directory(next(results_folder.glob(f"*{request.param}"))))


def test_counts_equal_those_of_pandas(run: RunResults) -> None:
    start, years = run_start(run.tables), run.details.duration_years
    summary = summarise(run.tables, start, years).to_pandas()
    visits = run.tables.visits.to_pandas()
    day = visits["date"].dt.normalize()
    share = (day - pd.Timestamp(start.date())).dt.days / (years * 365.25)
    bins = {
        "relative": visits["time_days"] // 7,
        "absolute": day.dt.year * 12 + day.dt.month - 1,
        "normalized": np.floor(share * NORMALIZED_BINS).clip(0, NORMALIZED_BINS - 1).astype(int),
    }
    for alignment, bin_ in bins.items():
        expected = visits.groupby([bin_.rename("bin"), "vision"]).size()
        own = summary[summary["alignment"] == alignment].set_index(["bin", "value"])["count"]
        assert own.to_dict() == expected.to_dict(), alignment
    assert set(summary["metric"]) == {"vision"}


def test_every_visit_is_counted_once_for_each_alignment(run: RunResults) -> None:
    summary = summarise(run.tables, run_start(run.tables), 2.0).to_pandas()
    totals = summary.groupby("alignment", observed=True)["count"].sum()
    assert totals.to_dict() == dict.fromkeys(
        ("relative", "absolute", "normalized"), run.tables.visits.num_rows
    )
