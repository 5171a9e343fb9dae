"""Looking after the library while the server runs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from ape_jupyter.server.library_access import LibraryAccess

if TYPE_CHECKING:
    from ape_jupyter.library.local import LocalLibrary

__all__ = ["tend"]

_log = logging.getLogger(__name__)


async def tend(
    access: LibraryAccess, kernels: Callable[[], Mapping[str, int]], every_seconds: float
) -> None:
    """Keep the library to its budget, and tell when memory is nearly full, until cancelled.

    Kernels fill memory, let go of runs and die without a word to the server; so it looks. A
    library that nobody has opened is left alone.
    """
    while True:
        await asyncio.sleep(every_seconds)
        if access.opened is None:
            continue
        pids = kernels()
        try:
            await access.call(partial(_look, pids), heavy=True)
        except Exception:  # noqa: BLE001  # one look that fails must not be the last
            _log.warning("The library could not be looked after", exc_info=True)


def _look(kernels: Mapping[str, int], library: LocalLibrary) -> None:
    library.tend(kernels)
