"""The part of the suite that is about runs like another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from ape_jupyter.errors import InvalidArgumentError, SimulationNotFoundError
from ape_jupyter.testing.runs import EXAMPLE_NAMES

__all__ = ["SimilarityTests"]

PROTOCOL: dict[str, Any] = {
    "name": "Sweep",
    "min_interval_days": 28,
    "max_interval_days": 112,
    "protocol_type": "treat_and_extend",
    "doses": [1, 2, 3],
    "baseline_vision": {"mean": 65},
}
CHANGES: dict[str, dict[str, Any]] = {
    "base": {},
    "twin": {"name": "Other name", "author": "somebody"},
    "near": {"min_interval_days": 35},
    "far": {"min_interval_days": 168, "protocol_type": "fixed"},
    "list": {"doses": [1, 2]},
    "more": {"extension_days": 14},
    "text": {"max_interval_days": "as needed"},
}


class SimilarityTests:
    """Runs like another, and what they differ in."""

    @pytest.fixture
    def sweep(self, library: Any, example_runs: list[Path]) -> Any:
        """Give a library with runs whose protocols differ."""
        patients, visits = (
            pq.read_table(example_runs[0] / f"{table}.parquet") for table in ("patients", "visits")
        )
        for number, (name, changes) in enumerate(CHANGES.items()):
            library.register(
                patients,
                visits,
                protocol={**PROTOCOL, **changes},
                parameters={"seed": number, "engine_type": "abs", "duration_years": 2.0},
                name=name,
            )
        return library

    def test_finds_the_nearest_and_says_why(self, sweep: Any) -> None:
        found = sweep.similar("base")
        n_compared = 5 + 3  # parameters; engine, number of patients, duration
        assert {one.metadata.name: one.distance for one in found} == pytest.approx(
            {
                "twin": 0.0,
                "near": (35 - 28) / (168 - 28) / n_compared,
                "list": 1 / n_compared,
                "text": 1 / n_compared,
                "more": 1 / (n_compared + 1),
                "far": 2 / n_compared,
            }
        )
        assert [one.metadata.name for one in found[:3]] == ["twin", "near", "more"]
        told = {
            one.metadata.name: [(d.name, d.reference, d.other, d.distance) for d in one.differing]
            for one in found
        }
        assert told == {
            "twin": [],
            "near": [("protocol.min_interval_days", "28", "35", pytest.approx(0.05))],
            "list": [("protocol.doses", "1, 2, 3", "1, 2", 1.0)],
            "text": [("protocol.max_interval_days", "112", "as needed", 1.0)],
            "more": [("protocol.extension_days", None, "14", 1.0)],
            "far": [
                ("protocol.min_interval_days", "28", "168", 1.0),
                ("protocol.protocol_type", "treat_and_extend", "fixed", 1.0),
            ],
        }
        assert set(found[0].agreeing) == {
            *("engine_type", "n_patients", "duration_years"),
            *(f"protocol.{name}" for name in PROTOCOL if name not in ("name", "baseline_vision")),
            "protocol.baseline_vision.mean",
        }

    def test_knows_the_runs_of_now(self, sweep: Any, example_runs: list[Path]) -> None:
        sweep.delete("twin")
        sweep.import_results(example_runs[1])
        found = sweep.similar("base", limit=100)
        assert found[0].metadata.name == "near"
        assert found[-1].metadata.name == EXAMPLE_NAMES[1]
        assert sweep.similar("base", limit=1) == found[:1]
        differing = {one.name for one in found[-1].differing}
        assert {"engine_type", "model_type", "n_patients", "duration_years"} <= differing

    def test_refuses_what_it_can_not_find(self, library: Any) -> None:
        with pytest.raises(SimulationNotFoundError):
            library.similar("nowhere")
        for limit in (0, -1, 101, 10**30):
            with pytest.raises(InvalidArgumentError, match="limit"):
                library.similar("nowhere", limit=limit)
