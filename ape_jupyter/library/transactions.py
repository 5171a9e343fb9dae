"""Several changes of a library in this process that happen together or not at all."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from enum import Enum
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any

from ape_jupyter.errors import ApeError, TransactionClosedError
from ape_jupyter.library.given_run import files_of_tables
from ape_jupyter.library.intake import Intake
from ape_jupyter.library.preparation import PreparedRun, Request
from ape_jupyter.model.events import EventType
from ape_jupyter.model.operations import (
    AddSimulation,
    DeleteSimulation,
    Operation,
    RestoreSimulation,
    SetPinned,
    SetTags,
    UpdateMetadata,
    checked_changes,
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


class _State(Enum):
    NEW = "has not begun; write `with lib.transaction() as tx:`"
    OPEN = "is open"
    COMMITTED = "is committed"
    ROLLED_BACK = "was rolled back"


class StateTransaction:
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
        self.runs: tuple[SimulationMetadata, ...] = ()
        self._registry = registry
        self._store = store
        self._intake = intake
        self._user = user or current_user()
        self._request = request
        self._state = _State.NEW
        self._staged = ExitStack()
        self._added: list[PreparedRun] = []
        self._operations: list[RegistryOperation] = []

    def add_simulation(
        self, path: str | PathLike[str], *, tags: Iterable[str] = ()
    ) -> SimulationMetadata:
        """Add a run from a results directory or a package; return it as it will be.

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
    ) -> SimulationMetadata:
        """Add a run from tables, as :meth:`Library.register` does; return it as it will be."""
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

    def update_metadata(
        self, sim_id: str, *, expected_revision: int | None = None, **changes: Any
    ) -> None:
        """Change the name, the notes or the visibility of a run."""
        checked = checked_changes(changes)
        self.add(
            UpdateMetadata(sim_id=sim_id, expected_revision=expected_revision, changes=checked)
        )

    def add_tag(self, sim_id: str, tag: str) -> None:
        """Tag a run."""
        self.set_tags([sim_id], add=[tag])

    def remove_tag(self, sim_id: str, tag: str) -> None:
        """Take a tag off a run."""
        self.set_tags([sim_id], remove=[tag])

    def set_tags(
        self, sim_ids: Iterable[str], add: Iterable[str] = (), remove: Iterable[str] = ()
    ) -> None:
        """Add and remove tags on several runs."""
        added, removed = tuple(map(normalise_tag, add)), tuple(map(normalise_tag, remove))
        for sim_id in sim_ids:
            self.add(SetTags(sim_id=sim_id, add=added, remove=removed))

    def pin(self, sim_id: str) -> None:
        """Keep a run's mapped files, whatever the budget."""
        self.add(SetPinned(sim_id=sim_id, is_pinned=True))

    def unpin(self, sim_id: str) -> None:
        """Let a run's mapped files be evicted again."""
        self.add(SetPinned(sim_id=sim_id, is_pinned=False))

    def delete(self, sim_id: str, *, expected_revision: int | None = None) -> None:
        """Move a run to the trash."""
        self.add(DeleteSimulation(sim_id=sim_id, expected_revision=expected_revision))

    def restore(self, sim_id: str, *, expected_revision: int | None = None) -> None:
        """Bring a run back from the trash."""
        self.add(RestoreSimulation(sim_id=sim_id, expected_revision=expected_revision))

    def add(self, operation: Operation) -> None:
        """Add a change that is given as a value."""
        self._require_open()
        if isinstance(operation, AddSimulation):
            self.add_simulation(operation.path, tags=operation.tags)
        else:
            self._operations.append(operation)

    def _add(self, run: PreparedRun) -> SimulationMetadata:
        self._added.append(run)
        self._operations.append(self._intake.operation(run))
        return self._registry.get(run.sim_id) if run.new is None else run.new.metadata

    def _id_of(self, text: str) -> str:
        for run in self._added:
            if run.sim_id == text or (run.new is not None and run.new.metadata.name == text):
                return run.sim_id
        return self._registry.find(text).sim_id

    def _require_open(self) -> None:
        if self._state is not _State.OPEN:
            raise TransactionClosedError(f"This transaction {self._state.value}.")

    def __enter__(self) -> StateTransaction:
        if self._state is not _State.NEW:
            raise TransactionClosedError(
                f"This transaction {self._state.value}; a transaction is used once."
            )
        self._state = _State.OPEN
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        _: TracebackType | None,
    ) -> None:
        with self._staged:
            if error is not None:
                self._roll_back(error)
                return
            try:
                runs = self._intake.commit(self._added, self._operations, self._user, self._request)
            except BaseException as failure:
                self._roll_back(failure)
                raise
            self._state = _State.COMMITTED
            self.runs = tuple(runs)

    def _roll_back(self, reason: BaseException) -> None:
        self._state = _State.ROLLED_BACK
        data = {"n_operations": len(self._operations), "reason": type(reason).__name__}
        try:
            kind = EventType.TRANSACTION_ROLLED_BACK
            self._registry.record_event(kind, None, data, self._user)
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
