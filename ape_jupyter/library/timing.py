"""Timing the methods of a library."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from ape_jupyter.model.performance import Operation
from ape_jupyter.services.monitor.monitor import PerformanceMonitor

__all__ = ["timed"]

P = ParamSpec("P")
T = TypeVar("T")


class _Monitored(Protocol):
    _monitor: PerformanceMonitor


S = TypeVar("S", bound=_Monitored)


def timed(
    operation: Operation,
) -> Callable[[Callable[Concatenate[S, P], T]], Callable[Concatenate[S, P], T]]:
    """Have the library's monitor time a method, when it succeeds."""

    def decorate(method: Callable[Concatenate[S, P], T]) -> Callable[Concatenate[S, P], T]:
        @wraps(method)
        def call(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
            started = time.perf_counter()
            result = method(self, *args, **kwargs)
            self._monitor.observe(operation, time.perf_counter() - started)
            return result

        return call

    return decorate
