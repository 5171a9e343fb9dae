"""Memory figures of real kernels, asked of the server while a cell runs."""

from __future__ import annotations

import asyncio

import pytest

from .conftest import body_of
from .test_kernels import run_in_kernel, start_kernel  # noqa: F401  # a fixture

OPENS = """
    import ape_jupyter as ape
    lib = ape.connect()
    data = lib.load_simulation("quiet-harbour")
    int(data.load_results().visits["vision"].to_numpy().sum())
    print(lib.memory().kernels[0].runs[0].sim_id)
"""


async def test_kernels_are_measured_from_outside(
    fetch,
    start_kernel,  # noqa: F811
    jp_serverapp,
    sim_ids,
):
    kernel_id = await start_kernel()
    manager = jp_serverapp.kernel_manager.get_kernel(kernel_id)
    assert (await run_in_kernel(manager, OPENS)).strip() == sim_ids[0]
    busy = manager.client()
    busy.start_channels()
    await busy.wait_for_ready(timeout=60)
    busy.execute("import time; time.sleep(30)")
    await asyncio.sleep(0.2)
    report = body_of(await fetch("memory"))
    (kernel,) = (found for found in report["kernels"] if found["kernel_id"] == kernel_id)
    (run,) = kernel["runs"]
    assert run["sim_id"] == sim_ids[0]
    assert 0 < run["pss_mb"] <= run["resident_mb"] <= run["mapped_mb"]
    assert kernel["private_mb"] > 10
    refused = await fetch("simulations", sim_ids[0], "evict", method="POST")
    assert refused.code == 409
    assert str(kernel["pid"]) in body_of(refused)["message"]
    busy.stop_channels()

    # A kernel that is killed frees its runs by dying.
    await jp_serverapp.kernel_manager.shutdown_kernel(kernel_id, now=True)
    evicted = await fetch("simulations", sim_ids[0], "evict", method="POST")
    assert evicted.code == 200
    assert body_of(evicted)["freed_mb"] > 0


class TestBudget:
    @pytest.fixture
    def app_options(self):
        return {"cache_budget_mb": 1.5}

    async def test_is_a_trait(self, fetch):
        assert body_of(await fetch("memory"))["budget_mb"] == 1.5


async def test_wrong_orders(fetch):
    for body in ({"idle_for": -1}, {"idle_for": "long"}, {"forever": True}):
        assert (await fetch("memory", "optimize", json=body)).code == 400
