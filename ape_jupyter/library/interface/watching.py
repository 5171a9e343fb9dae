"""How folders are followed."""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike
from typing import TYPE_CHECKING, Protocol

from ape_jupyter.model.watch import SETTLE_SECONDS

if TYPE_CHECKING:
    from ape_jupyter.library.watch import Watch

__all__ = ["FollowsFolders"]


class FollowsFolders(Protocol):
    """How folders are followed."""

    def watch(
        self,
        folder: str | PathLike[str],
        *,
        copy: bool = True,
        tags: Iterable[str] = (),
        settle_seconds: float = SETTLE_SECONDS,
    ) -> Watch:
        """Follow a folder that APE keeps writing to: its runs come in as they are complete.

        A run comes in when its files are whole and have not changed for ``settle_seconds``. One
        that is broken is named in the watch's state, and tried again when its files change.
        Nothing in the folder is ever changed. What is in the folder already comes in, too.

        ``copy=False`` links packages and directories in place, as in :meth:`import_results`.

        A server goes on following the folder, also after a restart; a library in this process
        does as long as it is open. Following a folder again changes how it is followed.

        Raises
        ------
        InvalidArgumentError
            If there is no such folder, or it belongs to the library itself.
        """

    def watches(self) -> list[Watch]:
        """Return the folders that are followed; each has ``folder``, ``state`` and ``stop()``."""
