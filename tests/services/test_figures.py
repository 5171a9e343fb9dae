"""Figures hold what the tables say, and can be sent to a browser."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from bokeh.embed import json_item
from bokeh.models import LayoutDOM
from bokeh.plotting import figure

from ape_jupyter.demo.generator import RunSpec, write_results
from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.library.local import LocalLibrary

NAMES = ["calm-river", "bold-heron", "old-oak"]
METRICS = ["vision", "gain_15", "persistence", "disease_state", "injection_rate", "cost"]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, results_folder) -> Iterator[LocalLibrary]:
    with LocalLibrary.open(tmp_path_factory.mktemp("figures") / "library") as library:
        library.import_results(results_folder)
        yield library


def panels(drawn: LayoutDOM) -> list[figure]:
    return [drawn] if isinstance(drawn, figure) else [child for child, *_ in drawn.children]


@pytest.mark.parametrize(
    ("kind", "alignment"),
    [
        ("overlay", "relative"),
        ("side_by_side", "absolute"),
        ("difference", "normalized"),
        ("statistical", "relative"),
    ],
)
def test_every_metric_can_be_sent(shared: LocalLibrary, kind: str, alignment: str) -> None:
    result = shared.compare_simulations(NAMES, kind, METRICS, alignment)
    for metric in METRICS:
        drawn = result.figure(metric, dark=alignment == "absolute")
        assert json_item(drawn)["root_id"] == drawn.id


def test_shares_have_per_cent_and_fill_the_axis(shared: LocalLibrary) -> None:
    result = shared.compare_simulations(NAMES, metrics="driving_vision", time_alignment="relative")
    plot = result.figure()
    assert plot.yaxis[0].formatter.format == "0%"
    assert plot.y_range.end - plot.y_range.start < 1.5


def test_persistence_is_drawn_in_steps(shared: LocalLibrary) -> None:
    result = shared.compare_simulations(NAMES[:2], metrics="persistence", time_alignment="relative")
    source = result.figure().renderers[1].data_source.data
    x, mean = source["x"], source["mean"]
    # Either the time or the probability changes from one point to the next, not both.
    assert ((np.diff(x) == 0) | (np.diff(mean) == 0)).all()
    own = result.series.to_pandas().query("sim_id == @result.request.sim_ids[0]")
    assert mean[0] == own["mean"].iloc[0]
    assert x[-1] == own["x"].iloc[-1]


def test_panels_of_side_by_side_share_their_ranges(shared: LocalLibrary) -> None:
    result = shared.compare_simulations(NAMES, "side_by_side", "vision", "relative")
    drawn = panels(result.figure())
    assert [plot.title.text for plot in drawn] == NAMES
    assert len({plot.x_range.id for plot in drawn}) == 1
    assert len({plot.y_range.id for plot in drawn}) == 1


@pytest.mark.parametrize("metric", ["disease_state", "treatment_state"])
def test_states_add_up_to_all_patients(shared: LocalLibrary, metric: str) -> None:
    result = shared.compare_simulations(NAMES, metrics=metric, time_alignment="relative")
    for plot in panels(result.figure()):
        areas = [renderer.data_source.data for renderer in plot.renderers]
        for below, above in pairwise(areas):
            assert np.array_equal(below["y2"], above["y1"])
        assert areas[-1]["y2"] == pytest.approx(1.0)
        assert (areas[0]["y1"] == 0).all()
        colours = {renderer.glyph.fill_color for renderer in plot.renderers}
        assert len(colours) == len(areas)


def test_difference_of_a_state_can_be_chosen(shared: LocalLibrary) -> None:
    result = shared.compare_simulations(NAMES, "difference", "disease_state", "relative")
    drawn = result.figure(state="ACTIVE").renderers[1].data_source.data["difference"]
    rows = result.differences.to_pandas().query("state == 'ACTIVE'")
    rows = rows[rows["comparator"] == result.request.sim_ids[1]]
    assert np.array_equal(drawn, rows["difference"])
    with pytest.raises(InvalidArgumentError, match="STABLE"):
        result.figure(state="BORED")


def test_forest_has_a_row_for_each_comparator_and_time(shared: LocalLibrary) -> None:
    result = shared.compare_simulations(NAMES, "statistical", ["vision", "persistence"], "relative")
    plot = result.figure("vision")
    assert set(plot.y_range.factors) == {
        f"{row['comparator'].split('_')[-1]}, {row['time_point']}"
        for row in result.tests.to_pylist()
        if row["effect"] == "hedges_g"
    }
    # A hazard ratio of a half is as far from 1 as one of 2.
    assert type(result.figure("persistence").xaxis[0]).__name__ == "LogAxis"


def test_many_runs_are_one_glyph(shared: LocalLibrary, tmp_path) -> None:
    names = [f"many-{i}" for i in range(21)]
    for i, name in enumerate(names):
        write_results(tmp_path, RunSpec(memorable_name=name, n_patients=8, seed=100 + i))
    shared.import_results(tmp_path)
    result = shared.compare_simulations(names, metrics="vision", time_alignment="relative")
    (lines,) = result.figure().renderers
    assert len(lines.data_source.data["xs"]) == len(names)


def test_a_metric_that_no_run_has_is_an_empty_figure(shared: LocalLibrary) -> None:
    for kind in ("overlay", "side_by_side", "difference", "statistical"):
        result = shared.compare_simulations(NAMES[::2], kind, "cost", "relative")
        assert json_item(result.figure())
        assert "as the run has no costs" in result.summary()
