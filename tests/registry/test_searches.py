"""What one user sees and may do of another's searches, and what is written when."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ape_jupyter.errors import InvalidArgumentError, PermissionDeniedError
from ape_jupyter.model.saved_searches import MAX_SAVED_SEARCHES, SearchTerms
from ape_jupyter.registry import performed_searches
from ape_jupyter.registry.performed_searches import PerformedSearch
from ape_jupyter.registry.registry import Registry

TERMS = SearchTerms(query="tag:nhs", filters={"seed": (1, 2.5, True, "x")})


@pytest.fixture(params=["sqlite", "postgresql"])
def registry(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Registry]:
    if request.param == "sqlite":
        opened = Registry(tmp_path / "registry.db")
        yield opened
        opened.close()
        return
    with request.getfixturevalue("postgresql").database() as url:
        opened = Registry(url)
        yield opened
        opened.close()


def save(registry: Registry, name: str, user: str, *, shared: bool = False) -> None:
    registry.save_search(name, TERMS, is_shared=shared, replace=False, user=user)


def seen(registry: Registry, user: str) -> list[tuple[str, str]]:
    return [(saved.owner, saved.name) for saved in registry.saved_searches(user)]


def noted(query: str, user: str) -> PerformedSearch:
    terms = SearchTerms(query=query)
    return PerformedSearch(user=user, terms=terms, kinds=("text",), seconds=0.5, total=1)


def test_others_see_what_is_shared_and_change_nothing(registry: Registry) -> None:
    save(registry, "mine", "ada")
    save(registry, "ours", "ada", shared=True)
    save(registry, "mine", "bob")
    assert seen(registry, "ada") == [("ada", "mine"), ("ada", "ours")]
    assert seen(registry, "bob") == [("bob", "mine"), ("ada", "ours")]
    assert registry.saved_searches("ada")[0].terms == TERMS
    with pytest.raises(PermissionDeniedError, match="ada"):
        registry.delete_search("ours", "bob")
    with pytest.raises(PermissionDeniedError, match="ada"):
        registry.change_search("Ours", is_shared=False, user="bob")
    # One that is not shared is not even said to exist.
    registry.delete_search("mine", "bob")
    with pytest.raises(InvalidArgumentError, match="no search"):
        registry.delete_search("mine", "bob")
    assert seen(registry, "ada") == [("ada", "mine"), ("ada", "ours")]


def test_nobody_can_save_without_end(registry: Registry) -> None:
    for number in range(MAX_SAVED_SEARCHES):
        save(registry, f"search {number}", "ada")
    with pytest.raises(InvalidArgumentError, match=str(MAX_SAVED_SEARCHES)):
        save(registry, "one more", "ada")
    save(registry, "one more", "bob")


def test_recent_searches_are_each_users_own(registry: Registry) -> None:
    revision = registry.revision()
    for query, user in (("a", "ada"), ("b", "bob"), ("c", "ada"), ("a", "ada")):
        registry.note_search(noted(query, user))
    assert [found.terms.query for found in registry.recent_searches("ada")] == ["a", "c"]
    registry.clear_recent_searches("ada")
    assert registry.recent_searches("ada") == []
    assert [found.terms.query for found in registry.recent_searches("bob")] == ["b"]
    assert registry.revision() == revision


def test_a_sample_stands_for_the_others(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(performed_searches.time, "monotonic", lambda: now)
    for _ in range(5):
        registry.note_search(noted("a", "ada"))
    now += performed_searches.SAMPLED_EVERY_SECONDS
    registry.note_search(noted("b", "bob"))
    registry.flush()
    told = registry.events(types=["search_performed"])
    assert [(event.user_id, event.data["stands_for"]) for event in told] == [("ada", 1), ("bob", 5)]
    assert told[0].data == {"seconds": 0.5, "total": 1, "kinds": ["text"], "stands_for": 1}
    assert registry.broken_history() is None
