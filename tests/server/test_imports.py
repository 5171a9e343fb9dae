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


async def test_listing(fetch, example_runs):
    job = await finished(fetch, await fetch("imports", json={"path": str(example_runs[0])}))
    assert len(job["outcomes"]) == 1
    failed = await finished(fetch, await fetch("imports", json={"path": "/nowhere"}))
    listed = body_of(await fetch("imports"))["items"]
    assert [(item["job_id"], item["path"]) for item in listed] == [
        (failed["job_id"], "/nowhere"),
        (job["job_id"], str(example_runs[0])),
    ]
    assert all(item["outcomes"] == [] for item in listed)


@pytest.mark.parametrize("job_id", ["..", "%2e%2e%2fregistry", "*", "a" * 32, "A" * 32])
async def test_ids_of_others(fetch, job_id):
    for method in ("GET", "DELETE"):
        assert (await fetch("imports", job_id, method=method)).code == 404


async def test_cancelling_within_a_run(fetch, ape_app, large_run):
    job = body_of(await fetch("imports", json={"path": str(large_run)}))
    while not job["rows_done"]:
        assert job["state"] == "running"
        job = body_of(await fetch("imports", job["job_id"]))
    assert job["rows_total"] > job["rows_done"]
    await fetch("imports", job["job_id"], method="DELETE")
    while job["state"] == "running":
        await asyncio.sleep(0.02)
        job = body_of(await fetch("imports", job["job_id"]))
    assert job["state"] == "cancelled"
    assert (await fetch("simulations", large_run.name)).code == 404
    assert not list(ape_app.access.staging.iterdir())
    stored = {run.checksum for run in ape_app.access.library().get_all_metadata()}
    objects = ape_app.access.directory / "objects"
    assert {path.name for path in objects.glob("*/*")} == stored


class Steps:
    """An import of many runs that goes on when it is told to."""

    def __init__(self, n_runs=5):
        self.n_runs = n_runs
        self.may_go_on = threading.Semaphore(0)
        self.started = threading.Event()
        self.done = 0

    def __call__(self, order, *, progress, user):
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
def jobs(steps, tmp_path):
    jobs = ImportJobs(steps, tmp_path / "jobs", history=3, waiting=4)
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
    kept = [jobs.get(job.job_id) is not None for job in ids]
    # The fourth goes as soon as the last one has ended.
    assert (kept[:3], kept[4:]) == ([False] * 3, [True] * 2)


def test_waiting_is_bounded(jobs):
    for _ in range(4):
        jobs.start(ORDER)
    with pytest.raises(LibraryBusyError):
        jobs.start(ORDER)


def test_an_unexpected_error_ends_the_job(caplog, tmp_path):
    def fail(*_, **__):
        raise RuntimeError("with a secret")

    jobs = ImportJobs(fail, tmp_path / "jobs")
    job = settled(jobs, jobs.start(ORDER))
    jobs.close()
    assert job.state is JobState.FAILED
    assert "secret" not in job.error.message
    assert "secret" in caplog.text


def test_relative_paths_mean_nothing(jobs):
    with pytest.raises(InvalidArgumentError):
        jobs.start(ImportOrder(path="results"))


def closed_in_the_middle(steps, records):
    """Return a job that a server has left unfinished by closing, and one that it never began."""
    jobs = ImportJobs(steps, records)
    left = [jobs.start(ImportOrder(path="/first", tags=("t",)), "ada"), jobs.start(ORDER)]
    assert steps.started.wait(10)
    closing = threading.Thread(target=jobs.close)
    closing.start()
    assert jobs._stopping.wait(10)
    steps.may_go_on.release()
    closing.join()
    assert steps.done == 1
    return left


def test_the_next_server_takes_up_what_is_left(steps, tmp_path):
    left = closed_in_the_middle(steps, tmp_path / "jobs")
    orders = []

    def note(order, *, progress, user):
        orders.append((order, user))
        progress(Progress(done=1, total=1))
        return ImportReport([])

    jobs = ImportJobs(note, tmp_path / "jobs")
    jobs.resume()
    jobs.resume()
    assert [settled(jobs, job).state for job in left] == [JobState.FINISHED] * 2
    jobs.close()
    assert orders == [(ImportOrder(path="/first", tags=("t",)), "ada"), (ORDER, None)]

    again = ImportJobs(note, tmp_path / "jobs")
    again.resume()
    assert [again.get(job.job_id).state for job in left] == [JobState.FINISHED] * 2
    again.close()
    assert len(orders) == 2


def test_asking_takes_up_what_is_left_too(steps, tmp_path):
    left = closed_in_the_middle(steps, tmp_path / "jobs")
    steps.may_go_on.release(1000)
    jobs = ImportJobs(steps, tmp_path / "jobs")
    assert {job.job_id for job in jobs.latest()} == {job.job_id for job in left}
    assert [settled(jobs, job).state for job in left] == [JobState.FINISHED] * 2
    jobs.close()


def test_a_server_without_imports_takes_nothing_up(steps, tmp_path):
    left = closed_in_the_middle(steps, tmp_path / "jobs")
    jobs = ImportJobs(steps, tmp_path / "jobs", resumes=False)
    jobs.resume()
    assert [jobs.get(job.job_id).state for job in left] == [JobState.INTERRUPTED] * 2
    jobs.cancel(left[0].job_id)
    assert jobs.get(left[0].job_id).state is JobState.CANCELLED
    jobs.close()
    assert steps.done == 1


def test_two_servers_share_one_list_and_do_nothing_twice(jobs, steps, tmp_path):
    other = ImportJobs(Steps(), tmp_path / "jobs")
    first, second = jobs.start(ORDER), jobs.start(ORDER)
    assert steps.started.wait(10)
    other.resume()
    assert {job.job_id for job in other.latest()} == {first.job_id, second.job_id}
    assert other.get(first.job_id).state is JobState.RUNNING
    assert other.cancel(second.job_id).state is JobState.RUNNING
    steps.may_go_on.release(1000)
    assert settled(other, first).state is JobState.FINISHED
    assert settled(other, second).state is JobState.CANCELLED
    other.close()
    assert steps.done == 5


def test_a_damaged_record_is_no_import(jobs, steps, tmp_path, caplog):
    job = jobs.start(ORDER)
    (tmp_path / "jobs" / f"{'f' * 32}.json").write_text('{"job": 1')
    other = ImportJobs(steps, tmp_path / "jobs")
    other.resume()
    assert other.get("f" * 32) is None
    assert [listed.job_id for listed in other.latest()] == [job.job_id]
    other.close()
    assert "can not be read" in caplog.text
