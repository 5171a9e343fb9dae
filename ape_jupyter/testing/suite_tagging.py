"""The part of the suite that is about tags as such: names, branches, colours, and undoing."""

from __future__ import annotations

import pytest

from ape_jupyter.errors import (
    ConflictError,
    InvalidArgumentError,
    QuerySyntaxError,
    SimulationNotFoundError,
)
from ape_jupyter.library.interface import Library
from ape_jupyter.testing.runs import EXAMPLE_NAMES

__all__ = ["TaggingTests"]

QUIET, AMBER, NORTH = EXAMPLE_NAMES


def tags_of(library: Library, name: str) -> list[str]:
    return list(library.get_metadata(name).tags)


def counted(library: Library) -> dict[str, tuple[int, int]]:
    return {entry.tag: (entry.count, entry.total) for entry in library.tags()}


def colours(library: Library) -> dict[str, str | None]:
    return {entry.tag: entry.colour for entry in library.tags()}


class TaggingTests:
    """Changes of tags wherever they are."""

    def test_counts_branches_once_per_run(self, filled: Library) -> None:
        filled.set_tags([QUIET, AMBER], add=["Area/North/a"])
        filled.set_tags([QUIET], add=["area/north/b", "area"])
        filled.set_tags([NORTH], add=["area/south", "areal"])
        assert counted(filled) == {
            "area": (1, 3),
            "Area/North": (0, 2),
            "Area/North/a": (2, 2),
            "area/north/b": (1, 1),
            "area/south": (1, 1),
            "areal": (1, 1),
        }
        assert filled.tags()[0].tag == "area"

    def test_a_renamed_tag_takes_what_is_below_it_along(self, filled: Library) -> None:
        filled.set_tags([QUIET, AMBER], add=["area"])
        filled.set_tags([AMBER], add=["Area/sub/deep", "areal"])
        trashed = filled.get_metadata(NORTH).sim_id
        filled.add_tag(NORTH, "area/gone")
        filled.delete(NORTH)
        changed = filled.rename_tag("AREA", "Region")
        assert changed.n_runs == 3
        assert tags_of(filled, QUIET) == ["Region"]
        assert tags_of(filled, AMBER) == ["areal", "Region", "Region/sub/deep"]
        assert filled.restore(trashed).tags == ("Region/gone",)
        assert filled.search("tag:region").total == 3
        assert filled.search("tag:area").total == 0

    def test_a_tag_can_move_below_itself_and_change_its_case(self, filled: Library) -> None:
        filled.set_tags([QUIET], add=["a", "a/b"])
        filled.rename_tag("a", "a/b")
        assert tags_of(filled, QUIET) == ["a/b", "a/b/b"]
        filled.rename_tag("a/b", "A/B")
        assert tags_of(filled, QUIET) == ["A/B", "A/B/b"]
        assert filled.rename_tag("a/b", "A/B").change is None

    def test_a_name_that_is_taken_is_for_merging(self, filled: Library) -> None:
        filled.set_tags([QUIET], add=["draft/old", "Final/old"])
        filled.set_tags([AMBER], add=["draft"])
        with pytest.raises(ConflictError, match="Final/old"):
            filled.rename_tag("draft", "final")
        assert tags_of(filled, AMBER) == ["draft"]
        assert filled.merge_tags(["draft"], "final").n_runs == 2
        assert tags_of(filled, QUIET) == ["Final/old"]
        assert tags_of(filled, AMBER) == ["final"]

    def test_merges_several_also_into_one_of_them(self, filled: Library) -> None:
        filled.set_tags([QUIET], add=["a", "b"])
        filled.set_tags([AMBER], add=["b/x"])
        filled.set_tags([NORTH], add=["c/a", "C"])
        changed = filled.merge_tags(["a", "b", "c"], "c")
        assert changed.n_runs == 2
        assert tags_of(filled, QUIET) == ["c"]
        assert tags_of(filled, AMBER) == ["c/x"]
        assert tags_of(filled, NORTH) == ["C", "c/a"]

    def test_refuses_names_that_are_no_tags(self, filled: Library) -> None:
        filled.add_tag(QUIET, "kept/below")
        for name in ("", " ", "a,b", "a\nb", "x" * 65):
            for old, new in (("kept", name), (name, "other")):
                with pytest.raises(InvalidArgumentError):
                    filled.rename_tag(old, new)
                with pytest.raises(InvalidArgumentError):
                    filled.merge_tags([old], new)
        # Together with what is below it the name would be too long.
        with pytest.raises(InvalidArgumentError):
            filled.rename_tag("kept", "x" * 60)
        assert tags_of(filled, QUIET) == ["kept/below"]

    def test_says_which_tag_could_have_been_meant(self, filled: Library) -> None:
        filled.add_tag(QUIET, "Published")
        meant = pytest.raises(InvalidArgumentError, match="'Published'")
        with meant:
            filled.rename_tag("publishd", "x")
        with meant:
            filled.merge_tags(["published", "publishd"], "x")
        with meant:
            filled.set_tag_colour("publishd", "red")
        assert tags_of(filled, QUIET) == ["Published"]

    def test_changes_what_a_search_finds(self, filled: Library) -> None:
        changed = filled.change_tags(["seed", "b"], query="seed<=2")
        assert changed.n_runs == 2
        changed = filled.change_tags(remove=["B"], filters={"seed": [1, 3]})
        assert changed.n_runs == 1
        changed = filled.change_tags(["all"], ["seed"], query="")
        assert changed.n_runs == 3
        assert tags_of(filled, QUIET) == ["all"]
        assert tags_of(filled, AMBER) == ["all", "b"]
        assert filled.change_tags(["all"], sim_ids=EXAMPLE_NAMES).change is None

    def test_needs_to_know_which_runs(self, filled: Library) -> None:
        with pytest.raises(InvalidArgumentError, match="sim_ids"):
            filled.change_tags(["x"])
        with pytest.raises(InvalidArgumentError, match="sim_ids"):
            filled.change_tags(["x"], sim_ids=[QUIET], query="quiet")
        with pytest.raises(QuerySyntaxError):
            filled.change_tags(["x"], query="seed>")
        with pytest.raises(SimulationNotFoundError):
            filled.change_tags(["x"], sim_ids=[QUIET, "no such run"])
        assert not filled.tags()

    def test_colours_follow_their_tags(self, filled: Library) -> None:
        filled.set_tags([QUIET], add=["area/north", "draft", "final"])
        filled.set_tag_colour("AREA", " Teal ")
        filled.set_tag_colour("area/north", "#A0B1C2")
        filled.set_tag_colour("draft", "red")
        assert colours(filled) == {
            "area": "teal",
            "area/north": "#a0b1c2",
            "draft": "red",
            "final": None,
        }
        filled.rename_tag("area", "region")
        merged = filled.merge_tags(["draft"], "final")
        assert colours(filled) == {"region": "teal", "region/north": "#a0b1c2", "final": "red"}
        filled.undo_tags(merged.change or 0)
        assert colours(filled)["draft"] == "red"
        assert colours(filled)["final"] is None
        filled.set_tag_colour("final", "blue")
        filled.merge_tags(["draft"], "final")
        assert colours(filled)["final"] == "blue"
        filled.set_tag_colour("final", None)
        assert colours(filled)["final"] is None
        assert filled.set_tag_colour("final", None).change is None

    def test_refuses_what_is_no_colour(self, filled: Library) -> None:
        filled.add_tag(QUIET, "kept")
        for colour in ("", "reddish", "#12345", "#gggggg", "url(x)"):
            with pytest.raises(InvalidArgumentError, match="#rrggbb"):
                filled.set_tag_colour("kept", colour)
        assert colours(filled) == {"kept": None}

    def test_an_undo_leaves_what_others_did_since(self, filled: Library) -> None:
        filled.set_tags(EXAMPLE_NAMES, add=["draft"])
        renamed = filled.rename_tag("draft", "Final")
        filled.add_tag(QUIET, "mine")
        filled.remove_tag(AMBER, "final")
        filled.add_tag(AMBER, "final")
        filled.remove_tag(NORTH, "final")
        undone = filled.undo_tags(renamed.change or 0)
        assert (undone.n_runs, undone.n_left) == (3, 2)
        assert tags_of(filled, QUIET) == ["draft", "mine"]
        # Who took the new tag off, or put it on again, did not do so to the old one.
        assert tags_of(filled, AMBER) == ["draft", "final"]
        assert tags_of(filled, NORTH) == ["draft"]
        assert filled.undo_tags(renamed.change or 0).change is None
        redone = filled.undo_tags(undone.change or 0)
        assert redone.n_runs == 3
        assert tags_of(filled, QUIET) == ["Final", "mine"]

    def test_every_change_of_tags_can_be_undone(self, filled: Library) -> None:
        with filled.transaction() as tx:
            tx.add_tag(QUIET, "a")
            tx.update_metadata(QUIET, notes="kept")
            tx.add_tag(QUIET, "b")
            tx.remove_tag(QUIET, "a")
        filled.add_tag(QUIET, "c")
        (change,) = {
            event.data["change"]
            for event in filled.events(types=["tags_changed"])
            if "c" not in event.data["after"]["tags"]
        }
        assert filled.undo_tags(change).n_runs == 1
        assert tags_of(filled, QUIET) == ["c"]
        assert filled.get_metadata(QUIET).notes == "kept"

    def test_only_changes_of_tags_can_be_undone(self, filled: Library) -> None:
        for change in (-1, 0, 1, 10**9, 10**30):
            with pytest.raises(InvalidArgumentError, match="no change of tags"):
                filled.undo_tags(change)

    def test_the_history_of_a_run_tells_of_it(self, filled: Library) -> None:
        filled.add_tag(QUIET, "draft")
        changed = filled.rename_tag("draft", "final")
        event = filled.events(sim_id=QUIET, types=["tags_changed"])[-1]
        assert event.data["before"] == {"tags": ["draft"]}
        assert event.data["after"] == {"tags": ["final"]}
        assert event.data["change"] == changed.change
        assert event.data["revision"] == filled.get_metadata(QUIET).revision
