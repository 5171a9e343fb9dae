"""The part of the suite that is about how well a library works, and what would help."""

from __future__ import annotations

import pytest

from ape_jupyter.errors import ConflictError
from ape_jupyter.library.interface import Library
from ape_jupyter.library.suggestion import Suggestion
from ape_jupyter.testing.runs import EXAMPLE_NAMES

__all__ = ["PerformanceTests"]


def open_again_and_again(library: Library, name: str, times: int, evictions: int) -> None:
    """Open a run that is not in the cache, evicting it before some of the next times."""
    data = library.load_simulation(name)
    for number in range(times):
        data.load_results()
        data.unload_results()
        if number < evictions:
            library.evict(name)


def pins(library: Library) -> list[Suggestion]:
    """Return the suggestions to pin a run."""
    return [found for found in library.get_optimization_suggestions() if found.kind == "pin"]


class PerformanceTests:
    """Reports, and suggestions that rest on them."""

    def test_a_new_library_has_nothing_to_report(self, library: Library) -> None:
        report = library.performance()
        assert (report.hits, report.misses, report.hit_rate) == (0, 0, None)
        assert report.most_used == ()
        assert "no run was opened" in str(report)
        assert library.get_optimization_suggestions() == []

    def test_reports_what_was_done(self, filled: Library) -> None:
        before = filled.performance()
        imports = before.latency("import")
        assert imports is not None
        assert imports.count == len(EXAMPLE_NAMES)
        open_again_and_again(filled, EXAMPLE_NAMES[0], times=4, evictions=1)
        filled.search("no such thing")
        filled.compare_simulations(EXAMPLE_NAMES[:2])
        report = filled.performance()
        assert (report.hits, report.misses, report.evictions) == (2, 2, 1)
        assert report.hit_rate == 0.5
        assert report.evicted_mb > 0
        assert report.since <= before.since
        for operation, count in (("open_warm", 2), ("open_cold", 2), ("comparison", 1)):
            latency = report.latency(operation)
            assert latency is not None
            assert latency.count == count
            assert 0 < latency.p50_seconds <= latency.p95_seconds <= latency.p99_seconds
        searches = report.latency("search")
        assert searches is not None
        assert searches.count > 0
        (use,) = report.most_used
        assert use.name == EXAMPLE_NAMES[0]
        assert (round(use.opens), round(use.cold_opens)) == (4, 2)
        frame = report.to_pandas()
        assert frame.loc["open_warm", "count"] == 2
        assert EXAMPLE_NAMES[0] in str(report)
        assert EXAMPLE_NAMES[0] in report._repr_html_()  # IPython's protocol

    def test_runs_in_the_trash_are_not_reported(self, filled: Library) -> None:
        open_again_and_again(filled, EXAMPLE_NAMES[0], times=6, evictions=2)
        filled.delete(EXAMPLE_NAMES[0])
        assert filled.performance().most_used == ()
        assert pins(filled) == []

    def test_suggests_with_evidence_only_and_does_it(self, filled: Library) -> None:
        open_again_and_again(filled, EXAMPLE_NAMES[0], times=4, evictions=2)
        assert pins(filled) == []
        open_again_and_again(filled, EXAMPLE_NAMES[0], times=2, evictions=0)
        (suggestion,) = pins(filled)
        run = filled.get_metadata(EXAMPLE_NAMES[0])
        assert suggestion.sim_id == run.sim_id
        assert run.name in str(suggestion)
        assert round(suggestion.evidence["opens"]) == 6
        assert round(suggestion.evidence["cold_opens"]) == 3
        assert suggestion.saves_seconds is not None
        assert suggestion.saves_seconds > 0
        applied = suggestion.apply()
        assert (applied.suggestion_id, applied.kind) == (suggestion.suggestion_id, suggestion.kind)
        assert filled.get_metadata(EXAMPLE_NAMES[0]).is_pinned
        assert pins(filled) == []
        with pytest.raises(ConflictError, match="no longer"):
            suggestion.apply()

    def test_what_is_not_suggested_can_not_be_done(self, library: Library) -> None:
        for unknown in ("pin-0", "../x", "é"):
            with pytest.raises(ConflictError):
                library.apply_suggestion(unknown)
