"""What only a database server can suffer."""

from __future__ import annotations

import queue

import pytest

from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.registry.postgresql import PostgresqlConnector
from ape_jupyter.registry.registry import Registry
from ape_jupyter.services.events import EventBus
from ape_jupyter.testing.postgresql import PostgresqlServer
from ape_jupyter.testing.suite_registry import example_metadata

CUT = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'ape-jupyter'"
)


def test_cut_connections_are_made_again_and_no_event_is_missed(
    postgresql: PostgresqlServer,
) -> None:
    with postgresql.database() as url:
        registry = Registry(url)
        registry.add(example_metadata(1), {})
        bus = EventBus(registry)
        heard: queue.Queue[int] = queue.Queue()
        with bus.subscribe(lambda event: heard.put(event.seq), since=0):
            assert heard.get(timeout=20) == 1
            for number in range(2, 5):
                postgresql.execute(CUT)
                registry.set_tags(["sim_0001"], [str(number)], [])
                assert heard.get(timeout=20) == number
        bus.close()
        assert registry.broken_history() is None
        registry.close()


def test_without_its_driver_the_way_out_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(InvalidArgumentError, match=r"ape-jupyter\[postgres\]"):
        Registry("postgresql://host/x")


def test_a_password_is_in_no_message() -> None:
    connector = PostgresqlConnector("postgresql://ada:secret@host/x")
    assert connector.place == "postgresql+psycopg://ada:***@host/x"
