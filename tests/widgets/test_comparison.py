"""What the notebook component of comparisons answers to its view."""

from __future__ import annotations

import pytest

from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.library.local import LocalLibrary
from ape_jupyter.widgets import ComparisonOverlay

NAMES = ["calm-river", "bold-heron"]


@pytest.mark.parametrize(
    ("kind", "metric"),
    [
        ("overlay", "persistence"),
        ("side_by_side", "vision"),
        ("difference", "disease_state"),
        ("statistical", "driving_vision"),
        ("overlay", "treatment_state"),
    ],
)
def test_every_type_is_answered(filled_library: LocalLibrary, kind: str, metric: str) -> None:
    widget = ComparisonOverlay(filled_library, NAMES, comparison_type=kind, metric=metric)
    answer, _ = widget._methods()["compare"]({"theme": "dark"})
    assert answer["item"]["root_id"]
    assert answer["summary"]
    comparison = answer["comparison"]
    assert comparison["request"]["comparison_type"] == kind
    assert comparison["metrics"][0]["id"] == metric
    assert bool(comparison["tests"]["p_value"]) == (kind == "statistical")


def test_an_unknown_metric_is_refused(filled_library: LocalLibrary) -> None:
    with pytest.raises(InvalidArgumentError, match="hearing"):
        ComparisonOverlay(filled_library, NAMES, metric="hearing")
    widget = ComparisonOverlay(filled_library, NAMES)
    with pytest.raises(InvalidArgumentError, match="hearing"):
        widget.metric = "hearing"
