"""The part of a registry that changes runs, each change with its event."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ape_jupyter.model.operations import SetPinned, SetTags, UpdateMetadata
from ape_jupyter.model.simulation import SimulationMetadata, Status
from ape_jupyter.registry import events, outcomes, reading
from ape_jupyter.registry.accesses import Accesses
from ape_jupyter.registry.changes import (
    NewRun,
    RegistryOperation,
    ReplaceResults,
    SetStatus,
    carry_out,
)
from ape_jupyter.registry.connector import Connector
from ape_jupyter.registry.search_index.writing import rebuild
from ape_jupyter.registry.users import current_user

__all__ = ["WithWriting"]


class WithWriting:
    """Changes runs; see ``Registry``."""

    _database: Connector
    _accesses: Accesses

    def apply(
        self,
        operations: Sequence[RegistryOperation],
        user: str | None = None,
        *,
        request: outcomes.KeyedRequest | None = None,
        publish: Callable[[], None] | None = None,
    ) -> list[SimulationMetadata]:
        """Carry out all operations in their order, or none; return each run as it is then.

        Parameters
        ----------
        request : KeyedRequest, optional
            If it was carried out before, nothing happens and its outcome is returned again.
        publish : callable, optional
            Puts the results of new runs in their place. It is called while no other process
            can write: what removes results that no run refers to does so as a writer, and
            can not take these away.
        """
        with self._database.write() as connection:
            if request is not None:
                known = outcomes.recorded(connection, request)
                if known is not None:
                    return known
            if publish is not None:
                publish()
            acting = user or current_user()
            change = events.last_seq(connection) + 1
            runs = [
                carry_out(connection, operation, acting, change=change) for operation in operations
            ]
            if request is not None:
                outcomes.record(connection, request, runs)
        return runs

    def outcome(self, request: outcomes.KeyedRequest) -> list[SimulationMetadata] | None:
        """Return what a request led to; None when it was not carried out."""
        with self._database.read() as connection:
            return outcomes.recorded(connection, request)

    def add(
        self,
        run: SimulationMetadata,
        run_documents: Mapping[str, Any],
        user: str | None = None,
        *,
        publish: Callable[[], None] | None = None,
    ) -> None:
        """Add a run with its tags and documents.

        Raises
        ------
        ConflictError
            If there is a run with this id.
        """
        self.apply([NewRun(metadata=run, documents=run_documents)], user, publish=publish)

    def update_metadata(
        self,
        sim_id: str,
        expected_revision: int | None = None,
        user: str | None = None,
        **changes: Any,
    ) -> SimulationMetadata:
        """Change fields of a run's metadata.

        Raises
        ------
        InvalidArgumentError
            If a field can not be changed, or not to this value.
        ConflictError
            If the run is at another than the expected revision; it has both versions.
        """
        operation = UpdateMetadata(
            sim_id=sim_id, expected_revision=expected_revision, changes=changes
        )
        return self.apply([operation], user)[0]

    def set_status(
        self, sim_id: str, status: Status, user: str | None = None
    ) -> SimulationMetadata:
        """Change the status of a run."""
        return self.apply([SetStatus(sim_id=sim_id, status=status)], user)[0]

    def quarantine(self, sim_id: str, reason: str, user: str | None = None) -> bool:
        """Set an available run apart because its results are damaged; False when it was not.

        Its event tells the reason. Of all that notice the damage at the same time, one gets True.
        """
        with self._database.write() as connection:
            run = reading.maybe_one(connection, sim_id)
            if run is None or run.status is not Status.AVAILABLE:
                return False
            apart = SetStatus(sim_id=sim_id, status=Status.QUARANTINED, reason=reason)
            carry_out(connection, apart, user or current_user())
            return True

    def replace_results(
        self, run: SimulationMetadata, run_documents: Mapping[str, Any], user: str | None = None
    ) -> None:
        """Let a run have the results of ``run``, and be available; users' own changes stay."""
        self.apply([ReplaceResults(metadata=run, documents=run_documents)], user)

    def set_pinned(
        self, sim_id: str, is_pinned: bool, user: str | None = None
    ) -> SimulationMetadata:
        """Pin or unpin a run."""
        return self.apply([SetPinned(sim_id=sim_id, is_pinned=is_pinned)], user)[0]

    def set_tags(
        self,
        sim_ids: Sequence[str],
        add: Iterable[str],
        remove: Iterable[str],
        user: str | None = None,
    ) -> list[SimulationMetadata]:
        """Add and remove tags on all of these runs, or on none."""
        added, removed = tuple(add), tuple(remove)
        operations = [SetTags(sim_id=sim_id, add=added, remove=removed) for sim_id in sim_ids]
        return self.apply(operations, user)

    def rebuild_search_index(self) -> None:
        """Make what searches are answered from anew, from what is known of the runs."""
        with self._database.write() as connection:
            rebuild(connection)

    def record_access(self, sim_id: str, user: str | None = None) -> None:
        """Count one opening of a run; written a little later, so that reads never wait."""
        self._accesses.count(sim_id, user or current_user())

    def flush(self) -> None:
        """Write the openings that are counted and not yet written."""
        self._accesses.flush()
