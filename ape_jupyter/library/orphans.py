"""Files that no run has: kept for a day, because their run may be on its way."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

__all__ = ["ORPHAN_SECONDS", "OrphanLog"]

ORPHAN_SECONDS = 24 * 3600


class OrphanLog:
    """Remembers since when the library has seen each orphan, over restarts.

    The times of the files do not tell: an import renames files that it wrote long before.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def ripe(self, orphans: Iterable[str]) -> dict[str, bool]:
        """Note what is an orphan now; tell of each whether it has been one for a day."""
        now = time.time()
        known = self._read()
        # A clock that was set back must not make orphans of the future, which never ripen.
        first_seen = {name: min(known.get(name, now), now) for name in orphans}
        if first_seen != known:
            partial = self._path.with_name(f".{self._path.name}.partial")
            # A full disk must not keep a library from being checked.
            with suppress(OSError):
                partial.write_text(json.dumps(first_seen, indent=1), encoding="utf-8")
                partial.replace(self._path)
        return {name: now - since >= ORPHAN_SECONDS for name, since in first_seen.items()}

    def _read(self) -> dict[str, float]:
        try:
            content = json.loads(self._path.read_bytes())
            return {str(name): float(since) for name, since in content.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            # Not knowing only means waiting for another day.
            return {}
