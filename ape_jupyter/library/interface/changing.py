"""How what is known of a run changes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from ape_jupyter.model.listing import TagCount
from ape_jupyter.model.simulation import SimulationMetadata

if TYPE_CHECKING:
    pass

__all__ = ["ChangesRuns"]


class ChangesRuns(Protocol):
    """How what is known of a run changes."""

    def add_tag(self, sim_id: str, tag: str) -> SimulationMetadata:
        """Tag a run; a tag that is there already (whatever its case) changes nothing."""

    def remove_tag(self, sim_id: str, tag: str) -> SimulationMetadata:
        """Take a tag off a run; one that is not there changes nothing."""

    def set_tags(
        self, sim_ids: Iterable[str], add: Iterable[str] = (), remove: Iterable[str] = ()
    ) -> list[SimulationMetadata]:
        """Add and remove tags on several runs, all or nothing."""

    def tags(self) -> list[TagCount]:
        """Return all tags in use with their counts, the most used first."""

    def delete(self, sim_id: str) -> SimulationMetadata:
        """Move a run to the trash: out of every listing, back with :meth:`restore`."""

    def restore(self, sim_id: str) -> SimulationMetadata:
        """Bring a run back from the trash; takes its full id."""
