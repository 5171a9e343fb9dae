"""The server's two decorators, with types.

Every method of every handler carries both, with the action and the resource spelt out.
Without them ``authorized`` would take both from the first request that it sees and keep
them, for all classes that inherit the method.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

from jupyter_server.auth.decorator import authorized as _authorized
from tornado import web

__all__ = ["authenticated", "authorized"]

Method = TypeVar("Method", bound=Callable[..., Awaitable[None]])


class _Decorator(Protocol):
    def __call__(self, method: Method) -> Method: ...


def authenticated(method: Method) -> Method:
    """Let only users in that the server knows."""
    decorated: Any = web.authenticated(method)
    return decorated  # type: ignore[no-any-return]


def authorized(action: str, resource: str) -> _Decorator:
    """Let only users in whom the server's authorizer allows ``action`` on ``resource``."""
    decorator: Any = _authorized(action, resource)
    return decorator  # type: ignore[no-any-return]
