"""Changes that are collected in a ``with`` block: what both forms of a transaction share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from enum import Enum
from types import TracebackType
from typing import Any, Self

from ape_jupyter.errors import TransactionClosedError
from ape_jupyter.model.operations import (
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

__all__ = ["CollectedChanges"]


class _State(Enum):
    NEW = "has not begun; write `with lib.transaction() as tx:`"
    OPEN = "is open"
    COMMITTED = "is committed"
    ROLLED_BACK = "was rolled back"


class CollectedChanges(ABC):
    """Collects changes inside a ``with`` block and has them carried out at its end.

    Attributes
    ----------
    runs : tuple of SimulationMetadata
        After the block: the run of each change, as it was after that change.
    """

    def __init__(self) -> None:
        self.runs: tuple[SimulationMetadata, ...] = ()
        self._state = _State.NEW
        self._staged = ExitStack()

    @abstractmethod
    def add(self, operation: Operation) -> None:
        """Add a change that is given as a value."""

    @abstractmethod
    def _commit(self) -> Sequence[SimulationMetadata]:
        """Carry out what was collected, all or nothing; leave in the log when it is nothing."""

    @abstractmethod
    def _record_rollback(self, reason: str) -> None:
        """Leave in the log that nothing came of this because of the block; raises nothing."""

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

    def _require_open(self) -> None:
        if self._state is not _State.OPEN:
            raise TransactionClosedError(f"This transaction {self._state.value}.")

    def __enter__(self) -> Self:
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
            self._state = _State.ROLLED_BACK
            if error is not None:
                self._record_rollback(type(error).__name__)
                return
            self.runs = tuple(self._commit())
            self._state = _State.COMMITTED
