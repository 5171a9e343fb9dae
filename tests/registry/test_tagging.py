"""Changes of tags in any order: what is found, what stands in the log, what undoing gives."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ape_jupyter.errors import ConflictError, InvalidArgumentError
from ape_jupyter.model.events import EventType
from ape_jupyter.model.listing import SearchRequest
from ape_jupyter.model.simulation import Status
from ape_jupyter.model.tags import TagsChanged, moved_tag, normalise_tag, tag_key
from ape_jupyter.registry.changes import NewRun
from ape_jupyter.registry.registry import Registry
from ape_jupyter.services.search.grammar import parse
from ape_jupyter.testing.suite_registry import example_metadata

RUNS = [f"sim_{number:04d}" for number in range(4)]

level = st.sampled_from(["a", "A", "b", "é", "E\N{COMBINING ACUTE ACCENT}", "ß", "SS"])
tag = st.lists(level, min_size=1, max_size=3).map("/".join)
some_tags = st.lists(tag, max_size=3)
changes = st.one_of(
    st.tuples(st.just("change_tags"), st.lists(st.sampled_from(RUNS)), some_tags, some_tags),
    st.tuples(st.just("rename_tag"), tag, tag),
    st.tuples(st.just("merge_tags"), st.lists(tag, min_size=1, max_size=2), tag),
    st.tuples(st.just("set_tag_colour"), tag, st.sampled_from(["red", "#123456", None])),
)


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    opened = Registry(tmp_path / "registry.db")
    opened.apply([NewRun(metadata=example_metadata(n), documents={}) for n in range(len(RUNS))])
    yield opened
    opened.close()


def tags_now(registry: Registry) -> dict[str, tuple[str, ...]]:
    return {run.sim_id: run.tags for run in registry.all_runs()}


def state(registry: Registry) -> object:
    return tags_now(registry), registry.tag_counts()


def attempt(call: Callable[..., TagsChanged], *arguments: object) -> TagsChanged:
    try:
        return call(*arguments)
    except (ConflictError, InvalidArgumentError):  # of a tag that is not there, or one that is
        return TagsChanged(change=None, n_runs=0)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(wanted=st.lists(changes, min_size=1, max_size=6))
def test_changes_are_found_told_and_can_be_undone(registry: Registry, wanted: list) -> None:
    done = []
    for name, *arguments in wanted:
        before, seq = state(registry), registry.last_seq()
        changed = attempt(getattr(registry, name), *arguments)
        told = registry.events(seq)
        if changed.change is None:
            assert (state(registry), told) == (before, [])
            continue
        assert changed.change == told[0].seq
        assert {(event.type, event.data["change"]) for event in told} == {
            (EventType.TAGS_CHANGED, changed.change)
        }
        assert sum(event.simulation_id is not None for event in told) == changed.n_runs
        done.append((changed.change, before))
    agree(registry)
    for change, before in reversed(done):
        undone = registry.undo_tags(change)
        assert (undone.n_left, state(registry)) == (0, before)
    agree(registry)
    assert registry.broken_history() is None
    registry.change_tags(RUNS, [], [entry.tag for entry in registry.tag_counts()])


def agree(registry: Registry) -> None:
    """Check the index and the counts against the tags that the runs have."""
    carried = tags_now(registry)
    for entry in registry.tag_counts():
        key = tag_key(entry.tag)
        for operator, expected in (("=", entry.count), (":", entry.total)):
            page = registry.search(parse(f'tag{operator}"{entry.tag}"'), SearchRequest())
            assert page.total == expected
            assert expected == sum(
                any(
                    tag_key(tag) == key or (operator == ":" and tag_key(tag).startswith(f"{key}/"))
                    for tag in of_run
                )
                for of_run in carried.values()
            )


@given(tag=tag, branch=tag, into=tag)
def test_moving_a_tag_replaces_the_beginning_of_its_branch(tag: str, branch: str, into: str):
    tag, into, key = normalise_tag(tag), normalise_tag(into), tag_key(normalise_tag(branch))
    moved = moved_tag(tag, key, into)
    if moved is None:
        assert not f"{tag_key(tag)}/".startswith(f"{key}/")
    else:
        assert f"{tag_key(into)}{tag_key(tag).removeprefix(key)}" == tag_key(moved)


def test_an_undo_passes_over_a_run_that_is_gone(registry: Registry) -> None:
    changed = registry.change_tags(RUNS[:2], ["a"], [])
    registry.set_status(RUNS[0], Status.TRASHED)
    registry.purge(datetime.now(UTC))
    registry.add(example_metadata(0, tags=("b",)), {})
    assert registry.undo_tags(changed.change or 0).n_runs == 1
    assert tags_now(registry)[RUNS[0]] == ("b",)


ASKED = """
import sys
from pathlib import Path
from ape_jupyter.model.listing import SearchRequest
from ape_jupyter.registry.registry import Registry
from ape_jupyter.services.search.grammar import parse
where = sys.argv[1]
registry = Registry(where if "://" in where else Path(where))
for line in sys.stdin:
    print(registry.search(parse(line.strip()), SearchRequest()).total, flush=True)
"""


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_another_process_finds_a_change_at_once(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    with ExitStack() as stack:
        location: Path | str = tmp_path / "registry.db"
        if kind == "postgresql":
            server = request.getfixturevalue("postgresql")
            location = stack.enter_context(server.database())
        registry = Registry(location)
        stack.callback(registry.close)
        runs = [NewRun(metadata=example_metadata(number), documents={}) for number in range(3)]
        registry.apply(runs)
        other = stack.enter_context(
            subprocess.Popen(
                [sys.executable, "-c", ASKED, str(location)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )

        def found(query: str) -> int:
            other.stdin.write(f"{query}\n")
            other.stdin.flush()
            return int(other.stdout.readline())

        assert found("tag:area") == 0
        registry.change_tags(parse("run"), ["Area/North"], [])
        assert (found("tag:area"), found("north")) == (3, 3)
        renamed = registry.rename_tag("area", "region")
        assert (found("tag:area"), found("tag:region"), found("region")) == (0, 3, 3)
        registry.merge_tags(["region/north"], "everywhere")
        assert (found("region"), found("every")) == (0, 3)
        registry.undo_tags(registry.last_seq() - 2)
        registry.undo_tags(renamed.change)
        assert (found("tag:area/north"), found("region"), found("every")) == (3, 0, 0)
        other.stdin.close()
