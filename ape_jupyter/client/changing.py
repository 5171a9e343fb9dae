"""The part of a remote library that changes what is known of runs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from ape_jupyter.client.addresses import path_segment
from ape_jupyter.client.transport import Transport
from ape_jupyter.model.lifecycle import GRACE, PurgeReport
from ape_jupyter.model.listing import TagCount
from ape_jupyter.model.operations import checked_changes
from ape_jupyter.model.simulation import SimulationMetadata
from ape_jupyter.wire.messages import PurgeOrder, SimulationList

__all__ = ["RemoteChanges"]


class RemoteChanges:
    """Tags, deletes and restores runs; see ``Library``."""

    _transport: Transport

    def update_metadata(
        self, sim_id: str, *, expected_revision: int | None = None, **changes: Any
    ) -> SimulationMetadata:
        """Change the name, the notes or the visibility of a run."""
        expected = "*" if expected_revision is None else f'"{expected_revision}"'
        metadata: SimulationMetadata = self._transport.patch(
            SimulationMetadata,
            "simulations",
            path_segment(sim_id),
            json=checked_changes(changes),
            headers={"If-Match": expected},
        )
        return metadata

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
        change = {"sim_ids": list(sim_ids), "add": list(add), "remove": list(remove)}
        answer: SimulationList = self._transport.post(SimulationList, "tags", json=change)
        return list(answer.items)

    def tags(self) -> list[TagCount]:
        """Return all tags in use with their counts, the most used first."""
        return list(self._transport.get(tuple[TagCount, ...], "tags"))

    def delete(self, sim_id: str) -> SimulationMetadata:
        """Move a run to the trash."""
        metadata: SimulationMetadata = self._transport.delete(
            SimulationMetadata, "simulations", path_segment(sim_id)
        )
        return metadata

    def restore(self, sim_id: str) -> SimulationMetadata:
        """Bring a run back from the trash."""
        metadata: SimulationMetadata = self._transport.post(
            SimulationMetadata, "simulations", path_segment(sim_id), "restore"
        )
        return metadata

    def purge(self, older_than: timedelta = GRACE, dry_run: bool = True) -> PurgeReport:
        """Remove for good what has been in the trash for long; see ``Library``."""
        order = PurgeOrder(older_than_seconds=older_than.total_seconds(), dry_run=dry_run)
        report: PurgeReport = self._transport.post(PurgeReport, "trash", "purge", json=order)
        return report
