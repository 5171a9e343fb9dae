"""What every form of library does with folders that it follows."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.library.interface import Library

__all__ = ["SETTLE_SECONDS", "WatchingTests", "eventually"]

SETTLE_SECONDS = 0.2
_DEADLINE_SECONDS = 60


def eventually(is_so: Callable[[], object]) -> None:
    """Wait until something is so; what goes on in other threads has no exact time."""
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while not is_so():
        if time.monotonic() > deadline:
            raise AssertionError("It did not come about.")
        time.sleep(SETTLE_SECONDS / 10)


class WatchingTests:
    """Folders that are followed."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        """Make a folder like that of an APE that is about to write its first run."""
        folder = tmp_path / "simulation_results"
        folder.mkdir()
        return folder

    def test_takes_in_what_is_there_and_what_comes(
        self, library: Library, example_runs: list[Path], folder: Path
    ) -> None:
        shutil.copytree(example_runs[0], folder / example_runs[0].name)
        watch = library.watch(folder, tags=["followed"], settle_seconds=SETTLE_SECONDS)
        eventually(lambda: library.search().total == 1)
        shutil.copytree(example_runs[1], folder / "batch" / example_runs[1].name)
        eventually(lambda: watch.state.n_taken_in == 2)
        runs = library.get_all_metadata()
        assert {run.sim_id for run in runs} == {run.name for run in example_runs[:2]}
        assert all(run.tags == ("followed",) for run in runs)
        state = watch.state
        assert [run.sim_id for run in state.recent] == [run.name for run in example_runs[:2]]
        assert state.is_followed
        assert (state.n_broken, state.problem) == (0, None)
        watch.stop()

    def test_names_what_is_broken_and_takes_it_in_when_mended(
        self, library: Library, example_runs: list[Path], folder: Path
    ) -> None:
        run = folder / example_runs[0].name
        shutil.copytree(example_runs[0], run)
        metadata = run / "metadata.json"
        text = metadata.read_text("utf-8")
        metadata.write_text(text.replace('"engine_type"', '"engine"'), "utf-8")
        watch = library.watch(folder, settle_seconds=SETTLE_SECONDS)
        eventually(lambda: watch.state.n_broken == 1)
        [broken] = watch.state.broken
        assert broken.path == str(run)
        assert "engine_type" in str(broken.faults[0])
        metadata.write_text(text, "utf-8")
        eventually(lambda: watch.state.n_taken_in == 1)
        assert watch.state.n_broken == 0
        assert library.get_metadata(run.name).sim_id == run.name
        watch.stop()

    def test_lists_and_stops(self, library: Library, folder: Path) -> None:
        assert library.watches() == []
        watch = library.watch(folder)
        library.watch(folder, tags=["later"])
        [listed] = library.watches()
        assert listed.folder == watch.folder == str(folder)
        assert listed.state.tags == ("later",)
        listed.stop()
        assert library.watches() == []
        with pytest.raises(InvalidArgumentError):
            watch.stop()

    def test_refuses_what_it_can_not_follow(
        self, library: Library, folder: Path, tmp_path: Path
    ) -> None:
        for wrong in (folder / "nowhere", tmp_path / "library", tmp_path):
            with pytest.raises(InvalidArgumentError):
                library.watch(wrong)
        with pytest.raises(InvalidArgumentError):
            library.watch(folder, settle_seconds=0)
        assert library.watches() == []
