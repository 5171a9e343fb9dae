"""Routes that check a library."""

from __future__ import annotations

from ape_jupyter.model.verification import VerifyReport
from ape_jupyter.wire.messages import VerifyOrder
from ape_jupyter.wire.routes.route import Route

__all__ = ["ROUTES"]

ROUTES: tuple[Route, ...] = (
    Route(
        method="POST",
        path="verification",
        name="verifyLibrary",
        summary="Check stored results, summaries, cache and registry against each other; runs "
        "that are damaged are quarantined.",
        action="write",
        body=VerifyOrder,
        answers={200: VerifyReport},
        errors=(400, 404),
    ),
)
