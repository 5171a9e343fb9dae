from __future__ import annotations

import asyncio
import shutil
import threading

import pytest

from ape_jupyter.errors import InvalidArgumentError, LibraryBusyError
from ape_jupyter.library.listing import ImportReport
from ape_jupyter.model.progress import Progress
from ape_jupyter.server.jobs import ImportJobs
from ape_jupyter.wire.messages import ImportOrder, JobState

from .conftest import body_of


async def finished(fetch, response):
    assert response.code == 202
    job = body_of(response)
    while job["state"] == "running":
        await asyncio.sleep(0.02)
        job = body_of(await fetch("imports", job["job_id"]))
    return job


async def test_import(fetch, example_runs, tmp_path):
    folder = tmp_path / "incoming"
    shutil.copytree(example_runs[0], folder / example_runs[0].name)
    broken = folder / "sim_broken"
    shutil.copytree(example_runs[1], broken)
    (broken / "metadata.json").unlink()
    await fetch("simulations", example_runs[0].name, method="DELETE")
    job = await finished(fetch, await fetch("imports", json={"path": str(folder), "tags": ["t"]}))
    assert job["state"] == "finished"
    assert (job["done"], job["total"], job["current"]) == (2, 2, "")
    assert [outcome["status"] for outcome in job["outcomes"]] == ["already_there", "refused"]
    assert job["outcomes"][1]["faults"][0]["file"] == "metadata.json"


async def test_failures_are_told(fetch, tmp_path):
    job = await finished(fetch, await fetch("imports", json={"path": str(tmp_path / "none")}))
    assert job["state"] == "failed"
    assert job["error"]["error"] == "InvalidArgumentError"
    assert str(tmp_path / "none") in job["error"]["message"]


@pytest.mark.parametrize("path", ["", "relative/path", "~/results", "/a\0b"])
async def test_refuses_other_paths(fetch, path):
    response = await fetch("imports", json={"path": path})
    assert response.code == 400


async def test_unknown_job(fetch):
    for method in ("GET", "DELETE"):
        assert (await fetch("imports", "unknown", method=method)).code == 404


class Steps:
    """An import of many runs that goes on when it is told to."""

    def __init__(self, n_runs=5):
        self.n_runs = n_runs
        self.may_go_on = threading.Semaphore(0)
        self.started = threading.Event()
        self.done = 0

    def __call__(self, path, *, copy, tags, progress, user):
        for number in range(self.n_runs):
            progress(Progress(done=number, total=self.n_runs, current=str(number)))
            self.started.set()
            assert self.may_go_on.acquire(timeout=20)
            self.done += 1
        progress(Progress(done=self.n_runs, total=self.n_runs))
        return ImportReport([])


@pytest.fixture
def steps():
    return Steps()


@pytest.fixture
def jobs(steps):
    jobs = ImportJobs(steps, history=3, waiting=4)
    yield jobs
    steps.may_go_on.release(1000)
    jobs.close()


def settled(jobs, job):
    for _ in range(2000):
        state = jobs.get(job.job_id)
        if state.state is not JobState.RUNNING:
            return state
        threading.Event().wait(0.01)
    raise AssertionError("the job does not end")


ORDER = ImportOrder(path="/somewhere")


def test_cancelling_stops_before_the_next_run(jobs, steps):
    job = jobs.start(ORDER)
    assert steps.started.wait(10)
    assert jobs.get(job.job_id).total == 5
    jobs.cancel(job.job_id)
    steps.may_go_on.release()
    job = settled(jobs, job)
    assert job.state is JobState.CANCELLED
    assert steps.done == 1


def test_cancelling_one_that_waits(jobs, steps):
    first, second = jobs.start(ORDER), jobs.start(ORDER)
    jobs.cancel(second.job_id)
    steps.may_go_on.release(100)
    assert settled(jobs, first).state is JobState.FINISHED
    assert settled(jobs, second).state is JobState.CANCELLED
    assert jobs.cancel(first.job_id).state is JobState.FINISHED
    assert steps.done == 5


def test_history_is_bounded(jobs, steps):
    steps.may_go_on.release(1000)
    ids = []
    for _ in range(6):
        ids.append(jobs.start(ORDER))
        settled(jobs, ids[-1])
    jobs.start(ORDER)
    assert [jobs.get(job.job_id) is not None for job in ids] == [False] * 3 + [True] * 3


def test_waiting_is_bounded(jobs):
    for _ in range(4):
        jobs.start(ORDER)
    with pytest.raises(LibraryBusyError):
        jobs.start(ORDER)


def test_an_unexpected_error_ends_the_job(caplog):
    def fail(*_, **__):
        raise RuntimeError("with a secret")

    jobs = ImportJobs(fail)
    job = settled(jobs, jobs.start(ORDER))
    jobs.close()
    assert job.state is JobState.FAILED
    assert "secret" not in job.error.message
    assert "secret" in caplog.text


def test_closing_cancels(steps):
    jobs = ImportJobs(steps)
    job = jobs.start(ORDER)
    assert steps.started.wait(10)
    threading.Timer(0.1, steps.may_go_on.release).start()
    jobs.close()
    assert jobs.get(job.job_id).state is JobState.CANCELLED


def test_relative_paths_mean_nothing(jobs):
    with pytest.raises(InvalidArgumentError):
        jobs.start(ImportOrder(path="results"))
