"""The part of a library in this process that follows folders."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Iterable
from datetime import datetime
from os import PathLike
from pathlib import Path

from ape_jupyter.errors import ConflictError, InvalidArgumentError, InvalidResultsError
from ape_jupyter.library.listing import ImportReport
from ape_jupyter.library.watch import Watch
from ape_jupyter.library.watch_files import WatchDefinition, WatchFiles, run_from_json
from ape_jupyter.library.watcher import FolderWatcher, TakeIn
from ape_jupyter.model.listing import ImportOutcome, ImportStatus
from ape_jupyter.model.progress import ProgressCallback
from ape_jupyter.model.tags import normalise_tag
from ape_jupyter.model.watch import SETTLE_SECONDS, WatchState
from ape_jupyter.results.reading import displayed

__all__ = ["FollowedFolders", "WithWatching"]

MAX_WATCHES = 50
MAX_SETTLE_SECONDS = 3600.0
_STOP_SECONDS = 10.0


class FollowedFolders:
    """The folders that a library follows, and the threads that do it here."""

    def __init__(self, library: Path, take_in: TakeIn) -> None:
        self._library = library
        self._files = WatchFiles(library / "watches")
        self._take_in = take_in
        self._watchers: dict[str, FolderWatcher] = {}
        self._lock = threading.Lock()
        self._is_closed = False

    def define(self, definition: WatchDefinition) -> WatchState:
        """Have a folder followed, and follow it here unless somebody does.

        Raises
        ------
        InvalidArgumentError
            If the definition can not be.
        """
        self._check(definition)
        watch_id = definition.watch_id
        known = self._files.definitions()
        if watch_id not in known and len(known) >= MAX_WATCHES:
            raise InvalidArgumentError(f"No more than {MAX_WATCHES} folders can be followed.")
        self._files.define(definition)
        self._follow(watch_id)
        return self.state(watch_id)

    def follow_all(self, configured: Iterable[str] | None = None) -> None:
        """Follow all folders of the library here, whoever had them followed.

        Parameters
        ----------
        configured : iterable of str, optional
            The folders that the configuration names; those that it no longer does are given up.
        """
        if configured is not None:
            wanted = [WatchDefinition(folder=path, is_configured=True) for path in configured]
            ids = {definition.watch_id for definition in wanted}
            for watch_id, definition in self._files.definitions().items():
                if definition.is_configured and watch_id not in ids:
                    self._files.remove(watch_id)
            for definition in wanted:
                self.define(definition)
        for watch_id in self._files.definitions():
            self._follow(watch_id)

    def states(self) -> list[WatchState]:
        """Return all folders that are followed, and how that goes."""
        return [self.state(watch_id) for watch_id in self._files.definitions()]

    def state(self, watch_id: str) -> WatchState:
        """Return how it goes with one folder.

        Raises
        ------
        InvalidArgumentError
            If it is not followed.
        """
        definition = self._definition(watch_id)
        content = {
            "last_scan": None,
            "problem": None,
            **dict.fromkeys(("n_taken_in", "n_waiting", "n_broken"), 0),
            **{name: [] for name in ("broken", "recent")},
            **self._files.state(watch_id),
        }
        last_scan = content["last_scan"]
        return WatchState(
            watch_id=watch_id,
            folder=displayed(Path(definition.folder)),
            tags=definition.tags,
            copy=definition.copy,
            settle_seconds=definition.settle_seconds,
            is_configured=definition.is_configured,
            is_followed=self._is_followed(watch_id),
            last_scan=None if last_scan is None else datetime.fromisoformat(last_scan),
            n_taken_in=content["n_taken_in"],
            n_waiting=content["n_waiting"],
            n_broken=content["n_broken"],
            broken=tuple(map(run_from_json, content["broken"])),
            recent=tuple(map(run_from_json, content["recent"])),
            problem=content["problem"],
        )

    def stop(self, watch_id: str) -> None:
        """Have a folder followed no longer, here or elsewhere.

        Raises
        ------
        ConflictError
            If a server's configuration names it.
        """
        definition = self._definition(watch_id)
        if definition.is_configured:
            raise ConflictError(
                f"{definition.folder} is followed because ApeJupyterApp.watched_folders names it; "
                "take it out of the server's configuration and restart the server."
            )
        self._files.remove(watch_id)
        with self._lock:
            watcher = self._watchers.pop(watch_id, None)
        if watcher is not None:
            watcher.stop()
            watcher.join(_STOP_SECONDS)

    def close(self) -> None:
        """Follow nothing here any more; other processes may go on, and a later one will."""
        with self._lock:
            self._is_closed = True
            watchers = [*self._watchers.values()]
            self._watchers.clear()
        for watcher in watchers:
            watcher.stop()
        for watcher in watchers:
            watcher.join(_STOP_SECONDS)

    def _definition(self, watch_id: str) -> WatchDefinition:
        definition = self._files.definitions().get(watch_id)
        if definition is None:
            raise InvalidArgumentError(f"No folder is followed under {watch_id[:40]!r}.")
        return definition

    def _follow(self, watch_id: str) -> None:
        with self._lock:
            watcher = self._watchers.get(watch_id)
            if self._is_closed or (watcher is not None and watcher.is_alive()):
                return
            watcher = FolderWatcher(watch_id, self._files, self._take_in)
            self._watchers[watch_id] = watcher
            watcher.start()

    def _is_followed(self, watch_id: str) -> bool:
        with self._lock:
            watcher = self._watchers.get(watch_id)
        if watcher is not None and watcher.is_alive():
            return True
        claim = self._files.claim(watch_id)
        if claim is None:
            return True
        claim.release()
        return False

    def _check(self, definition: WatchDefinition) -> None:
        path = Path(definition.folder)
        if not path.is_absolute() or "\0" in definition.folder:
            raise InvalidArgumentError(f"{definition.folder!r} is not an absolute path.")
        # The configuration may name one that comes later, such as a network folder.
        if not definition.is_configured and not path.is_dir():
            raise InvalidArgumentError(f"There is no folder {path}.")
        real, library = Path(os.path.realpath(path)), Path(os.path.realpath(self._library))
        if real.is_relative_to(library) or library.is_relative_to(real):
            raise InvalidArgumentError(
                f"{path} can not be followed: it is in the library's own directory, or holds it."
            )
        settle = definition.settle_seconds
        if not (math.isfinite(settle) and 0 < settle <= MAX_SETTLE_SECONDS):
            raise InvalidArgumentError(
                f"settle_seconds is {settle}; it must be above 0 and at most "
                f"{MAX_SETTLE_SECONDS:.0f}."
            )


class WithWatching:
    """Follows folders; see ``Library``."""

    _followed: FollowedFolders
    import_results: Callable[..., ImportReport]

    def watch(
        self,
        folder: str | PathLike[str],
        *,
        copy: bool = True,
        tags: Iterable[str] = (),
        settle_seconds: float = SETTLE_SECONDS,
        user: str | None = None,
    ) -> Watch:
        """Follow a folder that APE keeps writing to; see ``Library``."""
        definition = WatchDefinition(
            folder=str(Path(folder).expanduser().absolute()),
            tags=tuple(normalise_tag(tag) for tag in tags),
            copy=copy,
            settle_seconds=settle_seconds,
            user=user,
        )
        return self._watch(self._followed.define(definition))

    def watches(self) -> list[Watch]:
        """Return the folders that are followed."""
        return [self._watch(state) for state in self._followed.states()]

    def watch_states(self) -> list[WatchState]:
        """Return all folders that are followed, and how that goes."""
        return self._followed.states()

    def watch_state(self, watch_id: str) -> WatchState:
        """Return how it goes with one folder."""
        return self._followed.state(watch_id)

    def stop_watch(self, watch_id: str) -> WatchState:
        """Have a folder followed no longer; return what was known of it."""
        state = self._followed.state(watch_id)
        self._followed.stop(watch_id)
        return state

    def follow_watches(self, configured: Iterable[str] | None = None) -> None:
        """Follow all folders of the library in this process, as a server does.

        Parameters
        ----------
        configured : iterable of str, optional
            The folders that the configuration names.
        """
        self._followed.follow_all(configured)

    def _watch(self, state: WatchState) -> Watch:
        watch_id = state.watch_id
        return Watch(
            state, lambda: self._followed.state(watch_id), lambda: self._followed.stop(watch_id)
        )

    def _take_in_watched(
        self, path: Path, definition: WatchDefinition, progress: ProgressCallback
    ) -> ImportOutcome:
        try:
            report = self.import_results(
                path,
                copy=definition.copy,
                tags=definition.tags,
                progress=progress,
                user=definition.user,
            )
        except InvalidResultsError as error:
            return ImportOutcome(
                path=displayed(path), status=ImportStatus.REFUSED, faults=error.faults
            )
        [outcome] = report.outcomes
        return outcome
