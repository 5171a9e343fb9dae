"""How a comparison tells how far it is, and that it took place."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from ape_jupyter.errors import ApeError
from ape_jupyter.model.comparison import ComparisonRequest
from ape_jupyter.model.events import EventType
from ape_jupyter.model.progress import Progress, ProgressCallback
from ape_jupyter.registry.registry import Registry

__all__ = ["Steps", "told"]


class Steps:
    """Counts steps for who wants to know; what the callback raises ends the work.

    Attributes
    ----------
    total : int
        How many steps there are, once that is known.
    was_stopped : bool
        Whether it was the callback that ended the work.
    """

    def __init__(self, progress: ProgressCallback | None) -> None:
        self.total = 0
        self.was_stopped = False
        self._progress = progress
        self._done = 0

    def __call__(self, current: str) -> None:
        """Tell what is done next."""
        self._tell(current)
        # A subgroup without patients is a step that is not taken; none is taken twice.
        self._done = min(self._done + 1, self.total)

    def finish(self) -> None:
        """Tell that all is done."""
        self._done = self.total
        self._tell("")

    def _tell(self, current: str) -> None:
        if self._progress is None:
            return
        try:
            self._progress(Progress(done=self._done, total=self.total, current=current))
        except BaseException:
            self.was_stopped = True
            raise


@contextmanager
def told(
    registry: Registry, request: ComparisonRequest, steps: Steps, user: str | None
) -> Iterator[None]:
    """Write into the log when a comparison begins and how it ends."""
    data: dict[str, object] = {
        "sim_ids": list(request.sim_ids),
        "comparison_type": request.comparison_type.value,
        "metrics": list(request.metrics),
        "time_alignment": request.time_alignment.value,
        "reference": request.reference,
        "subgroups": [grouping.column for grouping in request.subgroups],
    }
    _tell(registry, EventType.COMPARISON_STARTED, data, user)
    started = time.monotonic()
    outcome = "failed"
    try:
        yield
        outcome = "finished"
    except KeyboardInterrupt:
        outcome = "cancelled"
        raise
    finally:
        ended = data | {
            "outcome": "cancelled" if steps.was_stopped else outcome,
            "seconds": round(time.monotonic() - started, 3),
        }
        _tell(registry, EventType.COMPARISON_FINISHED, ended, user)


def _tell(
    registry: Registry, event_type: EventType, data: dict[str, object], user: str | None
) -> None:
    # A full disk or a busy database keeps nobody from comparing, which changes nothing.
    with suppress(ApeError):
        registry.record_event(event_type, None, data, user)
