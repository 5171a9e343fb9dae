"""What every form of library finds, counts and suggests."""

from __future__ import annotations

from typing import Any

import pytest

from ape_jupyter.errors import InvalidArgumentError, QuerySyntaxError
from ape_jupyter.library.interface import Library
from ape_jupyter.testing.runs import EXAMPLE_NAMES

__all__ = ["DiscoveryTests"]

FIRST, SECOND, THIRD = EXAMPLE_NAMES


class DiscoveryTests:
    """Ranking, facets, highlights, completion and misspelt words."""

    def test_words_rank_names_before_notes(self, filled: Library) -> None:
        word = FIRST.partition("-")[0]
        filled.update_metadata(SECOND, notes=f"Like {word}, with other doses")
        filled.add_tag(THIRD, word)
        found = filled.search(word)
        assert [run.name for run in found] == [FIRST, THIRD, SECOND]
        page = filled.search(word, limit=1)
        rest = filled.search(word, limit=5, cursor=page.next_cursor)
        assert [run.name for run in [*page, *rest]] == [FIRST, THIRD, SECOND]
        newest = filled.search(word, sort_by="created_at")
        assert [run.created_at for run in newest] == sorted(
            (run.created_at for run in found), reverse=True
        )
        with pytest.raises(InvalidArgumentError, match="cursor"):
            filled.search("tag:x", cursor=page.next_cursor)

    def test_pages_by_relevance_go_on_while_runs_come_in(self, filled: Library) -> None:
        filled.set_tags(EXAMPLE_NAMES, add=["appraisal"])
        filled.update_metadata(FIRST, name="appraisal")
        before = [run.sim_id for run in filled.search("appraisal")]
        page = filled.search("appraisal", limit=2)
        results = filled.load_simulation(SECOND).load_results()
        added = filled.register(
            results.patients, results.visits, name="appraisal appraisal", notes="appraisal"
        )
        rest = filled.search("appraisal", limit=5, cursor=page.next_cursor)
        assert [run.sim_id for run in [*page, *rest]] == before
        assert filled.search("appraisal").total == 4
        assert added.sim_id in {run.sim_id for run in filled.search("appraisal")}

    def test_facets_count_what_a_search_finds(self, filled: Library) -> None:
        filled.set_tags([FIRST, SECOND], add=["nhs/site", "draft"])
        everything = filled.search(limit=1)
        names = ("protocol", "engine", "model", "tags", "owner", "size", "year", "has_costs")
        found = filled.search(limit=1, facets=(*names, "n_visits", "vision"))
        assert list(found.facets) == [*names, "n_visits", "vision"]
        assert found.total == everything.total == 3
        for name, facet in found.facets.items():
            counted = sum(value.count for value in facet.values)
            # A run has several tags.
            assert counted + facet.n_without == (5 if name == "tags" else 3), name
            for value in facet.values:
                total = filled.search(value.query).total
                assert total == value.count, value
        assert {value.value: value.count for value in found.facets["tags"].values} == {
            "draft": 2,
            "nhs/site": 2,
        }
        assert found.facets["tags"].n_without == 1
        assert found.facets["n_visits"].is_histogram
        assert not found.facets["size"].is_histogram
        assert found.facets["vision"].unit == "letters"

    def test_a_facet_leaves_its_own_filter_out(self, filled: Library) -> None:
        every = filled.search(facets=["engine"]).facets["engine"]
        chosen = every.values[0]
        found = filled.search(filters={"engine": chosen.value}, facets=["engine", "year"])
        assert found.total == chosen.count
        assert found.facets["engine"].values == every.values
        assert sum(value.count for value in found.facets["year"].values) == chosen.count

    def test_facets_by_parameters(self, filled: Library) -> None:
        results = filled.load_simulation(FIRST).load_results()
        for days in (28, 56, 56):
            filled.register(
                results.patients,
                results.visits,
                name=f"variant-{days}",
                protocol={"name": "Fixed", "min_interval_days": days, "drugs": ["a", "b"]},
            )
        found = filled.search("variant", facets=["protocol.min_interval_days", "protocol.drugs"])
        days_facet, drugs = found.facets.values()
        assert days_facet.is_histogram
        assert [v.count for v in days_facet.values if v.count] == [1, 2]
        assert [(v.value, v.count) for v in drugs.values] == [("a", 3), ("b", 3)]
        for value in (*days_facet.values, *drugs.values):
            assert filled.search(f"variant {value.query}").total == value.count

    @pytest.mark.parametrize("name", ["colour", "", "protocol.", "n_patients; DROP"])
    def test_what_is_no_facet_is_refused(self, filled: Library, name: str) -> None:
        with pytest.raises(InvalidArgumentError, match="count by"):
            filled.search(facets=[name])

    def test_highlights_tell_why_a_run_was_found(self, filled: Library) -> None:
        filled.update_metadata(FIRST, notes="Two Saturday clinics")
        filled.set_tags([FIRST], add=["a", "saturday"])
        found = filled.search("SATUR", highlight=True)
        (marks,) = found.highlights
        run = found[0]
        texts = [
            (run.tags[m.item] if m.field == "tags" else getattr(run, m.field))[m.start : m.end]
            for m in marks
        ]
        assert sorted(texts) == ["Satur", "satur"]
        assert filled.search("satur").highlights == ()

    def test_misspelt_words_find_what_was_meant(self, filled: Library) -> None:
        filled.update_metadata(SECOND, notes="Clinics on Saturday mornings")
        found = filled.search("saturdey mornings")
        assert [run.name for run in found] == [SECOND]
        assert found.corrected_query == "saturday mornings"
        assert "saturday mornings" in repr(found)
        assert filled.search("saturday").corrected_query is None
        assert filled.search('"saturdey"').total == 0
        assert filled.search("-saturdey").corrected_query is None
        filled.delete(SECOND)
        nothing = filled.search("saturdey")
        assert (nothing.total, nothing.corrected_query) == (0, None)

    def test_errors_say_where_and_what_to_write(self, filled: Library) -> None:
        with pytest.raises(QuerySyntaxError) as refused:
            filled.search("flat n_pateints>3")
        assert refused.value.position == 5
        assert "n_patients" in str(refused.value.hint)

    def test_completes_what_is_typed(self, filled: Library) -> None:
        filled.set_tags([FIRST, SECOND], add=["NHS/site"])
        run = filled.get_metadata(FIRST)

        def texts(query: str, cursor: int | None = None) -> list[str]:
            return [candidate.text for candidate in filled.complete(query, cursor).candidates]

        assert "n_patients>=" in texts("n_pat")
        assert texts("is:pin") == ["pinned"]
        tag = filled.complete("tag:nh").candidates[0]
        assert (tag.text, tag.kind, tag.count) == ("NHS/site", "tag", 2)
        assert run.engine_type in texts("engine:")
        typed = "x owner: y"
        completion = filled.complete(typed, 8)
        assert (completion.start, completion.end) == (8, 8)
        assert run.owner in [candidate.text.strip('"') for candidate in completion.candidates]
        path = next(text for text in texts("protocol.") if text.endswith(">="))
        assert filled.search(f"{path}-1000000", limit=1).total >= 0
        filled.set_tags([FIRST, SECOND], remove=["nhs/SITE"])
        assert texts("tag:nh") == []
        assert texts("") != []

    def test_what_is_in_the_trash_is_not_told(self, filled: Any) -> None:
        filled.update_metadata(FIRST, notes="Zanzibar")
        filled.set_tags([FIRST], add=["zebra"])
        filled.delete(FIRST)
        assert filled.complete("tag:ze").candidates == ()
        facet = filled.search(facets=["tags"]).facets["tags"]
        assert (facet.values, facet.n_without) == ((), 2)
        filled.update_metadata(SECOND, notes="Saturday")
        assert filled.search("zanzibor OR saturdey").corrected_query == "zanzibor OR saturday"
        assert filled.search("zanzibar OR saturdey").corrected_query == "zanzibar OR saturday"
