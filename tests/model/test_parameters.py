"""Flattening documents."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ape_jupyter.model.parameters import (
    MAX_PARAMETERS,
    MAX_TEXT_CHARACTERS,
    Parameter,
    flattened,
)
from ape_jupyter.model.query import Range
from ape_jupyter.services.search.grammar import parse

DOCUMENTS = st.dictionaries(
    st.text(max_size=8) | st.integers(),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
        lambda below: (
            st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=5), below, max_size=3)
        ),
        max_leaves=10,
    ),
    max_size=5,
)


def test_values_are_typed() -> None:
    document = {
        "min_interval_days": 56,
        "enabled": True,
        "version": "1.0",
        "Weird key (mg)": {"Größe": 1.5, 1: 0.1},
        "types": ["planned", 3],
        "nothing": None,
        "huge": "1e999",
        "nan": float("nan"),
    }
    assert flattened("protocol", document) == (
        Parameter("protocol.min_interval_days", 56.0, "56"),
        Parameter("protocol.enabled", None, "true"),
        Parameter("protocol.version", 1.0, "1.0"),
        Parameter("protocol.weird_key_mg_.grosse", 1.5, "1.5"),
        Parameter("protocol.weird_key_mg_.1", 0.1, "0.1"),
        Parameter("protocol.types", None, "planned"),
        Parameter("protocol.types", 3.0, "3"),
        Parameter("protocol.huge", None, "1e999"),
        Parameter("protocol.nan", None, "nan"),
    )


def test_documents_are_bounded() -> None:
    deep: dict[str, object] = {}
    level = deep
    for _ in range(100):
        level["x"] = level = {}  # type: ignore[assignment]
    level["bottom"] = 1
    wide = {str(n): "y" * 10_000 for n in range(5000)}
    assert flattened("protocol", deep) == ()
    parameters = flattened("protocol", wide)
    assert len(parameters) == MAX_PARAMETERS
    assert all(len(parameter.text) == MAX_TEXT_CHARACTERS for parameter in parameters)


@given(DOCUMENTS)
def test_every_path_can_be_searched(document: dict[object, object]) -> None:
    for parameter in flattened("protocol", document):  # type: ignore[arg-type]
        assert parse(f"{parameter.path}>=1") == Range(parameter.path, 1, None)
        parameter.text.encode()
        assert "\0" not in parameter.text
