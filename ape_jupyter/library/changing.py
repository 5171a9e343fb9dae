"""The part of a library in this process that changes what is known of runs."""

from __future__ import annotations

from collections.abc import Iterable

from ape_jupyter.model.listing import TagCount
from ape_jupyter.model.simulation import SimulationMetadata, Status
from ape_jupyter.model.tags import normalise_tag
from ape_jupyter.registry.registry import Registry

__all__ = ["WithChanges"]


class WithChanges:
    """Tags, deletes and restores runs; see ``Library``."""

    _registry: Registry

    def add_tag(self, sim_id: str, tag: str) -> SimulationMetadata:
        """Tag a run."""
        return self.set_tags([sim_id], add=[tag])[0]

    def remove_tag(self, sim_id: str, tag: str) -> SimulationMetadata:
        """Take a tag off a run."""
        return self.set_tags([sim_id], remove=[tag])[0]

    def set_tags(
        self, sim_ids: Iterable[str], add: Iterable[str] = (), remove: Iterable[str] = ()
    ) -> list[SimulationMetadata]:
        """Add and remove tags on several runs, all or nothing."""
        found = [self._registry.find(sim_id).sim_id for sim_id in sim_ids]
        added = [normalise_tag(tag) for tag in add]
        return self._registry.set_tags(found, added, [normalise_tag(tag) for tag in remove])

    def tags(self) -> list[TagCount]:
        """Return all tags in use with their counts, the most used first."""
        return self._registry.tag_counts()

    def delete(self, sim_id: str) -> SimulationMetadata:
        """Move a run to the trash."""
        return self._registry.set_status(self._registry.find(sim_id).sim_id, Status.TRASHED)

    def restore(self, sim_id: str) -> SimulationMetadata:
        """Bring a run back from the trash."""
        return self._registry.set_status(self._registry.get(sim_id).sim_id, Status.AVAILABLE)
