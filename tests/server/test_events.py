"""Events over REST and WebSocket, edits that mind each other, and transactions."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect

from ape_jupyter.server.hints import SCHEMA_ID
from ape_jupyter.wire.signing import sign

from .conftest import API, body_of

WAIT_SECONDS = 20


@pytest.fixture
def library(ape_app):
    return ape_app.access.library()


@pytest.fixture
def connect(jp_ws_fetch, ape_app):
    async def connect(**params):
        return await jp_ws_fetch(*API, "events", "stream", params=params)

    return connect


async def read(socket):
    message = await asyncio.wait_for(socket.read_message(), WAIT_SECONDS)
    assert message is not None
    return json.loads(message)


async def in_thread(function):
    return await asyncio.get_running_loop().run_in_executor(None, function)


class TestRest:
    async def test_pages_lead_through_the_log(self, fetch, library, sim_ids):
        await in_thread(lambda: library.set_tags(sim_ids, add=["x"]))
        seen, since = [], 0
        while True:
            response = await fetch("events", params={"since": str(since), "limit": "2"})
            page = body_of(response)
            if not page["items"]:
                break
            seen += page["items"]
            since = page["next_since"]
        assert [event["seq"] for event in seen] == list(range(1, page["last_seq"] + 1))
        assert page["next_since"] == page["last_seq"]

    async def test_types_and_run_are_chosen(self, fetch, library, sim_ids):
        await in_thread(lambda: library.set_tags(sim_ids, add=["x"]))
        params = {"types": "tags_changed", "sim_id": sim_ids[1]}
        (event,) = body_of(await fetch("events", params=params))["items"]
        assert event["data"]["after"] == {"tags": ["x"]}

    async def test_waits_for_what_happens_in_another_process(self, fetch, library, sim_ids):
        from ape_jupyter.library.local import LocalLibrary

        start = body_of(await fetch("events", params={"limit": "1"}))["last_seq"]
        waiting = asyncio.ensure_future(
            fetch("events", params={"since": str(start), "wait_seconds": "20"})
        )
        await asyncio.sleep(0.3)
        assert not waiting.done()

        def change():
            with LocalLibrary.open(library.directory) as other:
                other.add_tag(sim_ids[0], "from elsewhere")

        await in_thread(change)
        page = body_of(await asyncio.wait_for(waiting, WAIT_SECONDS))
        assert [event["type"] for event in page["items"]] == ["tags_changed"]

    @pytest.mark.parametrize(
        "query",
        [
            "since=-1",
            "since=x",
            "limit=0",
            "limit=10001",
            "wait_seconds=31",
            "wait_seconds=nan",
            "types=rained",
            "since=1&since=2",
        ],
    )
    async def test_nonsense_is_refused(self, fetch, query):
        params = [tuple(pair.split("=")) for pair in query.split("&")]
        response = await fetch("events", params=params)
        assert response.code == 400


class TestWebSocket:
    async def test_tells_what_was_and_what_happens(self, connect, library, sim_ids):
        await in_thread(lambda: library.add_tag(sim_ids[0], "before"))
        start = library.events()[-1].seq
        socket = await connect(since=str(start - 1))
        assert (await read(socket))["event"]["data"]["after"] == {"tags": ["before"]}
        for number in range(3):
            await in_thread(lambda number=number: library.add_tag(sim_ids[0], f"t{number}"))
        told = [(await read(socket))["event"] for _ in range(3)]
        assert [event["seq"] for event in told] == [start + 1, start + 2, start + 3]
        socket.close()

    async def test_says_when_some_were_missed(self, connect, library, sim_ids):
        await in_thread(lambda: library.set_tags(sim_ids, add=["x"]))
        await in_thread(lambda: library._registry.forget_events(timedelta()))
        socket = await connect(since="0")
        first = await read(socket)
        assert first["event"] is None
        assert first["resync_from"] == library.event_range()[0]
        await in_thread(lambda: library.add_tag(sim_ids[0], "y"))
        assert (await read(socket))["event"]["seq"] == first["resync_from"]
        socket.close()

    async def test_takes_a_kernels_signature(
        self, ape_app, kernel, http_server, jp_http_port, jp_base_url
    ):
        target = f"{jp_base_url}ape-jupyter/api/v1/events/stream?since=0"
        headers = {"Authorization": sign(kernel, "GET", target).authorization}
        url = f"ws://localhost:{jp_http_port}{target}"
        socket = await websocket_connect(HTTPRequest(url, headers=headers))
        assert (await read(socket))["event"]["seq"] == 1
        socket.close()

    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            ({}, 403),
            ({"Authorization": "token wrong"}, 403),
            ({"Authorization": "ApeKernel id=x"}, 401),
        ],
    )
    async def test_lets_nobody_else_in(
        self, ape_app, http_server, jp_http_port, jp_base_url, headers, status
    ):
        url = f"ws://localhost:{jp_http_port}{jp_base_url}ape-jupyter/api/v1/events/stream"
        with pytest.raises(HTTPClientError) as caught:
            await websocket_connect(HTTPRequest(url, headers=headers))
        assert caught.value.code == status

    async def test_nothing_is_left_of_it(self, connect, ape_app, library, sim_ids):
        sockets = [await connect(since="0") for _ in range(5)]
        for socket in sockets:
            await read(socket)
            socket.close()
        for _ in range(100):
            if not ape_app.events.n_waiting:
                break
            await asyncio.sleep(0.05)
        assert ape_app.events.n_waiting == 0


async def test_other_extensions_get_a_hint_without_content(jp_serverapp, library, sim_ids):
    heard = asyncio.Queue()

    async def listen(logger, schema_id, data):
        heard.put_nowait(data)

    jp_serverapp.event_logger.add_listener(schema_id=SCHEMA_ID, listener=listen)
    await in_thread(lambda: library.add_tag(sim_ids[0], "secret"))
    while True:
        hint = await asyncio.wait_for(heard.get(), WAIT_SECONDS)
        assert "secret" not in json.dumps(hint)
        assert sim_ids[0] not in json.dumps(hint)
        if hint["seq"] == library.event_range()[1]:
            break


class TestEdits:
    async def test_an_edit_names_what_it_is_based_on(self, fetch, sim_ids):
        path = ("simulations", sim_ids[0])
        etag = (await fetch(*path)).headers["ETag"]
        first = await fetch(
            *path, method="PATCH", json={"notes": "mine"}, headers={"If-Match": etag}
        )
        assert (first.code, body_of(first)["notes"]) == (200, "mine")
        assert first.headers["ETag"] != etag
        stale = await fetch(
            *path, method="PATCH", json={"notes": "late"}, headers={"If-Match": etag}
        )
        assert stale.code == 412
        details = body_of(stale)["details"]
        assert (details["current"]["notes"], details["expected"]["notes"]) == ("mine", "")
        anyway = await fetch(
            *path, method="PATCH", json={"notes": "late"}, headers={"If-Match": "*"}
        )
        assert body_of(anyway)["notes"] == "late"

    @pytest.mark.parametrize(
        ("etag", "status"), [(None, 428), ("x", 400), ('W/"1"', 400), ('"99"', 412)]
    )
    async def test_an_edit_without_is_refused(self, fetch, sim_ids, etag, status):
        headers = {} if etag is None else {"If-Match": etag}
        response = await fetch(
            "simulations", sim_ids[0], method="PATCH", json={"notes": "x"}, headers=headers
        )
        assert response.code == status

    async def test_facts_can_not_be_edited(self, fetch, sim_ids):
        response = await fetch(
            "simulations",
            sim_ids[0],
            method="PATCH",
            json={"n_patients": 3},
            headers={"If-Match": "*"},
        )
        assert response.code == 400


class TestTransactions:
    async def test_a_repetition_only_gets_the_answer_again(self, fetch, library, sim_ids):
        order = {"operations": [{"set_tags": {"sim_id": sim_ids[0], "add": ["x"]}}]}
        headers = {"Idempotency-Key": "a-key"}
        first = await fetch("transactions", json=order, headers=headers)
        await in_thread(lambda: library.remove_tag(sim_ids[0], "x"))
        second = await fetch("transactions", json=order, headers=headers)
        assert first.code == 200
        assert body_of(first) == body_of(second)
        assert library.get_metadata(sim_ids[0]).tags == ()
        other = {"operations": [{"set_tags": {"sim_id": sim_ids[1], "add": ["x"]}}]}
        assert (await fetch("transactions", json=other, headers=headers)).code == 409

    @pytest.mark.parametrize(
        "operations",
        [
            [{}],
            [{"set_tags": {"sim_id": "a"}, "delete": {"sim_id": "a"}}],
            [{"drop_table": {}}],
            "all",
        ],
    )
    async def test_what_is_no_operation_is_refused(self, fetch, operations):
        response = await fetch(
            "transactions", json={"operations": operations}, headers={"Idempotency-Key": "k"}
        )
        assert response.code == 400

    async def test_needs_a_key(self, fetch):
        assert (await fetch("transactions", json={"operations": []})).code == 400

    async def test_takes_no_paths_when_these_are_switched_off(self, fetch, ape_app, example_runs):
        ape_app.path_imports = False
        order = {"operations": [{"add": {"path": str(example_runs[0])}}]}
        response = await fetch("transactions", json=order, headers={"Idempotency-Key": "k"})
        assert response.code == 403

    async def test_the_reason_of_a_rollback_is_no_text_of_somebody(self, fetch):
        note = {"n_operations": 1, "reason": "<img src=x>"}
        assert (await fetch("transactions", "rollback", json=note)).code == 400
