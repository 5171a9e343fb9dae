"""What a library records, bundles and lets go: transactions, events, the end of runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from os import PathLike
from typing import Any, Protocol

from ape_jupyter.model.events import EventType, SimulationEvent
from ape_jupyter.model.lifecycle import PurgeReport
from ape_jupyter.model.operations import Operation
from ape_jupyter.model.simulation import SimulationMetadata

__all__ = ["BundlesChanges", "EditsRuns", "EndsRuns", "Subscribed", "TellsEvents", "Transaction"]


class EditsRuns(Protocol):
    """How what people write about a run changes."""

    def update_metadata(
        self, sim_id: str, *, expected_revision: int | None = None, **changes: Any
    ) -> SimulationMetadata:
        """Change the ``name``, the ``notes`` or the ``visibility`` of a run.

        Parameters
        ----------
        expected_revision : int, optional
            The ``revision`` of the metadata that the change is based on.

        Raises
        ------
        InvalidArgumentError
            If a field can not be changed, or not to this value.
        ConflictError
            If the run is at another revision by now. Its ``current`` and ``expected`` are
            both versions of the metadata, for a merge.
        """


class Transaction(Protocol):
    """Changes that are collected inside a ``with`` block and carried out at its end."""

    @property
    def runs(self) -> Sequence[SimulationMetadata]:
        """After the block: the run of each change, as it was after that change."""

    def add_simulation(
        self, path: str | PathLike[str], *, tags: Iterable[str] = ()
    ) -> SimulationMetadata:
        """Add a run from a results directory or a package; return it as it will be."""

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

    def update_metadata(
        self, sim_id: str, *, expected_revision: int | None = None, **changes: Any
    ) -> None:
        """Change the name, the notes or the visibility of a run."""

    def add_tag(self, sim_id: str, tag: str) -> None:
        """Tag a run."""

    def remove_tag(self, sim_id: str, tag: str) -> None:
        """Take a tag off a run."""

    def set_tags(
        self, sim_ids: Iterable[str], add: Iterable[str] = (), remove: Iterable[str] = ()
    ) -> None:
        """Add and remove tags on several runs."""

    def pin(self, sim_id: str) -> None:
        """Keep a run's mapped files, whatever the budget."""

    def unpin(self, sim_id: str) -> None:
        """Let a run's mapped files be evicted again."""

    def delete(self, sim_id: str, *, expected_revision: int | None = None) -> None:
        """Move a run to the trash."""

    def restore(self, sim_id: str, *, expected_revision: int | None = None) -> None:
        """Bring a run back from the trash."""


class BundlesChanges(Protocol):
    """How several changes happen together or not at all."""

    def transaction(self) -> AbstractContextManager[Transaction]:
        """Return a transaction, to be used as ``with lib.transaction() as tx:``.

        Its changes are collected, and carried out together at the end of the block. An
        exception there or in the block leaves the library as it was, and TRANSACTION_ROLLED_BACK
        in its log. Nothing is locked meanwhile: of two transactions on one run the later to
        end has the last word, unless it gives ``expected_revision``. A transaction inside
        another is independent of it. One that has ended can not be used again
        (:class:`TransactionClosedError`).
        """

    def apply(
        self, operations: Iterable[Operation], *, key: str | None = None
    ) -> list[SimulationMetadata]:
        """Carry out all operations in their order, or none; return the run of each.

        Parameters
        ----------
        key : str, optional
            Makes it safe to ask again when the answer was lost: within a week, operations
            with a key that is known are not carried out again, and the first answer is given
            once more.

        Raises
        ------
        ConflictError
            If a run is not at the revision that an operation expects, or the key was used for
            other operations.
        """


class Subscribed(Protocol):
    """A subscription, to be ended by :meth:`unsubscribe` or as a context manager."""

    def unsubscribe(self) -> None:
        """Stop the calls."""

    def __enter__(self) -> Any: ...

    def __exit__(self, *_: Any) -> None: ...


class TellsEvents(Protocol):
    """What happened, and what happens."""

    def events(
        self,
        since: int = 0,
        types: Iterable[EventType | str] | None = None,
        sim_id: str | None = None,
        limit: int = 1000,
    ) -> list[SimulationEvent]:
        """Return the events after number ``since``, the oldest first.

        With ``sim_id``, the history of that run: who changed what, before and after. Runs in
        the trash and purged runs still have theirs, under their full id. Events are kept for
        two years.
        """

    def subscribe(
        self,
        event_type: EventType | str | Iterable[EventType | str] | None,
        callback: Callable[[SimulationEvent], object],
        *,
        since: int | None = None,
    ) -> Subscribed:
        """Call back for every event of a type, of several, or with None of all.

        Parameters
        ----------
        callback : callable
            Called from a thread of its own, one event at a time and in order, whichever
            process made the change. What it raises is logged.
        since : int, optional
            Begin after the event of this number. Default: with the next event.
        """


class EndsRuns(Protocol):
    """How runs go for good."""

    def purge(self, older_than: timedelta = ..., dry_run: bool = True) -> PurgeReport:
        """Remove for good what has been in the trash for ``older_than`` (a week).

        Result sets go when no other run has them; files that a run links to never do. The
        history of a purged run stays.

        Parameters
        ----------
        dry_run : bool
            Only say what would go.
        """
