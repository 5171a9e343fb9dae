"""The part of a registry's suite that is about its log, and about who changes what."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ape_jupyter.errors import ConflictError, InvalidArgumentError, SimulationNotFoundError
from ape_jupyter.model.events import EventType
from ape_jupyter.model.operations import DeleteSimulation, SetTags, UpdateMetadata
from ape_jupyter.model.simulation import Status
from ape_jupyter.registry.outcomes import KeyedRequest
from ape_jupyter.registry.registry import Registry
from ape_jupyter.registry.schema import event_log, events
from ape_jupyter.testing.suite_registry import RegistryFixtures, example_metadata

__all__ = ["EventTests"]

RUN = "sim_0001"


class EventTests(RegistryFixtures):
    """Events, revisions, and changes that are carried out once."""

    def test_every_change_has_its_event(self, registry: Registry) -> None:
        start = registry.last_seq()
        registry.set_tags([RUN], ["nhs"], [], "ada")
        registry.update_metadata(RUN, user="bob", name="quiet", notes="first")
        registry.set_pinned(RUN, True)
        registry.set_status(RUN, Status.TRASHED)
        registry.set_status(RUN, Status.AVAILABLE)
        registry.set_status(RUN, Status.QUARANTINED)
        found = registry.events(start)
        assert [event.type.value for event in found] == [
            "tags_changed",
            "metadata_updated",
            "metadata_updated",
            "simulation_deleted",
            "simulation_restored",
            "state_corrupted",
        ]
        assert [event.seq for event in found] == list(range(start + 1, start + 7))
        assert {event.simulation_id for event in found} == {RUN}
        assert [event.user_id for event in found[:2]] == ["ada", "bob"]
        assert found[0].data == {
            "revision": 2,
            "change": start + 1,
            "before": {"tags": []},
            "after": {"tags": ["nhs"]},
        }
        assert found[1].data["before"] == {"name": "run-1", "notes": ""}
        assert found[1].data["after"] == {"name": "quiet", "notes": "first"}

    def test_a_registration_is_told_with_what_it_brought(self, registry: Registry) -> None:
        registry.add(example_metadata(50, tags=("nhs",)), {}, "ada")
        (event,) = registry.events(sim_id="sim_0050")
        assert event.type is EventType.SIMULATION_REGISTERED
        assert event.user_id == "ada"
        assert event.data["after"]["tags"] == ["nhs"]

    def test_what_changes_nothing_is_not_told(self, registry: Registry) -> None:
        start = registry.last_seq()
        registry.set_tags([RUN], [], ["absent"])
        registry.update_metadata(RUN, notes="")
        registry.set_pinned(RUN, False)
        assert registry.last_seq() == start

    def test_a_change_that_fails_is_not_told(self, registry: Registry) -> None:
        start = registry.last_seq()
        with pytest.raises(SimulationNotFoundError):
            registry.set_tags([RUN, "sim_9999"], ["x"], [])
        with pytest.raises(ConflictError):
            registry.add(example_metadata(1), {})
        assert registry.last_seq() == start
        assert registry.broken_history() is None

    def test_events_are_chosen_by_number_type_and_run(self, registry: Registry) -> None:
        registry.set_tags(["sim_0001", "sim_0002"], ["a"], [])
        tagged = registry.events(types=["tags_changed"])
        assert [event.simulation_id for event in tagged] == ["sim_0001", "sim_0002"]
        assert registry.events(tagged[0].seq) == tagged[1:]
        assert len(registry.events(sim_id="sim_0002")) == 2
        assert len(registry.events(limit=3)) == 3
        assert registry.events(sim_id="sim_0002", types=[EventType.TAGS_CHANGED]) == tagged[1:]
        with pytest.raises(InvalidArgumentError, match="rained"):
            registry.events(types=["rained"])
        with pytest.raises(InvalidArgumentError, match="limit"):
            registry.events(limit=0)

    def test_events_of_no_change_are_recorded_too(self, registry: Registry) -> None:
        revision = registry.revision()
        data = {"query": "ä\n\0", "took_ms": 1.5}
        event = registry.record_event(EventType.SEARCH_PERFORMED, None, data, "ada")
        assert registry.events(event.seq - 1) == [event]
        assert registry.revision() == revision
        with pytest.raises(ValueError, match="JSON"):
            registry.record_event(EventType.SEARCH_PERFORMED, None, {"x": float("nan")})

    @pytest.mark.parametrize(
        ("statement", "seq"),
        [
            (sa.update(events).where(events.c.seq == 5).values(user_id="mallory"), 5),
            (sa.update(events).where(events.c.seq == 5).values(hash="0" * 64), 5),
            (sa.delete(events).where(events.c.seq == 5), 5),
            (sa.delete(events).where(events.c.seq == 1), 1),
            (sa.delete(events).where(events.c.seq > 10), 11),
            (sa.update(event_log).values(last_seq=11), 13),
        ],
    )
    def test_tampering_shows(self, registry: Registry, statement: sa.UpdateBase, seq: int) -> None:
        assert registry.broken_history() is None
        with registry._database.write() as connection:  # noqa: SLF001 - as an intruder would
            connection.execute(statement)
        broken = registry.broken_history()
        assert broken is not None
        assert broken.seq == seq

    def test_old_events_are_forgotten_and_the_rest_is_still_a_chain(
        self, registry: Registry
    ) -> None:
        assert registry.forget_events(timedelta(days=1)) == 0
        assert registry.forget_events(timedelta()) == 12
        assert registry.events() == []
        assert registry.broken_history() is None
        registry.set_tags([RUN], ["x"], [])
        assert [event.seq for event in registry.events()] == [13]
        assert registry.broken_history() is None
        with registry._database.write() as connection:  # noqa: SLF001
            connection.execute(sa.update(events).values(user_id="mallory"))
        assert registry.broken_history() is not None

    def test_a_change_for_another_revision_is_refused_with_both_versions(
        self, registry: Registry
    ) -> None:
        seen = registry.get(RUN)
        registry.set_tags([RUN], ["nhs"], [])
        current = registry.update_metadata(RUN, name="renamed", notes="theirs")
        with pytest.raises(ConflictError) as caught:
            registry.update_metadata(RUN, seen.revision, notes="mine")
        assert caught.value.current == current == registry.get(RUN)
        assert caught.value.expected == seen
        assert caught.value.expected_revision == seen.revision
        again = registry.update_metadata(RUN, current.revision, notes="merged")
        assert (again.notes, again.revision) == ("merged", current.revision + 1)

    def test_a_conflict_shows_what_the_history_still_knows(self, registry: Registry) -> None:
        registry.update_metadata(RUN, notes="theirs")
        registry.forget_events(timedelta())
        with pytest.raises(ConflictError) as caught:
            registry.update_metadata(RUN, 1, notes="mine")
        assert caught.value.expected is None

    @pytest.mark.parametrize(
        "changes",
        [
            {"name": " "},
            {"name": "x" * 201},
            {"name": "a\nb"},
            {"notes": "\0"},
            {"notes": "\ud800"},
            {"notes": 5},
            {"visibility": "everybody"},
            {"n_patients": 5},
            {"revision": 5},
            {"tags": ["x"]},
        ],
    )
    def test_metadata_takes_only_what_makes_sense(
        self, registry: Registry, changes: dict[str, Any]
    ) -> None:
        before = registry.get(RUN)
        with pytest.raises(InvalidArgumentError):
            registry.update_metadata(RUN, **changes)
        assert registry.get(RUN) == before

    def test_changed_metadata_is_found(self, registry: Registry) -> None:
        registry.update_metadata(RUN, name="Änderung", notes="see 'figure 2' 100%")
        assert registry.find("Änderung").sim_id == RUN
        assert registry.get(RUN).notes == "see 'figure 2' 100%"

    def test_operations_are_all_or_nothing(self, registry: Registry) -> None:
        before, start = registry.get(RUN), registry.last_seq()
        tag = SetTags(sim_id=RUN, add=("x",))
        with pytest.raises(SimulationNotFoundError):
            registry.apply([tag, DeleteSimulation(sim_id="sim_9999")])
        assert (registry.get(RUN), registry.last_seq()) == (before, start)
        runs = registry.apply([tag, UpdateMetadata(sim_id=RUN, changes={"notes": "y"})])
        assert [run.revision for run in runs] == [2, 3]

    def test_a_request_with_a_key_is_carried_out_once(self, registry: Registry) -> None:
        operations: list[SetTags | UpdateMetadata] = [
            SetTags(sim_id=RUN, add=("x",)),
            UpdateMetadata(sim_id=RUN, changes={"notes": "y"}, expected_revision=2),
        ]
        request = KeyedRequest("a-key", operations)
        assert registry.outcome(request) is None
        first = registry.apply(operations, request=request)
        start = registry.last_seq()
        registry.set_tags([RUN], [], ["x"])
        assert registry.apply(operations, request=request) == first
        assert registry.outcome(request) == first
        assert registry.get(RUN).tags == ()
        assert registry.last_seq() == start + 1
        other = [DeleteSimulation(sim_id=RUN)]
        with pytest.raises(ConflictError, match="a-key"):
            registry.apply(other, request=KeyedRequest("a-key", other))
        assert registry.get(RUN).status is Status.AVAILABLE

    @pytest.mark.parametrize("key", ["", "x" * 201, "a\nb", "ä"])
    def test_a_key_is_short_and_printable(self, key: str) -> None:
        with pytest.raises(InvalidArgumentError, match="key"):
            KeyedRequest(key, [])

    def test_no_reader_misses_a_number(self, location: Path | str, registry: Registry) -> None:
        n_writers, n_changes = 6, 10
        start = registry.last_seq()
        failures: list[BaseException] = []
        others = [Registry(location) for _ in range(2)]

        def change(writer: int) -> None:
            try:
                for number in range(n_changes):
                    tag = f"{writer}-{number}"
                    others[writer % 2].set_tags([f"sim_{writer:04d}"], [tag], [])
            except BaseException as error:  # noqa: BLE001 - the assertion below shows it
                failures.append(error)

        threads = [threading.Thread(target=change, args=(writer,)) for writer in range(n_writers)]
        for thread in threads:
            thread.start()
        seen: list[int] = []
        while any(thread.is_alive() for thread in threads):
            seen += [event.seq for event in registry.events(seen[-1] if seen else start)]
        seen += [event.seq for event in registry.events(seen[-1] if seen else start)]
        for other in others:
            other.close()
        assert failures == []
        assert seen == list(range(start + 1, start + 1 + n_writers * n_changes))
        assert registry.broken_history() is None

    def test_openings_are_counted_together_and_told(self, registry: Registry) -> None:
        before, start = registry.get(RUN), registry.last_seq()
        for user in ("ada", "ada", "bob"):
            registry.record_access(RUN, user)
        registry.flush()
        after = registry.get(RUN)
        assert after.access_count == before.access_count + 3
        assert replace(after, access_count=0, last_accessed=None) == before
        told = {(event.user_id, json.dumps(dict(event.data))) for event in registry.events(start)}
        assert told == {("ada", '{"count": 2}'), ("bob", '{"count": 1}')}

    def test_who_closes_waits_for_openings_that_are_being_written(
        self, location: Path | str, registry: Registry
    ) -> None:
        other = Registry(location)
        other.record_access(RUN)
        with registry._database.write():  # noqa: SLF001 - keeps writers waiting
            background = threading.Thread(target=other.flush)
            background.start()
            closing = threading.Thread(target=other.close)
            closing.start()
            closing.join(0.2)
            assert closing.is_alive()
        closing.join()
        assert registry.get(RUN).access_count == 1
        background.join()
