"""The suite that a registry passes on every database.

A database is one subclass of :class:`RegistryTests` with a ``location`` fixture.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ape_jupyter.errors import ConflictError, InvalidArgumentError, SimulationNotFoundError
from ape_jupyter.model.listing import SORT_COLUMNS, SearchPage, SearchRequest
from ape_jupyter.model.simulation import Headline, SimulationMetadata, Source, Status
from ape_jupyter.registry.changes import NewRun
from ape_jupyter.registry.registry import Registry
from ape_jupyter.services.search.requests import search_tree

__all__ = ["LookupTests", "RegistryFixtures", "RegistryTests", "example_metadata"]

START = datetime(2026, 1, 1, tzinfo=UTC)


def example_metadata(number: int, **changes: object) -> SimulationMetadata:
    """Return the metadata of a run that is like no other, with some fields changed."""
    run = SimulationMetadata(
        sim_id=f"sim_{number:04d}",
        name=f"run-{number}",
        created_at=START + timedelta(days=number),
        registered_at=START,
        last_accessed=None,
        access_count=0,
        n_patients=100 + number % 3,
        n_patients_requested=110,
        n_patients_without_visits=3,
        n_visits=900,
        duration_years=5.0,
        start_date=START,
        protocol_name="Treat and Extend" if number % 2 else "Fixed 100% dose",
        protocol_version="1.0",
        protocol_digest="d",
        engine_type="abs",
        model_type=None,
        seed=number if number != 11 else None,
        runtime_seconds=number / 2 if number % 3 else None,
        file_size_mb=1.5,
        checksum="c",
        tags=(),
        notes="",
        owner="ada",
        visibility="private",
        source=Source.IMPORTED,
        status=Status.AVAILABLE,
        is_pinned=False,
        revision=1,
        schema_version="2.0.0",
        parent=None,
        has_costs=False,
        has_resources=False,
        headline=Headline(mean_final_vision=60.5, total_injections=5, discontinuation_rate=None),
    )
    return replace(run, **changes)  # type: ignore[arg-type]


def registry_of_twelve(location: Path | str) -> Registry:
    """Return an open registry of twelve runs, in what was empty."""
    opened = Registry(location)
    runs = map(example_metadata, range(12))
    opened.apply([NewRun(metadata=run, documents={"protocol": {"name": "x"}}) for run in runs])
    return opened


class RegistryFixtures:
    """What the tests of the suite are given.

    Subclasses override ``location``: where an empty database is.
    """

    @pytest.fixture
    def location(self) -> Path | str:
        """Give a file, or a URL."""
        raise NotImplementedError

    @pytest.fixture
    def registry(self, location: Path | str) -> Iterator[Registry]:
        """Give a registry of twelve runs."""
        opened = registry_of_twelve(location)
        yield opened
        opened.close()


def searched(registry: Registry, request: SearchRequest) -> SearchPage:
    """Carry out a request as a library does."""
    return registry.search(search_tree(request), request)


def names(registry: Registry, query: str = "", **options: object) -> list[str]:
    request = SearchRequest(query=query, **options)  # type: ignore[arg-type]
    return [run.name for run in searched(registry, request).items]


class LookupTests(RegistryFixtures):
    """What changes nothing, on one registry for all: ``location`` is of the class."""

    @pytest.fixture(scope="class")
    @classmethod
    def registry(cls, location: Path | str) -> Iterator[Registry]:
        """Give a registry of twelve runs."""
        opened = registry_of_twelve(location)
        yield opened
        opened.close()

    def test_newest_first_and_every_other_order(self, registry: Registry) -> None:
        assert names(registry, limit=3) == ["run-11", "run-10", "run-9"]
        assert names(registry, limit=3, descending=False) == ["run-0", "run-1", "run-2"]

    @pytest.mark.parametrize("column", SORT_COLUMNS)
    @pytest.mark.parametrize("descending", [True, False])
    def test_pages_join_to_the_whole(
        self, registry: Registry, column: str, descending: bool
    ) -> None:
        seen: list[SimulationMetadata] = []
        cursor = None
        while True:
            request = SearchRequest(sort_by=column, descending=descending, limit=5, cursor=cursor)
            page = searched(registry, request)
            assert page.total == 12
            seen += page.items
            cursor = page.next_cursor
            if cursor is None:
                break
        keys = [(getattr(run, column, None), run.sim_id) for run in seen]
        if column in {field.name for field in fields(Headline)}:
            keys = [(getattr(run.headline, column), run.sim_id) for run in seen]
        known = [key for key in keys if key[0] is not None]
        unknown = [key for key in keys if key[0] is None]
        assert known == sorted(known, reverse=descending)
        assert unknown == sorted(unknown, reverse=descending)
        assert keys == known + unknown
        assert len(set(keys)) == 12

    @pytest.mark.parametrize("query", ["100%", "%", "_x", "\\", "'; DROP TABLE simulations; --"])
    def test_special_characters_mean_themselves(self, registry: Registry, query: str) -> None:
        # What has no letter and no digit is no word, and asks for nothing.
        expected = {"100%": 6, "%": 12, "\\": 12}.get(query, 0)
        assert searched(registry, SearchRequest(query=query)).total == expected
        assert searched(registry, SearchRequest()).total == 12

    @pytest.mark.parametrize(
        "request_",
        [
            SearchRequest(sort_by="notes; DROP TABLE tags"),
            SearchRequest(filters=(("colour", ("red",)),)),
            SearchRequest(filters=(("seed", ("many",)),)),
            SearchRequest(filters=(("has_costs", ("maybe",)),)),
            SearchRequest(limit=0),
            SearchRequest(limit=100_000),
            SearchRequest(cursor="AAAA"),
            SearchRequest(cursor="WyJuYW1lIiwgdHJ1ZSwgIngiLCAieSJd"),
        ],
    )
    def test_a_wrong_request_is_refused_and_says_why(
        self, registry: Registry, request_: SearchRequest
    ) -> None:
        with pytest.raises(InvalidArgumentError):
            searched(registry, request_)

    @pytest.mark.parametrize("text", ["", "run", "sim_", "nothing", "%", "_"])
    def test_find_refuses_what_is_not_clear(self, registry: Registry, text: str) -> None:
        with pytest.raises(SimulationNotFoundError):
            registry.find(text)


class RegistryTests(RegistryFixtures):
    """Searching, tags, the trash, and what is refused."""

    def test_metadata_comes_back_as_it_went_in(self, registry: Registry) -> None:
        run = example_metadata(
            100, tags=("base case", "NHS"), notes="ä\n%_", seed=None, model_type="time_based"
        )
        documents = {"protocol": {"a": [1, 2.5, None]}, "audit_log": []}
        registry.add(run, documents)
        assert registry.get(run.sim_id) == run
        assert registry.documents(run.sim_id) == {
            "protocol": {"a": [1, 2.5, None]},
            "audit_log": [],
        }

    def test_words_are_all_wanted_anywhere_in_any_case(self, registry: Registry) -> None:
        registry.set_tags(["sim_0003"], ["Base Case"], [])
        assert names(registry, "BASE treat") == ["run-3"]
        assert names(registry, "base fixed") == []

    def test_letters_of_other_alphabets_fold(self, registry: Registry) -> None:
        registry.set_tags(["sim_0003"], ["ÜBERSICHT"], [])
        assert names(registry, "übersicht") == ["run-3"]

    def test_filters(self, registry: Registry) -> None:
        registry.set_tags(["sim_0002", "sim_0004"], ["nhs"], [])
        assert names(registry, filters=(("tag", ("NHS",)),)) == ["run-4", "run-2"]
        assert names(registry, filters=(("seed", (3, "5")),)) == ["run-5", "run-3"]
        assert names(registry, filters=(("has_costs", ("true",)),)) == []
        assert names(registry, filters=(("model", ("time_based",)),)) == []

    def test_find_by_id_name_and_prefix(self, registry: Registry) -> None:
        registry.add(example_metadata(50, name="calm-river"), {})
        assert registry.find("sim_0050").name == "calm-river"
        assert registry.find("calm-river").sim_id == "sim_0050"
        assert registry.find("calm").sim_id == "sim_0050"
        assert registry.find("sim_005").sim_id == "sim_0050"

    def test_a_near_name_is_suggested(self, registry: Registry) -> None:
        registry.add(example_metadata(50, name="calm-river"), {})
        with pytest.raises(SimulationNotFoundError, match="calm-river"):
            registry.find("clam-river")

    def test_tags_keep_their_spelling_and_ignore_case(self, registry: Registry) -> None:
        (run,) = registry.set_tags(["sim_0001"], ["NHS", "nhs"], [])
        assert run.tags == ("NHS",)
        assert run.revision == 2
        (run,) = registry.set_tags(["sim_0001"], ["Nhs"], [])
        assert (run.tags, run.revision) == (("NHS",), 2)
        (run,) = registry.set_tags(["sim_0001"], [], ["nHs"])
        assert (run.tags, run.revision) == ((), 3)

    def test_tags_of_several_runs_are_all_or_nothing(self, registry: Registry) -> None:
        with pytest.raises(SimulationNotFoundError):
            registry.set_tags(["sim_0001", "sim_9999"], ["x"], [])
        assert registry.get("sim_0001").tags == ()

    def test_counts_of_tags(self, registry: Registry) -> None:
        registry.set_tags(["sim_0001", "sim_0002"], ["nhs"], [])
        registry.set_tags(["sim_0002"], ["draft"], [])
        assert [(t.tag, t.count) for t in registry.tag_counts()] == [("nhs", 2), ("draft", 1)]
        registry.set_status("sim_0002", Status.TRASHED)
        assert [(t.tag, t.count) for t in registry.tag_counts()] == [("nhs", 1)]

    def test_a_trashed_run_is_in_no_listing_and_comes_back(self, registry: Registry) -> None:
        registry.set_status("sim_0001", Status.TRASHED)
        assert "run-1" not in names(registry)
        with pytest.raises(SimulationNotFoundError):
            registry.find("run-1")
        registry.set_status("sim_0001", Status.AVAILABLE)
        assert registry.find("sim_0001").status is Status.AVAILABLE

    def test_an_id_can_not_be_taken_twice(self, registry: Registry) -> None:
        with pytest.raises(ConflictError, match="sim_0001"):
            registry.add(example_metadata(1), {})
        assert searched(registry, SearchRequest()).total == 12

    def test_revision_grows_with_changes_only(self, registry: Registry) -> None:
        before = registry.revision()
        registry.set_tags(["sim_0001"], ["x"], [])
        assert registry.revision() == before + 1
        registry.set_tags(["sim_0001"], ["x"], [])
        registry.set_status("sim_0001", Status.AVAILABLE)
        registry.record_access("sim_0001")
        assert registry.revision() == before + 1

    def test_accesses_are_counted_without_a_new_revision(
        self, registry: Registry, location: Path | str
    ) -> None:
        for _ in range(3):
            registry.record_access("sim_0001")
        registry.close()
        reopened = Registry(location)
        run = reopened.get("sim_0001")
        assert (run.access_count, run.revision) == (3, 1)
        assert run.last_accessed is not None

    def test_many_threads_and_two_connections_lose_no_tag(self, location: Path | str) -> None:
        registries = [Registry(location) for _ in range(2)]
        registries[0].add(example_metadata(1), {})
        failures: list[BaseException] = []

        def tag(worker: int) -> None:
            try:
                for number in range(10):
                    registries[worker % 2].set_tags(["sim_0001"], [f"{worker}-{number}"], [])
            except BaseException as error:  # noqa: BLE001 - the assertion below shows it
                failures.append(error)

        threads = [threading.Thread(target=tag, args=(worker,)) for worker in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert len(registries[1].get("sim_0001").tags) == 80
