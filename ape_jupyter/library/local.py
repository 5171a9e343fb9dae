"""A library directory, opened in this process."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from ape_jupyter.cache.budget import Budget
from ape_jupyter.cache.mapped import PersistentCache
from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.library.changing import WithChanges
from ape_jupyter.library.comparing import WithComparison
from ape_jupyter.library.custody import Custody
from ape_jupyter.library.intake import Intake
from ape_jupyter.library.lifecycle import WithLifecycle
from ape_jupyter.library.location import DATABASE, prepare_directory
from ape_jupyter.library.opening import WithRuns
from ape_jupyter.library.residency import Residency, WithResidency
from ape_jupyter.library.taking_in import WithIntake
from ape_jupyter.library.telling import WithEvents
from ape_jupyter.library.transactions import WithTransactions
from ape_jupyter.library.verification import Verifier, WithVerification
from ape_jupyter.registry.registry import Registry
from ape_jupyter.results.records import RunRecords
from ape_jupyter.results.store import ObjectStore
from ape_jupyter.services.events import EventBus

__all__ = ["LocalLibrary"]


class LocalLibrary(
    WithRuns,
    WithIntake,
    WithChanges,
    WithTransactions,
    WithEvents,
    WithLifecycle,
    WithComparison,
    WithResidency,
    WithVerification,
):
    """A library in a directory; see :class:`ape_jupyter.library.interface.Library`.

    Threads may share one. Any number of processes of one machine may open the directory.
    Methods that change something have ``user``: who does it, by default the user of this
    process.
    """

    def __init__(
        self, directory: Path, budget: Budget | None = None, database: str | None = None
    ) -> None:
        self.directory = directory
        self._registry = Registry(database or directory / DATABASE)
        self._events = EventBus(self._registry)
        self._store = ObjectStore(directory / "objects", directory / "staging")
        pinned = self._registry.pinned_checksums
        self._cache = PersistentCache(directory / "cache", budget, pinned)
        self._residency = Residency(self._registry, self._cache)
        self._records = RunRecords(directory / "runs", directory / "staging")
        self._custody = Custody(self._registry, self._store)
        self._intake = Intake(self._registry, self._store, self._records, self._cache)
        self._verifier = Verifier(
            directory=directory,
            registry=self._registry,
            store=self._store,
            records=self._records,
            cache=self._cache,
            custody=self._custody,
        )

    @classmethod
    def open(
        cls,
        directory: str | PathLike[str],
        *,
        cache_budget_mb: float | None = None,
        database: str | None = None,
    ) -> LocalLibrary:
        """Open a library, making the directory when there is none.

        Parameters
        ----------
        cache_budget_mb : float, optional
            What the mapped files may take. Default: ``APE_JUPYTER_CACHE_BUDGET_MB``, else a
            fifth of the disk or half of the memory, whichever is less.
        database : str, optional
            The ``postgresql://`` URL of a database for the metadata. Default: a SQLite file
            in the directory.

        Raises
        ------
        SchemaTooNewError
            If a newer version of ape-jupyter wrote the library.
        InvalidArgumentError
            If the directory can not be made or holds something else, or the budget is none.
        """
        path = Path(directory).expanduser().absolute()
        budget = Budget.of(cache_budget_mb)
        try:
            prepare_directory(path)
        except OSError as error:
            reason = error.strerror or str(error)
            raise InvalidArgumentError(f"No library can be kept in {path}: {reason}.") from error
        return cls(path, budget, database)

    @property
    def location(self) -> str:
        """The directory."""
        return str(self.directory)

    def revision(self) -> int:
        """Return a number that grows with every change of the metadata."""
        return self._registry.revision()

    def close(self) -> None:
        """End subscriptions and release the database. Results that are open stay readable."""
        self._events.close()
        self._registry.close()

    def __enter__(self) -> LocalLibrary:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"LocalLibrary({self.location!r})"
