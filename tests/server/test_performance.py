"""What the server measures, tells Prometheus, and looks after while nobody asks."""

from __future__ import annotations

import asyncio

import pytest
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from ape_jupyter.library import advising
from ape_jupyter.model.events import EventType
from ape_jupyter.model.performance import Operation
from ape_jupyter.server.shared_answer import SharedAnswer

from .conftest import body_of


@pytest.fixture
def metrics(jp_fetch, ape_app):
    async def metrics():
        response = await jp_fetch("metrics")
        families = text_string_to_metric_families(response.body.decode())
        return {f.name: f for f in families if f.name.startswith("ape_jupyter")}

    return metrics


def value(family, **labels):
    (sample,) = [
        s
        for s in family.samples
        if s.labels == labels and not s.name.endswith(("_created", "_count", "_sum", "_bucket"))
    ]
    return sample.value


async def test_prometheus_is_told(fetch, metrics, ape_app, sim_ids):
    for _ in range(3):
        assert (await fetch("simulations", sim_ids[0], "open", method="POST")).code == 200
    assert (await fetch("simulations", sim_ids[0], "evict", method="POST")).code == 200
    ape_app.access.library().tend()
    found = await metrics()
    assert value(found["ape_jupyter_cache_misses"]) == 1
    assert value(found["ape_jupyter_cache_hits"]) == 2
    assert value(found["ape_jupyter_cache_evictions"]) == 1
    assert value(found["ape_jupyter_cache_evicted_bytes"]) > 0
    for level in ("cache", "memory"):
        assert value(found["ape_jupyter_taken_bytes"], of=level) >= 0
        assert value(found["ape_jupyter_limit_bytes"], of=level) > 0
    samples = found["ape_jupyter_operation_duration_seconds"].samples
    warm = [s for s in samples if s.labels.get("operation") == "open_warm"]
    buckets = [s.value for s in warm if s.name.endswith("_bucket")]
    assert buckets == sorted(buckets)
    assert buckets[-1] == 2
    assert 20 < len(buckets) < 50
    assert next(s.value for s in warm if s.name.endswith("_sum")) > 0


async def test_labels_are_few_and_tell_nothing_of_anybody(fetch, metrics, ape_app, sim_ids):
    for sim_id in sim_ids:
        await fetch("simulations", sim_id, "open", method="POST")
    await fetch("simulations", params={"query": "secret words"})
    ape_app.access.library().tend()
    allowed = {
        "operation": {operation.value for operation in Operation},
        "of": {"cache", "memory"},
    }
    for family in (await metrics()).values():
        for sample in family.samples:
            for label, text in sample.labels.items():
                assert label == "le" or text in allowed[label]


async def test_a_stopped_extension_is_collected_no_more(metrics, ape_app):
    await ape_app.access.call(lambda library: library.search())
    assert await metrics()
    assert ape_app._metrics in REGISTRY._collector_to_names
    await ape_app.stop_extension()
    assert ape_app._metrics not in REGISTRY._collector_to_names
    assert ape_app._tending.cancelled() or ape_app._tending.cancelling()


class TestWithoutALibrary:
    @pytest.fixture
    def app_options(self, tmp_path):
        occupied = tmp_path / "occupied"
        occupied.mkdir()
        (occupied / "thesis.tex").touch()
        return {"library": str(occupied)}

    async def test_prometheus_is_told_nothing(self, metrics):
        assert await metrics() == {}


async def eventually(found):
    """Return what is found once it is anything."""
    deadline = asyncio.get_running_loop().time() + 60
    for _ in iter(lambda: asyncio.get_running_loop().time() < deadline, False):
        if result := await found():
            return result
        await asyncio.sleep(0.02)
    pytest.fail("It did not happen within a minute.")


class TestTending:
    @pytest.fixture
    def app_options(self):
        return {"tend_every_seconds": 0.05, "memory_threshold": 0.5}

    async def test_full_memory_is_an_event_though_nobody_asks(self, ape_app, monkeypatch):
        monkeypatch.setattr(advising, "memory_share", lambda: (60, 100))

        def events(library):
            return library._registry.events(types=[EventType.MEMORY_THRESHOLD_REACHED])

        async def found_events():
            return await ape_app.access.call(events)

        found = await eventually(found_events)
        assert (found[0].data["level"], found[0].data["share"]) == ("memory", 0.6)
        await asyncio.sleep(0.3)
        assert len(await ape_app.access.call(events)) == 1

    async def test_one_look_that_fails_is_not_the_last(self, ape_app, monkeypatch, caplog):
        looks = []

        def tend(library, kernels):
            looks.append(kernels)
            raise RuntimeError("on purpose")

        await ape_app.access.call(lambda library: library.location)
        monkeypatch.setattr("ape_jupyter.library.performance.WithPerformance.tend", tend)

        async def several():
            return len(looks) > 2

        await eventually(several)
        assert "on purpose" in caplog.text


async def test_suggestions_are_applied(fetch, sim_ids):
    for _ in range(6):
        await fetch("simulations", sim_ids[0], "open", method="POST")
        await fetch("simulations", sim_ids[0], "evict", method="POST")
    (advice,) = body_of(await fetch("performance", "suggestions"))["items"]
    assert (advice["kind"], advice["sim_id"]) == ("pin", sim_ids[0])
    path = ("performance", "suggestions", advice["suggestion_id"], "apply")
    applied = await fetch(*path, method="POST")
    assert applied.code == 200
    assert "pinned" in body_of(applied)["result"]
    assert body_of(await fetch("simulations", sim_ids[0]))["is_pinned"]
    assert body_of(await fetch("performance", "suggestions"))["items"] == []
    assert (await fetch(*path, method="POST")).code == 409


async def test_viewers_share_one_look_at_the_kernels(fetch, ape_app, sim_ids, monkeypatch):
    looks = []
    library = await ape_app.access.call(lambda library: library)
    measure = library.memory
    monkeypatch.setattr(library, "memory", lambda kernels: looks.append(1) or measure(kernels))
    answers = await asyncio.gather(*(fetch("memory") for _ in range(5)))
    assert {answer.code for answer in answers} == {200}
    assert len(looks) == 1
    # What somebody changes is seen at once.
    await fetch("simulations", sim_ids[0], "open", method="POST")
    assert [run["sim_id"] for run in body_of(await fetch("memory"))["runs"]] == [sim_ids[0]]
    assert len(looks) == 2


async def test_an_answer_is_made_anew_when_it_failed_or_is_old(monkeypatch):
    made = []

    async def make():
        made.append(1)
        await asyncio.sleep(0.01)
        if len(made) == 1:
            raise OSError
        return str(len(made))

    answer = SharedAnswer()
    failed = await asyncio.gather(answer.get(make), answer.get(make), return_exceptions=True)
    assert [type(error) for error in failed] == [OSError, OSError]
    assert [await answer.get(make) for _ in range(2)] == ["2", "2"]
    monkeypatch.setattr("ape_jupyter.server.shared_answer._FRESH_SECONDS", 0)
    assert await answer.get(make) == "3"


async def test_a_viewer_who_goes_away_takes_nothing_from_the_others():
    going, answer = asyncio.Event(), SharedAnswer()

    async def make():
        await going.wait()
        return "made"

    gone, staying = (asyncio.create_task(answer.get(make)) for _ in range(2))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.sleep(0)
    going.set()
    assert await staying == "made"
