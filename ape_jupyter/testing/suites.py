"""The suite that every form of library passes.

A new form is one subclass of :class:`LibraryTests` with a ``library`` fixture.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ape_jupyter.errors import (
    ApeError,
    ConflictError,
    InvalidArgumentError,
    InvalidResultsError,
    SimulationNotFoundError,
)
from ape_jupyter.library.interface import Library
from ape_jupyter.model.progress import Progress
from ape_jupyter.testing.runs import EXAMPLE_NAMES, write_example_runs
from ape_jupyter.testing.suite_cluster import ClusterTests, DatasetTests
from ape_jupyter.testing.suite_discovery import DiscoveryTests
from ape_jupyter.testing.suite_memory import MemoryTests, ResidencyTests
from ape_jupyter.testing.suite_migrations import MigrationTests
from ape_jupyter.testing.suite_performance import PerformanceTests
from ape_jupyter.testing.suite_recording import RecordingTests
from ape_jupyter.testing.suite_results import ComparisonTests, RegistrationTests, ResultsTests
from ape_jupyter.testing.suite_searches import KeptSearchesTests
from ape_jupyter.testing.suite_similarity import SimilarityTests
from ape_jupyter.testing.suite_tagging import TaggingTests
from ape_jupyter.testing.suite_verification import LinkTests, VerificationTests
from ape_jupyter.testing.suite_watching import WatchingTests

__all__ = [
    "DiscoveryTests",
    "KeptSearchesTests",
    "LibraryFixtures",
    "LibraryTests",
    "SimilarityTests",
    "TagTests",
    "TaggingTests",
]


class LibraryFixtures:
    """What the tests of the suite are given.

    Subclasses override ``library``: an empty library, closed after the test.
    """

    @pytest.fixture
    def library(self) -> Iterator[Library]:
        """Give an empty library."""
        raise NotImplementedError

    @pytest.fixture(scope="class")
    @classmethod
    def example_runs(cls, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
        """Write three runs and return their results directories."""
        return write_example_runs(tmp_path_factory.mktemp("runs"))

    @pytest.fixture
    def filled(self, library: Library, example_runs: list[Path]) -> Library:
        """Give the library with the example runs in it."""
        library.import_results(example_runs[0].parent)
        return library

    @pytest.fixture
    def broken_run(self, example_runs: list[Path], tmp_path: Path) -> Path:
        """Write a run with a truncated table and metadata without an engine."""
        run = tmp_path / "imports" / "sim_20260101_000000_02-00_broken"
        shutil.copytree(example_runs[0], run)
        visits = run / "visits.parquet"
        visits.write_bytes(visits.read_bytes()[:-100])
        metadata = run / "metadata.json"
        text = metadata.read_text("utf-8").replace('"engine_type"', '"engine"')
        metadata.write_text(text, "utf-8")
        return run


class Stopped(Exception):  # noqa: N818  # raised by a user's own callback
    """What a test's progress callback raises."""


class IntakeTests:
    """Importing, and what a run is called afterwards."""

    def test_imports_a_run(self, library: Library, example_runs: list[Path]) -> None:
        report = library.import_results(example_runs[0])
        assert [run.sim_id for run in report] == [example_runs[0].name]
        assert len(report.imported) == 1
        run = library.get_metadata(example_runs[0].name)
        assert run == report[0]
        assert run.name == EXAMPLE_NAMES[0]
        assert run.n_visits > run.n_patients > 0
        assert run.created_at.utcoffset() is not None

    def test_imports_a_folder_and_says_how_far_it_is(
        self, library: Library, example_runs: list[Path]
    ) -> None:
        told: list[Progress] = []
        report = library.import_results(
            example_runs[0].parent, tags=["batch"], progress=told.append
        )
        assert len(report) == len(report.imported) == 3
        assert all(run.tags == ("batch",) for run in report)
        assert (told[-1].done, told[-1].total) == (3, 3)

    def test_importing_twice_changes_nothing(
        self, filled: Library, example_runs: list[Path]
    ) -> None:
        before = list(filled.get_all_metadata())
        report = filled.import_results(example_runs[0].parent)
        assert len(report.already_there) == 3
        assert not report.imported
        assert list(filled.get_all_metadata()) == before

    def test_refuses_a_broken_run_with_all_its_faults(
        self, library: Library, broken_run: Path
    ) -> None:
        with pytest.raises(InvalidResultsError) as caught:
            library.import_results(broken_run)
        assert isinstance(caught.value, ValueError)
        assert {fault.file for fault in caught.value.faults} >= {"visits.parquet", "metadata.json"}
        assert not library.get_all_metadata()

    def test_a_broken_run_keeps_no_other_out(
        self, library: Library, broken_run: Path, example_runs: list[Path]
    ) -> None:
        shutil.copytree(example_runs[0], broken_run.parent / example_runs[0].name)
        report = library.import_results(broken_run.parent)
        assert [run.sim_id for run in report] == [example_runs[0].name]
        assert [outcome.path for outcome in report.refused] == [str(broken_run)]
        assert len(report.refused[0].faults) >= 2

    def test_refuses_a_path_without_runs(self, library: Library, tmp_path: Path) -> None:
        with pytest.raises(InvalidArgumentError):
            library.import_results(tmp_path / "nowhere")

    def test_refuses_other_results_under_a_known_id(
        self, filled: Library, example_runs: list[Path], tmp_path: Path
    ) -> None:
        impostor = tmp_path / "other" / example_runs[0].name
        shutil.copytree(example_runs[1], impostor)
        text = (example_runs[0] / "metadata.json").read_text("utf-8")
        (impostor / "metadata.json").write_text(text, "utf-8")
        with pytest.raises((ConflictError, InvalidResultsError)):
            filled.import_results(impostor)

    def test_what_the_callback_raises_stops_the_import(
        self, library: Library, example_runs: list[Path]
    ) -> None:
        def stop(_: Progress) -> None:
            raise Stopped

        with pytest.raises(Stopped):
            library.import_results(example_runs[0].parent, progress=stop)


