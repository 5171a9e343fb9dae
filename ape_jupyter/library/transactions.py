"""Several changes of a library in this process that happen together or not at all."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from ape_jupyter.errors import ApeError
from ape_jupyter.library.collected import CollectedChanges
from ape_jupyter.library.given_run import files_of_tables
from ape_jupyter.library.intake import Intake
from ape_jupyter.library.preparation import PreparedRun, Request
from ape_jupyter.model.events import EventType
from ape_jupyter.model.operations import (
    AddSimulation,
    Operation,
)
from ape_jupyter.model.simulation import SimulationMetadata
from ape_jupyter.model.tags import normalise_tag
from ape_jupyter.registry.changes import RegistryOperation
from ape_jupyter.registry.outcomes import KeyedRequest
from ape_jupyter.registry.registry import Registry
from ape_jupyter.registry.users import current_user
from ape_jupyter.results.store import ObjectStore

__all__ = ["StateTransaction", "WithTransactions"]

_log = logging.getLogger(__name__)


class StateTransaction(CollectedChanges):
    """Collects changes inside a ``with`` block and carries them out at its end.

    Until then nobody sees any of them, not even through the library itself; an exception in
    the block, or at its end, leaves the library as it was. Nothing is locked meanwhile:

    - of two transactions on one run, the later to end has the last word; give
      ``expected_revision`` to be refused instead (:class:`ConflictError`);
    - a transaction inside another is independent of it, and stays when the outer one fails;
    - a transaction is used once, and by one thread.

    Where a method takes a ``sim_id``, it may be that of a run added before in the block.

    Attributes
    ----------
    runs : tuple of SimulationMetadata
        After the block: the run of each change, as it was after that change.
    """

    def __init__(
        self,
        registry: Registry,
        store: ObjectStore,
        intake: Intake,
        user: str | None,
        request: KeyedRequest | None = None,
    ) -> None:
        super().__init__()
        self._registry = registry
        self._store = store
        self._intake = intake
        self._user = user or current_user()
        self._request = request
        self._added: list[PreparedRun] = []
        self._operations: list[RegistryOperation] = []

    def add_simulation(self, path: str | PathLike[str], *, tags: Iterable[str] = ()) -> str:
        """Add a run from a results directory or a package; return its id.

        Raises
        ------
        InvalidResultsError
            With every fault of its files.
        ConflictError
            If the library has a run of this id with other results.
        """
        self._require_open()
        request = Request(tuple(map(normalise_tag, tags)), self._user)
        scratch = self._staged.enter_context(self._store.staged())
        path = Path(path).expanduser()
        return self._add(self._intake.prepare_path(path, scratch, request))

    def register(
        self,
        patients: Any,
        visits: Any,
        *,
        protocol: Mapping[str, Any] | str | PathLike[str] | None = None,
        parameters: Mapping[str, Any] | None = None,
        audit_log: Sequence[Mapping[str, Any]] | None = None,
        costs: Any = None,
        resources: Any = None,
        name: str | None = None,
        tags: Iterable[str] = (),
        notes: str = "",
        parent: str | None = None,
    ) -> str:
        """Add a run from tables, as :meth:`Library.register` does; return its id."""
        self._require_open()
        files = files_of_tables(
            {"patients": patients, "visits": visits, "costs": costs, "resources": resources},
            protocol=protocol,
            parameters=parameters,
            audit_log=audit_log,
            name=name,
            notes=notes,
            parent=None if parent is None else self._id_of(parent),
        )
        request = Request(tuple(map(normalise_tag, tags)), self._user)
        scratch = self._staged.enter_context(self._store.staged())
        return self._add(self._intake.prepare(files, scratch, request))

    def add(self, operation: Operation) -> None:
        """Add a change that is given as a value."""
        self._require_open()
        if isinstance(operation, AddSimulation):
            self.add_simulation(operation.path, tags=operation.tags)
        else:
            self._operations.append(operation)

    def _add(self, run: PreparedRun) -> str:
        self._added.append(run)
        self._operations.append(self._intake.operation(run))
        return run.sim_id

    def _id_of(self, text: str) -> str:
        for run in self._added:
            if run.sim_id == text or (run.new is not None and run.new.metadata.name == text):
                return run.sim_id
        return self._registry.find(text).sim_id

    def _commit(self) -> list[SimulationMetadata]:
        try:
            return self._intake.commit(self._added, self._operations, self._user, self._request)
        except BaseException as error:
            self._record_rollback(type(error).__name__)
            raise

    def _record_rollback(self, reason: str) -> None:
        record_rollback(self._registry, len(self._operations), reason, self._user)


def record_rollback(registry: Registry, n_operations: int, reason: str, user: str) -> None:
    """Leave in the log that a transaction came to nothing."""
    data = {"n_operations": n_operations, "reason": reason}
    try:
        registry.record_event(EventType.TRANSACTION_ROLLED_BACK, None, data, user)
    except (ApeError, OSError):
        # What went wrong first is what the user has to hear.
        _log.warning("The end of a transaction could not be recorded", exc_info=True)


class WithTransactions:
    """The part of a library in this process that bundles changes; see ``Library``."""

    _registry: Registry
    _store: ObjectStore
    _intake: Intake

    def transaction(self, *, user: str | None = None) -> StateTransaction:
        """Return a transaction, to be used as ``with lib.transaction() as tx:``."""
        return StateTransaction(self._registry, self._store, self._intake, user)

    def apply(
        self, operations: Iterable[Operation], *, key: str | None = None, user: str | None = None
    ) -> list[SimulationMetadata]:
        """Carry out all operations in their order, or none; see ``Library``."""
        wanted = tuple(operations)
        request = None if key is None else KeyedRequest(key, wanted)
        if request is not None:
            # Runs that were added the first time need not be read once more.
            known = self._registry.outcome(request)
            if known is not None:
                return known
        tx = StateTransaction(self._registry, self._store, self._intake, user, request)
        with tx:
            for operation in wanted:
                tx.add(operation)
        return list(tx.runs)

    def record_rollback(self, n_operations: int, reason: str, *, user: str | None = None) -> None:
        """Leave in the log that a transaction elsewhere came to nothing."""
        record_rollback(self._registry, n_operations, reason, user or current_user())
