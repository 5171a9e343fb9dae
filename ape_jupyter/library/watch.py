"""A folder that is followed, as its library's user holds it."""

from __future__ import annotations

from collections.abc import Callable

from ape_jupyter.model.watch import WatchState

__all__ = ["Watch"]


class Watch:
    """A folder that a library follows.

    It goes on being followed when this object is gone: by the server of the library, or as
    long as the library in this process is open.
    """

    def __init__(
        self, state: WatchState, read: Callable[[], WatchState], stop: Callable[[], None]
    ) -> None:
        self._known = state
        self._read = read
        self._stop = stop

    @property
    def watch_id(self) -> str:
        """What the folder is called where a path can not be."""
        return self._known.watch_id

    @property
    def folder(self) -> str:
        """The folder, as a path on the host that follows it."""
        return self._known.folder

    @property
    def state(self) -> WatchState:
        """How it goes, asked for anew."""
        self._known = self._read()
        return self._known

    def stop(self) -> None:
        """Follow the folder no longer. The runs that are in stay.

        Raises
        ------
        ConflictError
            If the server's configuration names the folder.
        """
        self._stop()

    def __repr__(self) -> str:
        known = self._known
        problem = f", problem: {known.problem}" if known.problem else ""
        return (
            f"<Watch of {known.folder!r}: {known.n_taken_in:,} taken in, {known.n_waiting:,} "
            f"waiting, {known.n_broken:,} broken{problem}>"
        )
