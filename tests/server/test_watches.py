"""Folders that a server follows."""

from __future__ import annotations

import asyncio
import threading

import pytest

from ape_jupyter.library.local import LocalLibrary

from .conftest import body_of


@pytest.mark.parametrize("folder", ["", "results", "~/results", "/a\0b", "/nowhere/at/all"])
async def test_refuses_other_paths(fetch, folder):
    response = await fetch("watches", json={"folder": folder})
    assert response.code == 400
    assert body_of(await fetch("watches")) == {"items": []}


@pytest.mark.parametrize("watch_id", ["..", "%2e%2e%2fjobs", "unknown"])
async def test_unknown_watch(fetch, watch_id):
    for method in ("GET", "DELETE"):
        assert (await fetch("watches", watch_id, method=method)).code in (400, 404)


async def test_the_disk_is_not_touched_on_the_loop(fetch, example_runs, monkeypatch):
    loop_thread = threading.get_ident()
    called = set()
    for name in ("watch", "follow_watches", "watch_states", "watch_state", "stop_watch"):
        original = getattr(LocalLibrary, name)

        def spy(*args, original=original, name=name, **options):
            assert threading.get_ident() != loop_thread
            called.add(name)
            return original(*args, **options)

        monkeypatch.setattr(LocalLibrary, name, spy)
    order = {"folder": str(example_runs[0].parent), "settle_seconds": 3600}
    watch_id = body_of(await fetch("watches", json=order))["watch_id"]
    await fetch("watches")
    await fetch("watches", watch_id)
    await fetch("watches", watch_id, method="DELETE")
    assert called == {"watch", "follow_watches", "watch_states", "watch_state", "stop_watch"}


class TestConfigured:
    @pytest.fixture
    def app_options(self, example_runs):
        return {"watched_folders": [str(example_runs[0].parent)]}

    async def test_is_followed_and_can_not_be_stopped(self, fetch, example_runs):
        for _ in range(1000):
            items = body_of(await fetch("watches"))["items"]
            if items:
                break
            await asyncio.sleep(0.02)
        [watch] = items
        assert watch["folder"] == str(example_runs[0].parent)
        assert watch["is_configured"]
        assert watch["is_followed"]
        response = await fetch("watches", watch["watch_id"], method="DELETE")
        assert response.code == 409
        assert "ApeJupyterApp.watched_folders" in body_of(response)["message"]
