"""The part of the suite that is about transactions, events, history and the end of runs."""

from __future__ import annotations

import queue
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from ape_jupyter.errors import (
    ConflictError,
    InvalidArgumentError,
    InvalidResultsError,
    SimulationNotFoundError,
    TransactionClosedError,
)
from ape_jupyter.model.events import EventType, SimulationEvent
from ape_jupyter.model.operations import AddSimulation, Operation, SetTags, UpdateMetadata
from ape_jupyter.testing.runs import EXAMPLE_NAMES

__all__ = ["LifecycleTests", "RecordingTests", "SubscriptionTests", "TransactionTests"]

WAIT_SECONDS = 20
QUIET, AMBER, NORTH = EXAMPLE_NAMES


BESIDES = {
    EventType.MIGRATION_APPLIED,
    EventType.SIMULATION_EVICTED,
    EventType.SIMULATION_LOADED,
    EventType.SEARCH_PERFORMED,
}
"""What is told beside a change: how old its files were, and how the library is used meanwhile."""


def changes_in(events: list[SimulationEvent]) -> list[SimulationEvent]:
    return [event for event in events if event.type not in BESIDES]


def types_of(events: list[SimulationEvent]) -> list[str]:
    return [event.type.value for event in changes_in(events)]


class TransactionTests:
    """Changes that happen together or not at all."""

    def test_all_happens_at_the_end(self, library: Any, example_runs: list[Path]) -> None:
        with library.transaction() as tx:
            sim_id = tx.add_simulation(example_runs[0], tags=["new"])
            tx.add_tag(sim_id, "reviewed")
            tx.update_metadata(sim_id, notes="as published")
            tx.pin(sim_id)
            assert not library.get_all_metadata()
        found = library.get_metadata(sim_id)
        assert tx.runs[-1] == found
        assert found.tags == ("new", "reviewed")
        assert (found.notes, found.is_pinned, found.revision) == ("as published", True, 4)
        assert types_of(library.events()) == [
            "simulation_registered",
            "tags_changed",
            "metadata_updated",
            "metadata_updated",
        ]
        assert library.load_simulation(sim_id).load_results().visits.num_rows == found.n_visits

    def test_an_exception_leaves_no_trace_but_its_event(
        self, filled: Any, example_runs: list[Path]
    ) -> None:
        before, start = list(filled.get_all_metadata()), filled.events()[-1].seq
        patients = pq.read_table(example_runs[0] / "patients.parquet")
        visits = pq.read_table(example_runs[0] / "visits.parquet")
        with pytest.raises(ZeroDivisionError), filled.transaction() as tx:
            tx.register(patients, visits, name="never")
            tx.delete(QUIET)
            raise ZeroDivisionError
        assert list(filled.get_all_metadata()) == before
        (event,) = filled.events(start)
        assert event.type is EventType.TRANSACTION_ROLLED_BACK
        assert event.data == {"n_operations": 2, "reason": "ZeroDivisionError"}

    def test_a_change_that_is_refused_takes_all_others_back(self, filled: Any) -> None:
        before, start = list(filled.get_all_metadata()), filled.events()[-1].seq
        with pytest.raises(SimulationNotFoundError), filled.transaction() as tx:
            tx.add_tag(QUIET, "x")
            tx.add_tag("no such run", "x")
        assert list(filled.get_all_metadata()) == before
        assert types_of(filled.events(start)) == ["transaction_rolled_back"]

    def test_wrong_changes_are_refused_where_they_are_made(
        self, library: Any, broken_run: Path
    ) -> None:
        with pytest.raises(InvalidResultsError), library.transaction() as tx:
            tx.add_simulation(broken_run)
        with library.transaction() as tx:
            with pytest.raises(InvalidArgumentError):
                tx.add_tag("a run", "")
            with pytest.raises(InvalidArgumentError):
                tx.update_metadata("a run", n_patients=5)
        assert tx.runs == ()

    def test_a_transaction_is_used_once(self, filled: Any) -> None:
        tx = filled.transaction()
        with pytest.raises(TransactionClosedError):
            tx.add_tag(QUIET, "x")
        with tx:
            tx.add_tag(QUIET, "x")
            with pytest.raises(TransactionClosedError):
                tx.__enter__()
        with pytest.raises(TransactionClosedError, match="committed"):
            tx.add_tag(QUIET, "y")
        with pytest.raises(TransactionClosedError), tx:
            pass
        assert filled.get_metadata(QUIET).tags == ("x",)

    def test_a_transaction_inside_another_is_independent(self, filled: Any) -> None:
        with pytest.raises(ZeroDivisionError), filled.transaction() as outer:
            outer.add_tag(QUIET, "outer")
            with filled.transaction() as inner:
                inner.add_tag(QUIET, "inner")
            raise ZeroDivisionError
        assert filled.get_metadata(QUIET).tags == ("inner",)

    def test_of_two_on_one_run_the_later_to_end_wins_unless_it_minds(self, filled: Any) -> None:
        seen = filled.get_metadata(QUIET)
        with filled.transaction() as late:
            late.update_metadata(QUIET, notes="late")
            late.add_tag(QUIET, "late")
            with filled.transaction() as early:
                early.update_metadata(QUIET, notes="early")
                early.add_tag(QUIET, "early")
        run = filled.get_metadata(QUIET)
        assert (run.notes, run.tags) == ("late", ("early", "late"))
        with pytest.raises(ConflictError) as caught, filled.transaction() as tx:
            tx.add_tag(AMBER, "x")
            tx.update_metadata(QUIET, expected_revision=seen.revision, notes="mine")
        assert caught.value.expected == seen
        assert caught.value.current == run
        assert filled.get_metadata(AMBER).tags == ()

    def test_a_request_is_carried_out_once(self, library: Any, example_runs: list[Path]) -> None:
        name = example_runs[0].name
        operations: list[Operation] = [
            AddSimulation(path=str(example_runs[0])),
            SetTags(sim_id=name, add=("x",)),
        ]
        first = library.apply(operations, key="a-key")
        assert [run.revision for run in first] == [1, 2]
        library.remove_tag(name, "x")
        assert library.apply(operations, key="a-key") == first
        assert library.get_metadata(name).tags == ()
        other = [UpdateMetadata(sim_id=name, changes={"notes": "x"})]
        with pytest.raises(ConflictError):
            library.apply(other, key="a-key")

    def test_metadata_is_edited_and_merged(self, filled: Any) -> None:
        seen = filled.get_metadata(QUIET)
        theirs = filled.update_metadata(QUIET, notes="theirs", visibility="group")
        with pytest.raises(ConflictError) as caught:
            filled.update_metadata(QUIET, expected_revision=seen.revision, name="mine")
        assert (caught.value.expected, caught.value.current) == (seen, theirs)
        both = filled.update_metadata(QUIET, expected_revision=theirs.revision, name="mine")
        assert (both.name, both.notes) == ("mine", "theirs")
        assert filled.get_metadata("mine") == both


