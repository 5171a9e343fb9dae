"""The part of the suite that is about linked results and checks."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ape_jupyter.demo.generator import write_package
from ape_jupyter.errors import (
    CorruptedDataError,
    InvalidResultsError,
    SimulationNotFoundError,
)
from ape_jupyter.library.interface import Library
from ape_jupyter.model.progress import Progress
from ape_jupyter.testing.runs import EXAMPLE_NAMES

__all__ = ["LinkTests", "VerificationTests"]


class LinkTests:
    """Results that stay where they are."""

    @pytest.fixture
    def own_runs(self, example_runs: list[Path], tmp_path: Path) -> list[Path]:
        """Give copies of the example runs, which a test may change."""
        return [Path(shutil.copytree(run, tmp_path / "own" / run.name)) for run in example_runs]

    def test_linked_runs_are_like_others(
        self, library: Library, own_runs: list[Path], example_runs: list[Path]
    ) -> None:
        before = {file: file.read_bytes() for file in own_runs[1].iterdir()}
        (linked,) = library.import_results(own_runs[1], copy=False)
        assert linked.source.value == "linked"
        results = library.load_simulation(linked.sim_id).load_results()
        library.import_results(example_runs[0])
        assert library.compare_simulations([linked.sim_id, EXAMPLE_NAMES[0]]).series.num_rows > 0
        assert library.import_results(own_runs[1], copy=False).already_there
        assert {file: file.read_bytes() for file in own_runs[1].iterdir()} == before
        (copied,) = library.import_results(own_runs[1])
        assert (copied.source.value, copied.checksum) == ("imported", linked.checksum)
        shutil.rmtree(own_runs[1])
        assert library.load_simulation(linked.sim_id).load_results().visits.equals(results.visits)

    def test_a_vanished_file_is_named_and_a_returned_one_heals(
        self, library: Library, own_runs: list[Path]
    ) -> None:
        linked = library.import_results(own_runs[0].parent, copy=False)
        visits = own_runs[0] / "visits.parquet"
        moved = visits.rename(visits.with_name("elsewhere"))
        with pytest.raises(CorruptedDataError) as caught:
            library.load_simulation(EXAMPLE_NAMES[0]).load_results()
        assert str(visits) in str(caught.value)
        assert EXAMPLE_NAMES[0] in str(caught.value)
        assert "import the run again" in str(caught.value)
        assert library.get_metadata(EXAMPLE_NAMES[0]).status.value == "quarantined"
        assert len(library.get_all_metadata()) == len(linked)
        library.load_simulation(EXAMPLE_NAMES[1]).load_results()
        moved.rename(visits)
        report = library.verify(repair=True)
        assert report.ok
        assert library.load_simulation(EXAMPLE_NAMES[0]).load_results().visits.num_rows > 0

    def test_packages_are_not_linked(self, library: Library, own_runs: list[Path]) -> None:
        package = write_package(own_runs[0].with_suffix(".zip"), own_runs[0])
        with pytest.raises(InvalidResultsError, match="can not be linked"):
            library.import_results(package, copy=False)
        assert len(library.get_all_metadata()) == 0


class VerificationTests:
    """Checks of a library."""

    @pytest.mark.parametrize("fast", [True, False])
    def test_a_sound_library_is_sound(self, filled: Library, fast: bool) -> None:
        filled.load_simulation(EXAMPLE_NAMES[0], load_data=True)
        told: list[Progress] = []
        report = filled.verify(fast=fast, progress=told.append)
        assert (report.ok, report.findings, report.fast) == (True, (), fast)
        assert report.n_runs == len(EXAMPLE_NAMES)
        assert told[-1].done == told[-1].total > 0
        assert "nothing is wrong" in str(report)

    def test_one_run_is_checked(self, filled: Library) -> None:
        assert filled.verify(EXAMPLE_NAMES[1]).n_runs == 1
        with pytest.raises(SimulationNotFoundError):
            filled.verify("no such run")
