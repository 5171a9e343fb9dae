"""Comparisons of runs."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

from tornado.iostream import StreamClosedError

from ape_jupyter.errors import ApeError, OperationCancelledError
from ape_jupyter.model.progress import Progress
from ape_jupyter.server.handlers.base import ApeHandler
from ape_jupyter.server.permissions import authenticated, authorized
from ape_jupyter.wire.compared import ComparisonOrder
from ape_jupyter.wire.encoding import JSON, dumps
from ape_jupyter.wire.errors import error_body
from ape_jupyter.wire.routes.comparisons import LINES

if TYPE_CHECKING:
    from ape_jupyter.library.local import LocalLibrary

__all__ = ["ComparisonsHandler"]

_SECONDS_BETWEEN_LINES = 0.2
_SECONDS_OF_SILENCE = 5.0


class ComparisonsHandler(ApeHandler):
    """``comparisons``."""

    _progress: Progress | None = None

    async def prepare(self) -> None:  # type: ignore[override]  # as in APIHandler
        """Have a way to tell the thread that compares to stop."""
        self._is_left = threading.Event()
        await super().prepare()

    def on_connection_close(self) -> None:
        """Stop comparing for somebody who went away, or was interrupted."""
        self._is_left.set()
        super().on_connection_close()

    @authenticated
    @authorized("read", "ape-simulations")
    async def post(self) -> None:
        """Compare runs; posted because the request can be long, it changes nothing."""
        order, user = self.json_body(ComparisonOrder), self.owner

        def follow(progress: Progress) -> None:
            self._progress = progress
            if self._is_left.is_set():
                raise OperationCancelledError("The comparison was cancelled.")

        def compare(library: LocalLibrary) -> JSON:
            # Not above: the server should not load pyarrow in order to start.
            from ape_jupyter.wire.comparison import comparison_message

            if self._is_left.is_set():  # it waited for its turn until then
                raise OperationCancelledError("The comparison was cancelled.")
            return comparison_message(
                library.compare_simulations(
                    order.sim_ids,
                    order.comparison_type,
                    metrics="all" if order.metrics == ("all",) else order.metrics,
                    time_alignment=order.time_alignment,
                    reference=order.reference,
                    confidence=order.confidence,
                    observations=order.observations,
                    bin_width=order.bin_width,
                    times=order.times,
                    paired=order.paired,
                    pool_replicates=order.pool_replicates,
                    patients=order.patients,
                    subgroups=order.subgroups,
                    cost_effectiveness=order.cost_effectiveness,
                    distributions=order.distributions,
                    progress=follow,
                    user=user,
                )
            )

        if self.request.headers.get("Accept") != LINES:
            await self.answer_call(compare, heavy=True)
            return
        answer = self.access.call(lambda library: dumps({"result": compare(library)}), heavy=True)
        await self._answer_in_lines(asyncio.ensure_future(answer))

    async def _answer_in_lines(self, answer: asyncio.Future[str]) -> None:
        """Tell how far the comparison is, line by line, and at last what came of it.

        A client that is gone is noticed when nothing can be written any more; so something is
        written now and then, also while there is no progress.
        """
        self.set_header("Content-Type", LINES)
        self.set_header("Cache-Control", "no-cache")
        told: Progress | None = None
        silent_seconds = 0.0
        while not answer.done():
            await asyncio.wait([answer], timeout=_SECONDS_BETWEEN_LINES)
            silent_seconds += _SECONDS_BETWEEN_LINES
            if answer.done():
                break
            if self._progress != told or silent_seconds > _SECONDS_OF_SILENCE:
                told, silent_seconds = self._progress, 0.0
                try:
                    self.write(dumps({"progress": told}) + "\n")
                    await self.flush()
                except StreamClosedError:
                    self._is_left.set()
        try:
            line = await answer
        except ApeError as error:
            line = dumps({"error": error_body(error)})
        self.set_status(200)
        self.finish(line + "\n")
