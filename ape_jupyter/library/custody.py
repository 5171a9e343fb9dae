"""What happens to runs whose stored results turn out to be damaged."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from ape_jupyter.errors import CorruptedDataError
from ape_jupyter.model.events import EventType
from ape_jupyter.model.simulation import SimulationMetadata, Source, Status
from ape_jupyter.registry.registry import Registry
from ape_jupyter.results.store import ObjectStore

__all__ = ["Custody"]

_log = logging.getLogger(__name__)


class Custody:
    """Sets damaged runs apart, and says what their users can do."""

    def __init__(self, registry: Registry, store: ObjectStore) -> None:
        self._registry = registry
        self._store = store

    @contextmanager
    def reading(self, run: SimulationMetadata) -> Iterator[None]:
        """Guard what reads the stored results of a run.

        Raises
        ------
        CorruptedDataError
            If the run is quarantined, or its results turn out to be damaged.
        """
        if self._registry.get(run.sim_id).status is Status.QUARANTINED:
            raise CorruptedDataError(_advice(run, self._reason(run.sim_id)))
        try:
            if run.source is Source.LINKED:
                self._store.check_links(run.checksum)
            yield
        except CorruptedDataError as error:
            self.quarantine(run, error.message)
            raise CorruptedDataError(_advice(run, error.message)) from error

    def quarantine(self, run: SimulationMetadata, reason: str) -> None:
        """Set a run apart, with all others that have the same results."""
        for other in self._registry.with_checksums([run.checksum]):
            if self._registry.quarantine(other.sim_id, reason):
                _log.warning("Run %s is quarantined: %s", other.sim_id, reason)

    def _reason(self, sim_id: str) -> str:
        told = self._registry.events(types=[EventType.STATE_CORRUPTED], sim_id=sim_id)
        # The log forgets in time.
        return str(told[-1].data.get("reason", "")) if told else "They were found damaged earlier."

    def release(self, run: SimulationMetadata) -> None:
        """Bring a run back whose results are sound again."""
        if self._registry.get(run.sim_id).status is Status.QUARANTINED:
            self._registry.set_status(run.sim_id, Status.AVAILABLE)


def _advice(run: SimulationMetadata, reason: str) -> str:
    if run.source is Source.LINKED:
        return (
            f"The results of {run.name} ({run.sim_id}) can not be used. {reason} "
            "Put the files back and run `ape-jupyter verify --repair`, or import the run again; "
            "importing it without --link keeps a copy that nobody changes."
        )
    return (
        f"The stored results of {run.name} ({run.sim_id}) are damaged and quarantined. {reason} "
        "Import the same results again to make the run whole; `ape-jupyter verify` tells more."
    )
