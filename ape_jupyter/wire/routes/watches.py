"""Routes about folders that are followed."""

from __future__ import annotations

from ape_jupyter.model.watch import WatchState
from ape_jupyter.wire.messages import WatchList, WatchOrder
from ape_jupyter.wire.routes.route import Route

__all__ = ["ROUTES"]

ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        path="watches",
        name="listWatches",
        summary="List the folders that the library follows, and how that goes.",
        action="read",
        answers={200: WatchList},
    ),
    Route(
        method="POST",
        path="watches",
        name="watchFolder",
        summary="Follow a folder of the server's host: its runs come in as they are complete.",
        action="write",
        body=WatchOrder,
        answers={201: WatchState},
        errors=(400,),
    ),
    Route(
        method="GET",
        path="watches/{watch_id}",
        name="getWatch",
        summary="Tell how it goes with one folder that is followed.",
        action="read",
        answers={200: WatchState},
        errors=(400,),
    ),
    Route(
        method="DELETE",
        path="watches/{watch_id}",
        name="stopWatch",
        summary="Follow a folder no longer; 409 when the server's configuration names it.",
        action="write",
        answers={200: WatchState},
        errors=(400, 409),
    ),
)
