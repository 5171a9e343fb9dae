"""The part of a remote library that checks it."""

from __future__ import annotations

from ape_jupyter.client.transport import Transport
from ape_jupyter.model.progress import Progress, ProgressCallback
from ape_jupyter.model.verification import VerifyReport
from ape_jupyter.wire.messages import VerifyOrder

__all__ = ["RemoteVerification"]


class RemoteVerification:
    """Has the server check its library; see ``Library``."""

    _transport: Transport

    def verify(
        self,
        sim_id: str | None = None,
        repair: bool = False,
        fast: bool = False,
        *,
        progress: ProgressCallback | None = None,
    ) -> VerifyReport:
        """Check a run, or all of the library; the server tells when it is done, not before."""
        if progress:
            progress(Progress(done=0, total=1, current=sim_id or "the library"))
        order = VerifyOrder(sim_id=sim_id, repair=repair, fast=fast)
        report: VerifyReport = self._transport.post(VerifyReport, "verification", json=order)
        if progress:
            progress(Progress(done=1, total=1))
        return report
