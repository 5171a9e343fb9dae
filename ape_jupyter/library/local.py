"""A library directory, opened in this process."""

from __future__ import annotations

from contextlib import suppress
from os import PathLike
from pathlib import Path

from ape_jupyter.cache.budget import Budget
from ape_jupyter.cache.mapped import PersistentCache
from ape_jupyter.errors import ApeError, InvalidArgumentError
from ape_jupyter.library.advising import Adviser
from ape_jupyter.library.applying import Actions
from ape_jupyter.library.changing import WithChanges
from ape_jupyter.library.comparing import WithComparison
from ape_jupyter.library.custody import Custody
from ape_jupyter.library.evictions import Evictions
from ape_jupyter.library.file_systems import file_system_of, refuse_network_file_systems
from ape_jupyter.library.intake import Intake
from ape_jupyter.library.lifecycle import WithLifecycle
from ape_jupyter.library.location import BUDGET_SETTING, DATABASE, MEASUREMENTS, prepare_directory
from ape_jupyter.library.opening import WithRuns
from ape_jupyter.library.performance import WithPerformance
from ape_jupyter.library.residency import Residency, WithResidency
from ape_jupyter.library.tagging import WithTagging
from ape_jupyter.library.taking_in import WithIntake
from ape_jupyter.library.telling import WithEvents
from ape_jupyter.library.transactions import WithTransactions
from ape_jupyter.library.verification import Verifier, WithVerification
from ape_jupyter.library.watching import FollowedFolders, WithWatching
from ape_jupyter.model.file_system import FileSystem
from ape_jupyter.registry.registry import Registry
from ape_jupyter.results.records import RunRecords
from ape_jupyter.results.store import ObjectStore
from ape_jupyter.services.events import EventBus
from ape_jupyter.services.monitor.monitor import PerformanceMonitor
from ape_jupyter.services.monitor.threshold import Threshold

__all__ = ["LocalLibrary"]


class LocalLibrary(
    WithRuns,
    WithIntake,
    WithWatching,
    WithChanges,
    WithTagging,
    WithTransactions,
    WithEvents,
    WithLifecycle,
    WithComparison,
    WithResidency,
    WithPerformance,
    WithVerification,
):
    """A library in a directory; see :class:`ape_jupyter.library.interface.Library`.

    Threads may share one. Any number of processes of one machine may open the directory.
    Methods that change something have ``user``: who does it, by default the user of this
    process.
    """

    def __init__(
        self,
        directory: Path,
        budget: Budget | None = None,
        threshold: Threshold | None = None,
        database: str | None = None,
    ) -> None:
        self.directory = directory
        self._registry = Registry(database or directory / DATABASE)
        self._events = EventBus(self._registry)
        self._store = ObjectStore(directory / "objects", directory / "staging")
        self._store.discard_abandoned()
        pinned = self._registry.pinned_checksums
        self._monitor = PerformanceMonitor(directory / MEASUREMENTS, self.tend)
        self._evictions = Evictions(self._registry, self._monitor)
        self._cache = PersistentCache(directory / "cache", budget, pinned, self._evictions.note)
        self._residency = Residency(self._registry, self._cache)
        self._adviser = Adviser(
            self._registry,
            self._cache,
            self._residency,
            self._monitor,
            self._evictions,
            threshold or Threshold(),
        )
        self._actions = Actions(
            residency=self._residency,
            evictor=self._cache.evictor,
            monitor=self._monitor,
            verify=self.verify,
            copy_linked=self.copy_linked,
        )
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
        self._followed = FollowedFolders(directory, self._take_in_watched)

    @classmethod
    def open(
        cls,
        directory: str | PathLike[str],
        *,
        cache_budget_mb: float | None = None,
        memory_threshold: float = 0.8,
        allow_network_file_system: bool = False,
        database: str | None = None,
    ) -> LocalLibrary:
        """Open a library, making the directory when there is none.

        Parameters
        ----------
        cache_budget_mb : float, optional
            What the mapped files may take. Default: ``APE_JUPYTER_CACHE_BUDGET_MB``, else what
            was agreed on by applying a suggestion, else a fifth of the disk or half of the
            memory, whichever is less.
        memory_threshold : float
            Share of the container's memory, and of the cache's budget, from which an event
            tells that it is reached.
        allow_network_file_system : bool
            Open a library that is not on a disk of this machine, as does
            ``APE_JUPYTER_ALLOW_NETWORK_FS=1``. Should another machine use it at the same time,
            the database can be damaged and kernels be killed.
        database : str, optional
            The ``postgresql://`` URL of a database for the metadata. Default: a SQLite file
            in the directory.

        Raises
        ------
        SchemaTooNewError
            If a newer version of ape-jupyter wrote the library.
        InvalidArgumentError
            If the directory can not be made, holds something else, or is on a network file
            system; or if the budget or the threshold is none.
        """
        path = Path(directory).expanduser().absolute()
        budget = Budget.of(cache_budget_mb, setting=path / BUDGET_SETTING)
        threshold = Threshold(memory_threshold)
        # Links can lead them elsewhere.
        places = [path, path / "cache", *([] if database else [path / DATABASE])]
        refuse_network_file_systems(places, allow=allow_network_file_system)
        try:
            prepare_directory(path)
        except OSError as error:
            reason = error.strerror or str(error)
            raise InvalidArgumentError(f"No library can be kept in {path}: {reason}.") from error
        return cls(path, budget, threshold, database)

    @property
    def location(self) -> str:
        """The directory."""
        return str(self.directory)

    @property
    def file_system(self) -> FileSystem | None:
        """What the directory is on; None where the system does not tell."""
        return file_system_of(self.directory)

    def revision(self) -> int:
        """Return a number that grows with every change of the metadata."""
        return self._registry.revision()

    def close(self) -> None:
        """Follow no folder any more, end subscriptions and release the database.

        Results that are open stay readable.
        """
        self._followed.close()
        self._monitor.close()
        with suppress(ApeError):  # events that can not be written keep nobody from leaving
            self._evictions.tell()
        self._events.close()
        self._registry.close()

    def __enter__(self) -> LocalLibrary:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"LocalLibrary({self.location!r})"