class SearchTests:
    """Finding runs, and naming them."""

    def test_takes_an_id_a_name_or_a_prefix(
        self, filled: Library, example_runs: list[Path]
    ) -> None:
        run = filled.get_metadata(example_runs[0].name)
        assert filled.get_metadata(EXAMPLE_NAMES[0]) == run
        assert filled.get_metadata(EXAMPLE_NAMES[0][:4]) == run

    def test_names_what_could_have_been_meant(self, filled: Library) -> None:
        with pytest.raises(SimulationNotFoundError) as caught:
            filled.get_metadata("quiet-harbor")
        assert EXAMPLE_NAMES[0] in caught.value.suggestions
        assert EXAMPLE_NAMES[0] in str(caught.value)
        assert isinstance(caught.value, KeyError)

    def test_refuses_a_prefix_of_several(self, filled: Library, example_runs: list[Path]) -> None:
        with pytest.raises(SimulationNotFoundError) as caught:
            filled.get_metadata("sim_")
        assert set(caught.value.suggestions) == {run.name for run in example_runs}

    @pytest.mark.parametrize("text", ["", ".", "..", "a/b", "a?b#c", "%2e%2e", "a b\n"])
    def test_any_text_can_be_asked_for(self, filled: Library, text: str) -> None:
        with pytest.raises(SimulationNotFoundError):
            filled.get_metadata(text)

    def test_lists_all_newest_first(self, filled: Library) -> None:
        runs = filled.get_all_metadata()
        assert [run.name for run in runs] == list(reversed(EXAMPLE_NAMES))
        assert runs.total == len(runs) == 3
        assert list(runs.to_pandas().index) == [run.sim_id for run in runs]
        assert runs[:2] == (runs[0], runs[1])

    def test_finds_by_words(self, filled: Library) -> None:
        assert [run.name for run in filled.search("QUIET harbour")] == [EXAMPLE_NAMES[0]]
        assert filled.search("nothing-like-this").total == 0
        assert filled.search("").total == filled.search(None).total == 3

    def test_filters(self, filled: Library) -> None:
        filled.set_tags([EXAMPLE_NAMES[0], EXAMPLE_NAMES[1]], add=["a", "b: c"])
        filled.add_tag(EXAMPLE_NAMES[2], "a")

        def names(**filters: str | int | bool | list[str | int]) -> set[str]:
            return {run.name for run in filled.search(filters=filters)}

        assert names(engine_type="des") == {EXAMPLE_NAMES[1]}
        assert names(seed=[1, 3]) == {EXAMPLE_NAMES[0], EXAMPLE_NAMES[2]}
        assert names(has_costs=True) == {EXAMPLE_NAMES[1]}
        assert names(has_costs=False, seed=1) == {EXAMPLE_NAMES[0]}
        assert names(tag=["a", "b: c"]) == {EXAMPLE_NAMES[0], EXAMPLE_NAMES[1]}

    def test_pages_without_gap_or_repeat(self, filled: Library) -> None:
        seen: list[str] = []
        cursor = None
        while True:
            page = filled.search(sort_by="name", descending=False, limit=2, cursor=cursor)
            assert page.total == 3
            seen += [run.name for run in page]
            cursor = page.next_cursor
            if cursor is None:
                break
        assert seen == sorted(EXAMPLE_NAMES)

    @pytest.mark.parametrize(
        "search",
        [
            {"filters": {"colour": "red"}},
            {"filters": {"seed": "many"}},
            {"sort_by": "colour"},
            {"cursor": "not-a-cursor"},
            {"limit": 0},
            {"limit": 10**9},
        ],
    )
    def test_refuses_what_it_can_not_search(
        self, filled: Library, search: dict[str, object]
    ) -> None:
        with pytest.raises(InvalidArgumentError):
            filled.search(**search)  # type: ignore[arg-type]


