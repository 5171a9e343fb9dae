"""Comparisons that are followed, and that end when nobody waits for them any more."""

from __future__ import annotations

import json
import time

import pytest

from ape_jupyter.client.remote import RemoteLibrary
from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.model.progress import Progress
from ape_jupyter.services.compare import parts
from ape_jupyter.testing.runs import EXAMPLE_NAMES
from ape_jupyter.testing.servers import running_server

CUTS = {"baseline_vision": [*range(40, 84, 4)]}
N_PARTS = 2 * (len(CUTS["baseline_vision"]) + 1)


@pytest.fixture
def slow_parts(monkeypatch):
    """Have each subgroup of each run take long enough for an interruption to come in between."""
    made = []
    summary_of_patients = parts.summary_of_patients

    def slowly(*arguments):
        made.append(time.monotonic())
        time.sleep(0.4)
        return summary_of_patients(*arguments)

    monkeypatch.setattr(parts, "summary_of_patients", slowly)
    return made


@pytest.fixture
def remote(tmp_path, library_directory):
    with (
        running_server(tmp_path / "server", library_directory) as server,
        RemoteLibrary(server.info.url, server.token) as library,
    ):
        yield library


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_an_interruption_ends_the_work_of_the_server(remote, slow_parts, error):
    heard: list[Progress] = []

    def interrupt(progress: Progress) -> None:
        heard.append(progress)
        raise error

    with pytest.raises(error):
        remote.compare_simulations(EXAMPLE_NAMES[:2], subgroups=CUTS, progress=interrupt)
    assert len(heard) == 1
    assert heard[0].total >= N_PARTS
    deadline = time.monotonic() + 30
    ended = []
    while not ended and time.monotonic() < deadline:
        time.sleep(0.1)
        ended = remote.events(types=["comparison_finished"])
    assert [event.data["outcome"] for event in ended] == ["cancelled"]
    assert len(slow_parts) < N_PARTS
    # The server is none the worse for it.
    slow_parts.clear()
    assert remote.compare_simulations(EXAMPLE_NAMES[:2]).series.num_rows


def test_errors_come_in_the_last_line(remote):
    with pytest.raises(InvalidArgumentError, match="No run's patients"):
        remote.compare_simulations(EXAMPLE_NAMES[:2], subgroups="shoe_size")


async def test_lines(fetch, sim_ids):
    order = {"sim_ids": sim_ids[:2]}
    plain = await fetch("comparisons", json=order)
    lines = await fetch("comparisons", json=order, headers={"Accept": "application/x-ndjson"})
    assert lines.headers["Content-Type"] == "application/x-ndjson"
    *steps, last = map(json.loads, lines.body.decode().splitlines())
    assert all(set(step) == {"progress"} for step in steps)
    assert last["result"] == json.loads(plain.body)
