"""Counting how often runs are opened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

import sqlalchemy as sa

from ape_jupyter.model.events import EventType
from ape_jupyter.registry import events
from ape_jupyter.registry.batches import Batch
from ape_jupyter.registry.connector import Connector
from ape_jupyter.registry.rows import stored_time
from ape_jupyter.registry.schema import simulations

__all__ = ["Accesses"]


class Accesses(Batch[tuple[str, str]]):
    """Openings that are not written yet, each the id of a run and its user."""

    def __init__(self, database: Connector) -> None:
        super().__init__(self._record, "Openings of runs")
        self._database = database

    def _record(self, openings: Sequence[tuple[str, str]]) -> None:
        """Write each run's openings as one event."""
        now = stored_time(datetime.now(UTC))
        column = simulations.c
        with self._database.write() as connection:
            for (sim_id, user), count in Counter(openings).items():
                values = {"access_count": column.access_count + count, "last_accessed": now}
                update = sa.update(simulations).where(column.sim_id == sim_id).values(values)
                if connection.execute(update).rowcount:  # it may be purged by now
                    data = {"count": count}
                    events.append(connection, EventType.SIMULATION_LOADED, sim_id, data, user)
