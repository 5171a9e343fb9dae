"""Differences of protocols by meaning."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ape_jupyter.library.local import LocalLibrary
from ape_jupyter.services.compare import protocol_diff

values_ = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["a", "b"])
trees_ = st.recursive(
    values_,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xyz"), inner, max_size=3)
    ),
    max_leaves=8,
)
settings_ = st.dictionaries(st.sampled_from(["loading", "rules", "dose"]), trees_, max_size=3)


def differences(old: dict, new: dict) -> list[tuple]:
    table = protocol_diff("a", {"a": old, "b": new})
    return [(r["path"], r["old"], r["new"], r["unit"]) for r in table.to_pylist()]


def test_says_path_values_and_unit() -> None:
    old = {
        "name": "T&E",
        "min_interval_days": 28,
        "loading": {"injections": 3, "is_fixed": True},
        "baseline_vision": {"mean": 65},
        "steps": [{"weeks": 4}, {"weeks": 8}],
        "doses": [2, 4],
    }
    new = {
        "name": "Fixed",
        "min_interval_days": 56,
        "loading": {"is_fixed": 1},
        "baseline_vision": {"mean": 65.0},
        "steps": [{"weeks": 4}, {"weeks": 12}],
        "doses": [2, 6],
        "max_interval_days": 112,
    }
    assert differences(old, new) == [
        ("min_interval_days", "28", "56", "days"),
        ("loading.injections", "3", None, ""),
        ("loading.is_fixed", "true", "1", ""),
        ("steps[1].weeks", "8", "12", "weeks"),
        ("doses", "[2, 4]", "[2, 6]", ""),
        ("max_interval_days", None, "112", "days"),
    ]


@settings(max_examples=60, deadline=None)
@given(settings_, settings_)
def test_is_empty_for_equals_and_turns_around(old: dict, new: dict) -> None:
    assert differences(old, old) == []
    assert differences(old, dict(reversed(old.items()))) == []
    there = {(path, a, b) for path, a, b, _ in differences(old, new)}
    assert {(path, b, a) for path, a, b, _ in differences(new, old)} == there


def test_how_a_file_is_written_does_not_matter(
    library: LocalLibrary, results_folder: Path, tmp_path: Path
) -> None:
    run = next(d for d in results_folder.iterdir() if "calm-river" in d.name)
    protocol = yaml.safe_load((run / "protocol.yaml").read_text())
    for name, text in {
        "one": yaml.dump(protocol, sort_keys=True),
        "two": "# as JSON, which is YAML too\n" + json.dumps({**protocol, "author": "else"}),
    }.items():
        path = tmp_path / f"{name}.yaml"
        path.write_text(text)
        library.register(
            run / "patients.parquet",
            run / "visits.parquet",
            protocol=path,
            parameters={"seed": 1, "duration_years": 2.0},
            name=name,
        )
    result = library.compare_simulations(["one", "two"])
    assert result.protocol_diff.num_rows == 0


@pytest.mark.parametrize("kind", ["overlay", "difference", "statistical"])
def test_every_metric_has_its_words(filled_library: LocalLibrary, kind: str) -> None:
    names = ["calm-river", "bold-heron", "old-oak"]
    result = filled_library.compare_simulations(names, kind, "all", "relative")
    for metric in result.metrics:
        words = result.summary(metric.id)
        assert words.endswith(".")
        assert "nan" not in words
        assert words.count(". ") <= 3
    assert "bold-heron has no costs" not in result.summary("cost")
    assert "calm-river, as the run has no costs" in result.summary("cost")


def test_tests_are_told_with_effect_interval_and_adjusted_p(filled_library: LocalLibrary) -> None:
    result = filled_library.compare_simulations(
        ["calm-river", "bold-heron"], "statistical", "vision", "relative", confidence=0.9
    )
    row = next(r for r in result.tests.to_pylist() if r["time_point"] == "end")
    words = result.summary()
    assert words.startswith(f"bold-heron − calm-river: {row['difference']:+.1f} ETDRS letters (90%")
    assert f"Hedges' g {row['effect_size']:.2f}" in words
    assert "after Holm) at the end." in words


def test_provenance_is_enough_to_repeat(filled_library: LocalLibrary) -> None:
    first = filled_library.compare_simulations(
        ["calm-river", "bold-heron"],
        "statistical",
        ["vision", "persistence"],
        "relative",
        bin_width=14,
        times=[100, 200],
    )
    again = filled_library.compare_simulations(**first.provenance["parameters"])
    assert again.request == first.request
    assert repr(again.tests.to_pylist()) == repr(first.tests.to_pylist())
    assert first.provenance["checksums"] == {run.sim_id: run.checksum for run in first.runs}
