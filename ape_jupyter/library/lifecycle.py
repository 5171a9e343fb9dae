"""The part of a library in this process that lets runs go for good."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ape_jupyter.cache.mapped import PersistentCache
from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.model.lifecycle import PurgeReport
from ape_jupyter.registry.registry import Registry
from ape_jupyter.results.records import RunRecords
from ape_jupyter.results.store import ObjectStore

__all__ = ["WithLifecycle"]

GRACE = timedelta(days=7)


class WithLifecycle:
    """Purges runs; see ``Library``."""

    _registry: Registry
    _store: ObjectStore
    _records: RunRecords
    _cache: PersistentCache

    def purge(
        self,
        older_than: timedelta = GRACE,
        dry_run: bool = True,
        *,
        user: str | None = None,
    ) -> PurgeReport:
        """Remove for good what has been in the trash for long; see ``Library``."""
        if older_than < timedelta():
            raise InvalidArgumentError(f"older_than can not be negative, as {older_than} is.")
        try:
            before = datetime.now(UTC) - older_than
        except OverflowError:
            raise InvalidArgumentError(f"Nothing can be older than {older_than}.") from None
        if dry_run:
            doomed = self._registry.doomed(before)
            size_bytes = sum(map(self._store.size_bytes, doomed.checksums))
        else:
            doomed = self._registry.purge(before, user)
            size_bytes = sum(map(self._store.size_bytes, doomed.checksums))
            # Also what a purge left behind that was killed.
            self._registry.clear_tombstones(self._store.remove, self._records.remove)
            for checksum in doomed.checksums:
                self._cache.evictor.evict(checksum)
        return PurgeReport(
            runs=doomed.runs,
            n_objects=len(doomed.checksums),
            size_bytes=size_bytes,
            dry_run=dry_run,
        )
