"""Faults, counted while batches pass."""

from __future__ import annotations

from ape_jupyter.errors import Fault

__all__ = ["NOT_TEXT", "FaultTally"]

NOT_TEXT = "holds text that is not UTF-8, or is damaged"


class FaultTally:
    """Adds faults up, so that they do not depend on how rows are cut into batches.

    A column that can not be read at all has that fault only: what its values are is moot.
    """

    def __init__(self, file: str) -> None:
        self._file = file
        self._counts: dict[tuple[str, str], int] = {}
        self._unreadable: dict[str, str] = {}
        self._whole: list[Fault] = []

    def whole(self, problem: str) -> None:
        """Note a fault of the table itself."""
        self._whole.append(Fault(self._file, problem))

    def count(self, problem: str, column: str, rows: int) -> None:
        """Add rows that have a problem."""
        key = (column, problem)
        self._counts[key] = self._counts.get(key, 0) + rows

    def unreadable(self, column: str, problem: str) -> None:
        """Note that a column is not usable."""
        # A batch may be of the wrong type before another one is found to be no text.
        if problem == NOT_TEXT or column not in self._unreadable:
            self._unreadable[column] = problem

    def is_unreadable(self, column: str) -> bool:
        """Tell whether a column has been given up."""
        return column in self._unreadable

    def __bool__(self) -> bool:
        return bool(self._counts or self._unreadable or self._whole)

    def faults(self) -> list[Fault]:
        """Return what was found."""
        unreadable = [
            Fault(self._file, problem, name) for name, problem in self._unreadable.items()
        ]
        counted = [
            Fault(self._file, problem, column, rows)
            for (column, problem), rows in self._counts.items()
            if column not in self._unreadable
        ]
        return self._whole + unreadable + counted
