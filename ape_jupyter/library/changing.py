"""The part of a library in this process that changes what is known of runs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ape_jupyter.model.listing import TagCount
from ape_jupyter.model.operations import DeleteSimulation, RestoreSimulation
from ape_jupyter.model.simulation import SimulationMetadata
from ape_jupyter.model.tags import normalise_tag
from ape_jupyter.registry.registry import Registry

__all__ = ["WithChanges"]


class WithChanges:
    """Edits, tags, deletes and restores runs; see ``Library``.

    Methods have ``user``: who makes the change, by default the user of this process.
    """

    _registry: Registry

    def update_metadata(
        self,
        sim_id: str,
        *,
        expected_revision: int | None = None,
        user: str | None = None,
        **changes: Any,
    ) -> SimulationMetadata:
        """Change the name, the notes or the visibility of a run."""
        return self._registry.update_metadata(sim_id, expected_revision, user, **changes)

    def add_tag(self, sim_id: str, tag: str, *, user: str | None = None) -> SimulationMetadata:
        """Tag a run."""
        return self.set_tags([sim_id], add=[tag], user=user)[0]

    def remove_tag(self, sim_id: str, tag: str, *, user: str | None = None) -> SimulationMetadata:
        """Take a tag off a run."""
        return self.set_tags([sim_id], remove=[tag], user=user)[0]

    def set_tags(
        self,
        sim_ids: Iterable[str],
        add: Iterable[str] = (),
        remove: Iterable[str] = (),
        *,
        user: str | None = None,
    ) -> list[SimulationMetadata]:
        """Add and remove tags on several runs, all or nothing."""
        added = [normalise_tag(tag) for tag in add]
        removed = [normalise_tag(tag) for tag in remove]
        return self._registry.set_tags(list(sim_ids), added, removed, user)

    def tags(self) -> list[TagCount]:
        """Return all tags in use with their counts, the most used first."""
        return self._registry.tag_counts()

    def delete(self, sim_id: str, *, user: str | None = None) -> SimulationMetadata:
        """Move a run to the trash."""
        return self._registry.apply([DeleteSimulation(sim_id=sim_id)], user)[0]

    def restore(self, sim_id: str, *, user: str | None = None) -> SimulationMetadata:
        """Bring a run back from the trash."""
        return self._registry.apply([RestoreSimulation(sim_id=sim_id)], user)[0]