class SubscriptionTests:
    """Events as they happen."""

    def test_subscribers_hear_in_order_and_off_the_thread(self, filled: Any) -> None:
        heard: queue.Queue[tuple[SimulationEvent, threading.Thread]] = queue.Queue()

        def hear(event: SimulationEvent) -> None:
            heard.put((event, threading.current_thread()))

        with filled.subscribe("tags_changed", hear):
            for number in range(5):
                filled.add_tag(QUIET, str(number))
                filled.update_metadata(QUIET, notes=str(number))
            told = [heard.get(timeout=WAIT_SECONDS) for _ in range(5)]
        filled.add_tag(QUIET, "after")
        assert [event.data["after"]["tags"][-1] for event, _ in told] == list("01234")
        assert {event.type for event, _ in told} == {EventType.TAGS_CHANGED}
        assert threading.current_thread() not in {thread for _, thread in told}
        assert heard.empty()

    def test_a_failing_or_slow_subscriber_harms_nobody(
        self, filled: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        heard: queue.Queue[int] = queue.Queue()
        release = threading.Event()
        late: queue.Queue[int] = queue.Queue()

        failed = threading.Event()

        def fail(event: SimulationEvent) -> None:
            if "number" in caplog.text:  # the failure before is in the log by now
                failed.set()
            raise RuntimeError(f"number {event.seq}")

        def linger(event: SimulationEvent) -> None:
            release.wait(WAIT_SECONDS)
            late.put(event.seq)

        with (
            filled.subscribe(None, fail),
            filled.subscribe(None, linger),
            filled.subscribe(None, lambda event: heard.put(event.seq)),
        ):
            for number in range(3):
                filled.add_tag(QUIET, str(number))
            numbers = [heard.get(timeout=WAIT_SECONDS) for _ in range(3)]
            release.set()
            assert [late.get(timeout=WAIT_SECONDS) for _ in range(3)] == numbers
            assert failed.wait(WAIT_SECONDS)
        assert "fail" in caplog.text
        assert f"number {numbers[0]}" in caplog.text

    def test_a_subscriber_catches_up_from_a_number(self, filled: Any) -> None:
        start = filled.events()[-1].seq
        filled.set_tags([QUIET, AMBER], add=["x"])
        heard: queue.Queue[SimulationEvent] = queue.Queue()
        with filled.subscribe(None, heard.put, since=start):
            told = [heard.get(timeout=WAIT_SECONDS) for _ in range(2)]
        assert told == filled.events(start)

    def test_a_subscriber_can_stop_itself(self, filled: Any) -> None:
        done = threading.Event()
        ready = threading.Event()
        calls: list[SimulationEvent] = []

        def stop(event: SimulationEvent) -> None:
            ready.wait(WAIT_SECONDS)
            calls.append(event)
            subscription.unsubscribe()
            done.set()

        subscription = filled.subscribe(None, stop)
        ready.set()
        filled.set_tags(EXAMPLE_NAMES, add=["x"])
        assert done.wait(WAIT_SECONDS)
        subscription.unsubscribe()
        assert len(calls) == 1

    def test_an_unknown_type_is_refused(self, library: Any) -> None:
        with pytest.raises(InvalidArgumentError, match="rained"):
            library.subscribe("rained", print)

    def test_openings_are_told(self, filled: Any) -> None:
        heard: queue.Queue[SimulationEvent] = queue.Queue()
        with filled.subscribe(EventType.SIMULATION_LOADED, heard.put):
            filled.load_simulation(QUIET, load_data=True)
            event = heard.get(timeout=WAIT_SECONDS)
        assert event.simulation_id == filled.get_metadata(QUIET).sim_id
        assert filled.get_metadata(QUIET).access_count == 1


class LifecycleTests:
    """The trash, and what comes after it."""

    def test_a_purge_says_first_what_it_will_take(self, filled: Any) -> None:
        run = filled.delete(QUIET)
        assert filled.purge().runs == ()
        plan = filled.purge(timedelta())
        assert (plan.runs, plan.n_objects, plan.dry_run) == ((run,), 1, True)
        assert plan.size_bytes > 0
        assert filled.restore(run.sim_id).status.value == "available"
        filled.load_simulation(QUIET).load_results()
        assert filled.purge(timedelta(), dry_run=False).runs == ()
        again = filled.delete(QUIET)
        done = filled.purge(timedelta(), dry_run=False)
        assert (done.runs, done.n_objects) == ((again,), 1)
        assert done.size_bytes == plan.size_bytes
        with pytest.raises(SimulationNotFoundError):
            filled.restore(run.sim_id)
        assert filled.purge(timedelta()).runs == ()

    def test_a_purged_run_keeps_its_history_and_can_come_again(
        self, filled: Any, example_runs: list[Path]
    ) -> None:
        run = filled.delete(QUIET)
        filled.purge(timedelta(), dry_run=False)
        history = types_of(filled.events(sim_id=run.sim_id))
        assert history == ["simulation_registered", "simulation_deleted", "simulation_purged"]
        (back,) = filled.import_results(example_runs[0])
        assert back.checksum == run.checksum
        assert filled.load_simulation(QUIET).load_results().visits.num_rows == run.n_visits

    def test_results_that_another_run_has_stay(self, filled: Any, example_runs: list[Path]) -> None:
        patients = pq.read_table(example_runs[0] / "patients.parquet")
        visits = pq.read_table(example_runs[0] / "visits.parquet")
        one = filled.register(patients, visits, name="one")
        other = filled.register(patients, visits, name="other")
        assert one.checksum == other.checksum
        filled.delete("one")
        plan = filled.purge(timedelta())
        assert (len(plan.runs), plan.n_objects, plan.size_bytes) == (1, 0, 0)
        filled.purge(timedelta(), dry_run=False)
        assert filled.load_simulation("other").load_results().visits.num_rows == one.n_visits
        filled.delete("other")
        assert filled.purge(timedelta(), dry_run=False).n_objects == 1

    @pytest.mark.parametrize("older_than", [timedelta(days=-1), timedelta(days=10**9 - 1)])
    def test_a_senseless_time_is_refused(self, library: Any, older_than: timedelta) -> None:
        with pytest.raises(InvalidArgumentError):
            library.purge(older_than)

    def test_a_history_tells_who_changed_what(self, filled: Any) -> None:
        filled.add_tag(QUIET, "x")
        run = filled.get_metadata(QUIET)
        registered, tagged = changes_in(filled.events(sim_id=QUIET))
        assert filled.events(sim_id=run.sim_id, limit=1) == [registered]
        assert registered.data["after"]["name"] == QUIET
        assert (tagged.data["before"], tagged.data["after"]) == ({"tags": []}, {"tags": ["x"]})
        assert tagged.user_id
        with pytest.raises(SimulationNotFoundError):
            filled.events(sim_id="no such run")


class RecordingTests(TransactionTests, SubscriptionTests, LifecycleTests):
    """What a library records, bundles and lets go."""
