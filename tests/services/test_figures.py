"""Figures hold what the tables say, and can be sent to a browser."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from bokeh.embed import file_html, json_item
from bokeh.models import LayoutDOM, Line, PlainText, VArea, VBar
from bokeh.plotting import figure
from bokeh.resources import INLINE

from ape_jupyter.demo.generator import RunSpec, write_results
from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.library.local import LocalLibrary
from ape_jupyter.services.figures.palette import run_styles

NAMES = ["calm-river", "bold-heron", "old-oak"]
METRICS = ["vision", "gain_15", "persistence", "disease_state", "injection_rate", "cost"]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, results_folder) -> Iterator[LocalLibrary]:
    with LocalLibrary.open(tmp_path_factory.mktemp("figures") / "library") as library:
        library.import_results(results_folder)
        yield library


def panels(drawn: LayoutDOM) -> list[figure]:
    return [drawn] if isinstance(drawn, figure) else list(drawn.children)


def data_of(plot: figure, name: str) -> dict[str, np.ndarray]:
    """What the line of a run, or a state, is drawn of."""
    (line,) = (r for r in plot.renderers if r.name == name and isinstance(r.glyph, Line))
    return line.data_source.data


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
    assert plot.yaxis[0].formatter.format == "0.[0]%"
    assert plot.y_range.end - plot.y_range.start < 1.5


def test_persistence_is_drawn_in_steps_above_the_numbers_at_risk(shared: LocalLibrary) -> None:
    result = shared.compare_simulations(NAMES[:2], metrics="persistence", time_alignment="relative")
    curves, table = panels(result.figure())
    sim_id = result.request.sim_ids[0]
    source = data_of(curves, sim_id)
    x, mean = source["x"], source["mean"]
    # Either the time or the probability changes from one point to the next, not both.
    assert ((np.diff(x) == 0) | (np.diff(mean) == 0)).all()
    own = result.series.to_pandas().query("sim_id == @sim_id")
    assert mean[0] == own["mean"].iloc[0]
    assert source["day"][-1] == own["x"].iloc[-1]
    assert table.x_range is curves.x_range
    at_risk = table.renderers[0].data_source.data
    assert at_risk["n"][0] == str(own["n"].iloc[0])
    n_rows = len(table.yaxis[0].ticker.ticks)
    assert n_rows == 2
    # At time 0, and every quarter of the two years.
    assert len(at_risk["n"]) == n_rows * len(set(at_risk["x"]))


def test_panels_of_side_by_side_share_their_ranges(shared: LocalLibrary) -> None:
    result = shared.compare_simulations(NAMES, "side_by_side", "vision", "relative")
    drawn = panels(result.figure())
    assert [plot.title.text.text for plot in drawn] == NAMES
    assert len({plot.x_range.id for plot in drawn}) == 1
    assert len({plot.y_range.id for plot in drawn}) == 1


@pytest.mark.parametrize("metric", ["disease_state", "treatment_state"])
def test_states_add_up_to_all_patients(shared: LocalLibrary, metric: str) -> None:
    result = shared.compare_simulations(NAMES, metrics=metric, time_alignment="relative")
    for plot in panels(result.figure()):
        drawn = [renderer for renderer in plot.renderers if isinstance(renderer.glyph, VArea)]
        areas = [renderer.data_source.data for renderer in drawn]
        for below, above in pairwise(areas):
            assert np.array_equal(below["y2"], above["y1"])
        assert areas[-1]["y2"] == pytest.approx(1.0)
        assert (areas[0]["y1"] == 0).all()
        colours = {renderer.glyph.fill_color for renderer in drawn}
        assert len(colours) == len(areas)


def test_difference_of_a_state_can_be_chosen(shared: LocalLibrary) -> None:
    result = shared.compare_simulations(NAMES, "difference", "disease_state", "relative")
    drawn = data_of(result.figure(state="ACTIVE"), result.request.sim_ids[1])["difference"]
    rows = result.differences.to_pandas().query("state == 'ACTIVE'")
    rows = rows[rows["comparator"] == result.request.sim_ids[1]]
    assert np.array_equal(drawn, rows["difference"])
    with pytest.raises(InvalidArgumentError, match="STABLE"):
        result.figure(state="BORED")


def test_forest_has_a_row_for_each_comparator_and_time(shared: LocalLibrary) -> None:
    result = shared.compare_simulations(NAMES, "statistical", ["vision", "persistence"], "relative")
    plot = result.figure("vision")
    assert {text.text for text in plot.yaxis[0].major_label_overrides.values()} == {
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
    assert len(panels(result.figure(kind="side_by_side"))) == 20
    with pytest.raises(InvalidArgumentError, match="At most 20"):
        result.figure(kind="boxes")


def test_a_metric_that_no_run_has_is_an_empty_figure(shared: LocalLibrary) -> None:
    for kind in ("overlay", "side_by_side", "difference", "statistical"):
        result = shared.compare_simulations(NAMES[::2], kind, "cost", "relative")
        assert json_item(result.figure())
        assert "as the run has no costs" in result.summary()


def colours(plot: figure) -> dict[str, str]:
    return {r.name: r.glyph.line_color for r in plot.renderers if isinstance(r.glyph, Line)}


def test_a_run_has_one_colour_in_all_figures(shared: LocalLibrary) -> None:
    two = shared.compare_simulations(NAMES[:2], metrics=["vision", "injections"])
    three = shared.compare_simulations(NAMES, "difference", reference=NAMES[2])
    first = colours(two.figure("vision"))
    assert len(set(first.values())) == 2
    assert colours(two.figure("injections", dark=True)) == first
    assert first.items() <= colours(three.figure(kind="overlay")).items()
    assert first.items() <= colours(three.figure()).items()


def test_runs_that_fill_the_palette_still_look_different() -> None:
    ids = [f"sim_{i}" for i in range(24)]
    styles = run_styles(ids)
    assert len(set(styles.values())) == 24
    # Who is added changes nobody.
    assert run_styles(ids[:5]).items() <= styles.items()


def test_boxes_are_the_percentiles_of_the_series(shared: LocalLibrary) -> None:
    result = shared.compare_simulations(NAMES, metrics="vision", time_alignment="relative")
    plot = result.figure(kind="boxes")
    sim_id = result.request.sim_ids[0]
    (box,) = (r for r in plot.renderers if r.name == sim_id and isinstance(r.glyph, VBar))
    drawn = box.data_source.data
    own = result.series.to_pandas().query("sim_id == @sim_id").set_index("x")
    assert drawn["day"][0] == 0
    for percentile in ("p10", "p25", "p50", "p75", "p90"):
        assert drawn[percentile].tolist() == own.loc[drawn["day"], percentile].tolist()
    median = data_of(result.figure(kind="percentiles"), sim_id)["p50"]
    assert median.tolist() == own["p50"].dropna().tolist()


def test_small_multiples_share_their_time(shared: LocalLibrary) -> None:
    result = shared.compare_simulations(NAMES, metrics=METRICS, time_alignment="relative")
    drawn = panels(result.figure(kind="small_multiples"))
    # All but the metric with states.
    assert len(drawn) == len(METRICS) - 1
    assert len({plot.x_range.id for plot in drawn}) == 1
    assert [len(plot.legend) for plot in drawn] == [1, 0, 0, 0, 0]


def test_the_plane_has_a_point_in_an_ellipse(shared: LocalLibrary, tmp_path) -> None:
    for i, name in enumerate(["dear-one", "cheap-one"]):
        spec = RunSpec(memorable_name=name, n_patients=60, seed=50 + i, with_costs=True)
        write_results(tmp_path, spec)
    shared.import_results(tmp_path)
    result = shared.compare_simulations(
        ["dear-one", "cheap-one"], metrics="cost", cost_effectiveness=True
    )
    region, point = result.figure(kind="cost_effectiveness").renderers
    (row,) = result.cost_effectiveness.to_pylist()
    assert point.data_source.data["d_cost"] == [row["d_cost"]]
    assert point.data_source.data["d_effect"] == [row["d_effect"]]
    assert min(region.data_source.data["y"]) < row["d_cost"] < max(region.data_source.data["y"])


@pytest.mark.parametrize(
    ("metric", "kind", "why"),
    [
        ("vision", "pie", "only: overlay"),
        ("vision", "forest", "'statistical'"),
        ("vision", "difference", "'difference'"),
        ("vision", "survival", "no survival"),
        ("vision", "states", "no states"),
        ("vision", "cost_effectiveness", "cost_effectiveness=True"),
        ("gain_15", "percentiles", "no percentiles"),
        ("gain_15", "boxes", "no percentiles"),
        ("disease_state", "overlay", "has states"),
    ],
)
def test_a_figure_that_there_is_not_is_refused(
    shared: LocalLibrary, metric: str, kind: str, why: str
) -> None:
    result = shared.compare_simulations(NAMES, metrics=metric, time_alignment="relative")
    with pytest.raises(InvalidArgumentError, match=why):
        result.figure(kind=kind)


def test_names_are_never_read_as_tex_or_markup(shared: LocalLibrary) -> None:
    name = "$$x^2$$ <b>odd</b>"
    shared.update_metadata(NAMES[2], name=name)
    try:
        result = shared.compare_simulations(
            [*NAMES[:2], name], "statistical", "vision", "relative", reference=name
        )
        forest = result.figure()
        assert isinstance(forest.title.text, PlainText)
        for kind in ("difference", "side_by_side"):
            for plot in panels(result.figure(kind=kind)):
                assert isinstance(plot.yaxis[0].axis_label, PlainText)
                assert isinstance(plot.title.text, PlainText) or not plot.title.text
        page = file_html(result.figure(kind="overlay"), INLINE)
        assert "<b>odd" not in page
    finally:
        shared.update_metadata(name, name=NAMES[2])


def test_svg_is_drawn_on_demand(shared: LocalLibrary) -> None:
    result = shared.compare_simulations(NAMES, time_alignment="relative")
    assert result.figure(output_backend="svg").output_backend == "svg"
