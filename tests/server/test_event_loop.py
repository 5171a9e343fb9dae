"""Nothing that the library does holds up the server."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from ape_jupyter.library.local import LocalLibrary


@pytest.fixture
def gate():
    gate = threading.Event()
    yield gate
    gate.set()


async def test_slow_library_leaves_the_server_responsive(fetch, sim_ids, monkeypatch, gate):
    await fetch("health")
    slow = LocalLibrary.open_tables

    def wait(self, sim_id):
        gate.wait(20)
        return slow(self, sim_id)

    monkeypatch.setattr(LocalLibrary, "open_tables", wait)
    opening = [
        asyncio.ensure_future(fetch("simulations", sim_ids[0], "open", method="POST"))
        for _ in range(6)
    ]
    await asyncio.sleep(0.1)
    start = time.monotonic()
    for path in ("health", "simulations", "tags"):
        assert (await fetch(path)).code == 200
    assert not any(task.done() for task in opening)
    assert time.monotonic() - start < 5  # it waits for 20 s when something blocks
    gate.set()
    assert {response.code for response in await asyncio.gather(*opening)} == {200}


async def test_the_library_is_never_called_on_the_loop(fetch, sim_ids, monkeypatch):
    loop_thread = threading.get_ident()
    called = set()
    names = ("search_page", "get_metadata", "documents", "open_tables", "tags", "revision")
    names += ("pin", "unpin", "evict", "memory", "optimize_memory")
    names += ("performance", "get_optimization_suggestions")
    for name in names:
        original = getattr(LocalLibrary, name)

        def spy(*args, original=original, name=name, **options):
            assert threading.get_ident() != loop_thread
            called.add(name)
            return original(*args, **options)

        monkeypatch.setattr(LocalLibrary, name, spy)
    await fetch("health")
    await fetch("simulations")
    await fetch("simulations", sim_ids[0])
    await fetch("simulations", sim_ids[0], "documents")
    await fetch("simulations", sim_ids[0], "tables", "visits")
    await fetch("tags")
    await fetch("simulations", sim_ids[0], "pin", method="POST")
    await fetch("simulations", sim_ids[0], "pin", method="DELETE")
    await fetch("simulations", sim_ids[0], "evict", method="POST")
    await fetch("memory")
    await fetch("memory", "optimize", json={})
    await fetch("performance")
    await fetch("performance", "suggestions")
    assert called == set(names)


async def test_stopping_does_not_wait_for_ever(fetch, ape_app, sim_ids, monkeypatch, gate):
    monkeypatch.setattr("ape_jupyter.server.app._STOP_SECONDS", 0.2)
    monkeypatch.setattr(LocalLibrary, "open_tables", lambda *_: gate.wait(20))
    opening = asyncio.ensure_future(fetch("simulations", sim_ids[0], "open", method="POST"))
    await asyncio.sleep(0.1)
    start = time.monotonic()
    await ape_app.stop_extension()
    assert time.monotonic() - start < 5
    gate.set()
    await opening
