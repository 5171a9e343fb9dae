"""The part of the suite that is about searches that are kept, and what the log tells of them."""

from __future__ import annotations

import json

import pytest

from ape_jupyter.errors import ConflictError, InvalidArgumentError, QuerySyntaxError
from ape_jupyter.library.interface import FilterValue, Library
from ape_jupyter.model.saved_searches import MAX_RECENT_SEARCHES
from ape_jupyter.testing.runs import EXAMPLE_NAMES

__all__ = ["KeptSearchesTests"]

SIDES = ("before", "after")
QUIET, AMBER, NORTH = EXAMPLE_NAMES


def names(library: Library) -> list[str]:
    return [saved.name for saved in library.saved_searches()]


def recent(library: Library) -> list[str]:
    return [found.terms.query for found in library.recent_searches()]


class KeptSearchesTests:
    """Saved searches, recent ones, and the sample in the log."""

    def test_a_saved_search_finds_the_same_again(self, filled: Library) -> None:
        filters: dict[str, FilterValue] = {"seed": [1, 2, 3], "has_costs": False}
        saved = filled.save_search("Cheap / old?", "is:available", filters, "name", False)
        assert filled.saved_searches() == [saved]
        found = filled.search(**saved.terms.arguments())
        assert [run.name for run in found] == [NORTH, QUIET]
        assert not saved.is_shared

    def test_a_name_is_of_one_search(self, filled: Library) -> None:
        filled.save_search("Mine", "tag:a")
        with pytest.raises(ConflictError, match="'Mine'"):
            filled.save_search("mINE", "tag:b")
        filled.save_search("mINE", "tag:b", replace=True)
        (saved,) = filled.saved_searches()
        assert (saved.name, saved.terms.query) == ("mINE", "tag:b")
        filled.save_search("a/b", "tag:c")
        with pytest.raises(ConflictError):
            filled.rename_search("a/b", "mine")
        assert filled.rename_search("A/B", "A/B").name == "A/B"
        assert filled.rename_search("mine", "zebra").terms.query == "tag:b"
        assert names(filled) == ["A/B", "zebra"]
        assert filled.delete_search("a/b").name == "A/B"
        assert names(filled) == ["zebra"]

    def test_refuses_what_can_not_be_saved(self, filled: Library) -> None:
        with pytest.raises(QuerySyntaxError) as caught:
            filled.save_search("broken", "n_patients>many")
        assert caught.value.hint
        for name in ("", "..", "a\nb", "x" * 101):
            with pytest.raises(InvalidArgumentError):
                filled.save_search(name, "tag:a")
            with pytest.raises(InvalidArgumentError):
                filled.delete_search(name)
        with pytest.raises(InvalidArgumentError, match="sort"):
            filled.save_search("sorted", "tag:a", sort_by="colour")
        filled.save_search("appraisal", "tag:a")
        with pytest.raises(InvalidArgumentError, match="'appraisal'"):
            filled.share_search("apraisal")
        assert names(filled) == ["appraisal"]

    def test_the_log_tells_of_shared_searches_only(self, filled: Library) -> None:
        filled.save_search("mine", "secret")
        filled.rename_search("mine", "still mine")
        filled.share_search("still mine")
        filled.save_search("still mine", "public", shared=True, replace=True)
        filled.share_search("still mine", False)
        filled.delete_search("still mine")
        told = [event.data for event in filled.events(types=["saved_search_changed"])]
        assert [
            tuple(data[side] and (data[side]["name"], data[side]["query"]) for side in SIDES)
            for data in told
        ] == [
            (None, ("still mine", "secret")),
            (("still mine", "secret"), ("still mine", "public")),
            (("still mine", "public"), None),
        ]

    def test_recent_searches_are_few_and_different(self, filled: Library) -> None:
        filled.search("quiet")
        filled.search()
        filled.search(filters={"seed": 1})
        first = filled.search("is:available", limit=1)
        filled.search("is:available", limit=1, cursor=first.next_cursor)
        with pytest.raises(QuerySyntaxError):
            filled.search("seed>")
        filled.search(" quiet ", sort_by="name")
        assert recent(filled) == [" quiet ", "is:available", ""]
        assert filled.recent_searches()[0].terms.sort_by == "name"
        for number in range(MAX_RECENT_SEARCHES + 3):
            filled.search(f"seed={number}")
        assert recent(filled) == [
            f"seed={number}" for number in reversed(range(3, MAX_RECENT_SEARCHES + 3))
        ]
        filled.clear_recent_searches()
        assert filled.recent_searches() == []

    def test_the_log_has_a_sample_without_what_was_searched_for(self, filled: Library) -> None:
        for _ in range(3):
            filled.search("quiet tag:secret protocol.min_interval_days>1 seed=1")
        filled.recent_searches()
        (event,) = filled.events(types=["search_performed"])
        assert event.data["kinds"] == ["number", "parameter", "tag", "text"]
        assert (event.data["total"], event.data["stands_for"]) == (0, 1)
        assert event.data["seconds"] > 0
        assert "secret" not in json.dumps(dict(event.data))

    def test_the_monitor_times_searches(self, filled: Library) -> None:
        before = filled.performance().latency("search")
        for _ in range(5):
            filled.search("quiet")
        found = filled.performance().latency("search")
        assert found is not None
        assert found.count == (before.count if before else 0) + 5
        assert 0 < found.p50_seconds <= found.p95_seconds <= found.p99_seconds
