"""Counting how often runs are opened, without a reader ever waiting for a writer."""

from __future__ import annotations

import atexit
import logging
import threading
import weakref
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime

import sqlalchemy as sa

from ape_jupyter.errors import ApeError
from ape_jupyter.model.events import EventType
from ape_jupyter.registry import events
from ape_jupyter.registry.connector import Connector
from ape_jupyter.registry.rows import stored_time
from ape_jupyter.registry.schema import simulations

__all__ = ["Accesses"]

FLUSH_SECONDS = 3.0
_log = logging.getLogger(__name__)


class Accesses:
    """Openings that are not written yet; written together, a few seconds later.

    Used by any number of threads. What a killed process had not written is lost, which for
    a count is no harm.
    """

    def __init__(self, database: Connector) -> None:
        self._database = database
        self._pending: Counter[tuple[str, str]] = Counter()
        self._timer: threading.Timer | None = None
        self._lock = threading.Lock()
        self._flushing = threading.Lock()
        _OPEN.add(self)

    def close(self) -> None:
        """Write what is pending, if that is possible, and count no more."""
        _OPEN.discard(self)
        # A full or vanished disk keeps nobody from leaving.
        self.try_to_flush()

    def count(self, sim_id: str, user: str) -> None:
        """Count one opening of a run."""
        with self._lock:
            self._pending[sim_id, user] += 1
            if self._timer is None:
                self._timer = threading.Timer(FLUSH_SECONDS, self.try_to_flush)
                self._timer.daemon = True
                self._timer.start()

    def try_to_flush(self) -> None:
        """Write what is pending; where that fails, the log says so."""
        try:
            self.flush()
        except (ApeError, sa.exc.SQLAlchemyError):
            _log.warning("Openings of runs could not be counted", exc_info=True)

    def flush(self) -> None:
        """Write what is pending, each run's openings as one event."""
        # Who closes the registry has to wait for a flush that goes on in the background.
        with self._flushing:
            with self._lock:
                pending, self._pending = self._pending, Counter()
                timer, self._timer = self._timer, None
            if timer is not None:
                timer.cancel()
            if pending:
                self._write(pending)

    def _write(self, pending: Mapping[tuple[str, str], int]) -> None:
        now = stored_time(datetime.now(UTC))
        column = simulations.c
        with self._database.write() as connection:
            for (sim_id, user), count in pending.items():
                values = {"access_count": column.access_count + count, "last_accessed": now}
                update = sa.update(simulations).where(column.sim_id == sim_id).values(values)
                if connection.execute(update).rowcount:  # it may be purged by now
                    data = {"count": count}
                    events.append(connection, EventType.SIMULATION_LOADED, sim_id, data, user)


_OPEN: weakref.WeakSet[Accesses] = weakref.WeakSet()


@atexit.register
def _flush_all() -> None:
    # Notebooks and scripts often end without closing their library.
    for accesses in list(_OPEN):
        accesses.try_to_flush()