class TagTests:
    """Tags, and the trash."""

    def test_adds_and_removes(self, filled: Library) -> None:
        run = filled.add_tag(EXAMPLE_NAMES[0], "Base Case")
        assert run.tags == ("Base Case",)
        assert run == filled.get_metadata(EXAMPLE_NAMES[0])
        again = filled.add_tag(EXAMPLE_NAMES[0], "base case")
        assert again == run
        assert filled.remove_tag(EXAMPLE_NAMES[0], "BASE CASE").tags == ()
        assert filled.remove_tag(EXAMPLE_NAMES[0], "never there").tags == ()

    def test_a_change_grows_the_revision(self, filled: Library) -> None:
        before = filled.get_metadata(EXAMPLE_NAMES[0]).revision
        assert filled.add_tag(EXAMPLE_NAMES[0], "x").revision == before + 1

    def test_counts(self, filled: Library) -> None:
        filled.set_tags(EXAMPLE_NAMES, add=["everywhere"])
        filled.set_tags([EXAMPLE_NAMES[1]], add=["ünïcode ✓"], remove=["absent"])
        assert [(tag.tag, tag.count) for tag in filled.tags()] == [
            ("everywhere", 3),
            ("ünïcode ✓", 1),
        ]

    def test_changes_all_or_nothing(self, filled: Library) -> None:
        with pytest.raises(SimulationNotFoundError):
            filled.set_tags([EXAMPLE_NAMES[0], "no such run"], add=["x"])
        assert not filled.tags()

    @pytest.mark.parametrize("tag", ["", "   ", "a,b", "a\nb", "x" * 65])
    def test_refuses_what_is_no_tag(self, filled: Library, tag: str) -> None:
        with pytest.raises(InvalidArgumentError):
            filled.add_tag(EXAMPLE_NAMES[0], tag)

    def test_deleted_runs_leave_and_come_back(self, filled: Library) -> None:
        filled.add_tag(EXAMPLE_NAMES[0], "kept")
        run = filled.delete(EXAMPLE_NAMES[0])
        assert run.status.value == "trashed"
        assert EXAMPLE_NAMES[0] not in {item.name for item in filled.get_all_metadata()}
        assert not filled.tags()
        with pytest.raises(SimulationNotFoundError):
            filled.get_metadata(EXAMPLE_NAMES[0])
        # Who lost the first answer asks again.
        assert filled.delete(run.sim_id) == run
        restored = filled.restore(run.sim_id)
        assert restored.status.value == "available"
        assert restored.tags == ("kept",)
        assert filled.restore(run.sim_id) == restored
        assert filled.get_metadata(EXAMPLE_NAMES[0]) == restored

    def test_importing_a_deleted_run_brings_it_back(
        self, filled: Library, example_runs: list[Path]
    ) -> None:
        filled.delete(EXAMPLE_NAMES[0])
        filled.import_results(example_runs[0])
        assert filled.get_metadata(EXAMPLE_NAMES[0]).status.value == "available"

    def test_errors_have_one_base(self, filled: Library) -> None:
        for call in (filled.delete, filled.restore, filled.load_simulation):
            with pytest.raises(ApeError):
                call("no such run")


class LibraryTests(
    LibraryFixtures,
    IntakeTests,
    MigrationTests,
    DiscoveryTests,
    SearchTests,
    TagTests,
    TaggingTests,
    KeptSearchesTests,
    SimilarityTests,
    RegistrationTests,
    RecordingTests,
    ResultsTests,
    ComparisonTests,
    ResidencyTests,
    MemoryTests,
    PerformanceTests,
    LinkTests,
    VerificationTests,
    WatchingTests,
    DatasetTests,
    ClusterTests,
):
    """What every form of library does."""
