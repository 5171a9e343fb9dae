"""Everything that ape-jupyter raises on purpose.

::

    ApeError
    ├── SimulationNotFoundError   (KeyError)
    ├── InvalidResultsError       (ValueError)
    ├── InvalidArgumentError      (ValueError)
    │   └── QuerySyntaxError
    ├── ConflictError
    ├── CorruptedDataError
    ├── MigrationError
    ├── SchemaTooNewError
    ├── PermissionDeniedError     (PermissionError)
    ├── LibraryBusyError
    ├── OutOfSpaceError           (OSError)
    ├── OperationCancelledError
    ├── TransactionClosedError    (RuntimeError)
    └── ServerUnavailableError    (ConnectionError)

Each also is the builtin that a reader would catch without knowing this package.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ape_jupyter.model.simulation import SimulationMetadata

__all__ = [
    "ApeError",
    "ConflictError",
    "CorruptedDataError",
    "Fault",
    "InvalidArgumentError",
    "InvalidResultsError",
    "LibraryBusyError",
    "MigrationError",
    "OperationCancelledError",
    "OutOfSpaceError",
    "PermissionDeniedError",
    "QuerySyntaxError",
    "SchemaTooNewError",
    "ServerUnavailableError",
    "SimulationNotFoundError",
    "TransactionClosedError",
]


class ApeError(Exception):
    """Base of every error of this package."""

    @property
    def message(self) -> str:
        """The sentence shown to the user."""
        return str(self.args[0]) if self.args else (self.__doc__ or "").splitlines()[0]

    def __str__(self) -> str:
        # KeyError would show the repr of its argument, with quotes around the sentence.
        return self.message


class SimulationNotFoundError(ApeError, KeyError):
    """No run of this library has the given id, name or prefix."""

    def __init__(self, sim_id: str, suggestions: Sequence[str] = (), reason: str = "") -> None:
        self.sim_id = sim_id
        self.suggestions = tuple(suggestions)
        self.reason = reason
        message = reason or f"No run {sim_id!r} in this library."
        if self.suggestions:
            message += f" Did you mean {', '.join(map(repr, self.suggestions))}?"
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with the files of a run.

    Attributes
    ----------
    file : str
        Name of the file or table, as the user knows it.
    problem : str
        What is wrong, as a clause: ``"is missing"``, ``"values outside 0-100"``.
    column : str or None
        The column at fault, when one is.
    rows : int or None
        How many rows are affected, when rows are.
    """

    file: str
    problem: str
    column: str | None = None
    rows: int | None = None

    def __str__(self) -> str:
        place = f"{self.file}: column {self.column!r}" if self.column else self.file
        count = "" if self.rows is None else f" ({self.rows:,} row{'s' if self.rows != 1 else ''})"
        return f"{place}: {self.problem}{count}"


class InvalidResultsError(ApeError, ValueError):
    """The files of a run are not valid APE results; ``faults`` lists every one of them."""

    def __init__(self, run: str, faults: Sequence[Fault]) -> None:
        self.run = run
        self.faults = tuple(faults)
        count = f"{len(self.faults)} fault{'s' if len(self.faults) != 1 else ''}"
        lines = "".join(f"\n  - {fault}" for fault in self.faults)
        super().__init__(f"{run} was refused, {count}:{lines}")


class InvalidArgumentError(ApeError, ValueError):
    """An argument has a value that the operation can not use."""


class QuerySyntaxError(InvalidArgumentError):
    """A search can not be understood; ``position`` is where, ``hint`` what to write instead."""

    def __init__(self, message: str, *, position: int = 0, hint: str = "") -> None:
        self.position = position
        self.hint = hint
        super().__init__(f"{message} {hint}".strip())


class ConflictError(ApeError):
    """Somebody else changed, or already owns, what this operation wanted to write.

    Attributes
    ----------
    expected_revision : int or None
        The revision that the change was meant for, when it named one.
    current : SimulationMetadata or None
        The run as it is now.
    expected : SimulationMetadata or None
        The run as it was at ``expected_revision``, unless the history no longer tells: with
        ``current`` and the change itself, what a merge needs.
    """

    def __init__(
        self,
        message: str,
        *,
        expected_revision: int | None = None,
        current: SimulationMetadata | None = None,
        expected: SimulationMetadata | None = None,
    ) -> None:
        self.expected_revision = expected_revision
        self.current = current
        self.expected = expected
        super().__init__(message)


class CorruptedDataError(ApeError):
    """Stored bytes differ from what was recorded when they were written."""


class MigrationError(ApeError):
    """Metadata of this version can not be brought to the version that is needed."""


class SchemaTooNewError(ApeError):
    """The library was written by a newer version of ape-jupyter; nothing was changed."""


class PermissionDeniedError(ApeError, PermissionError):
    """The user may not do what was asked."""


class LibraryBusyError(ApeError):
    """The library did not become free in time; try again."""


class OutOfSpaceError(ApeError, OSError):
    """The disk that holds the library is full; nothing was registered."""


class OperationCancelledError(ApeError):
    """The operation was cancelled before it was complete; nothing of it was kept."""


class TransactionClosedError(ApeError, RuntimeError):
    """The transaction was used outside of its ``with`` block."""


class ServerUnavailableError(ApeError, ConnectionError):
    """The Jupyter server with the library did not answer."""
