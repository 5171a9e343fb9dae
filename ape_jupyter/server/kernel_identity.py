"""Recognises requests that kernels of this server have signed."""

from __future__ import annotations

import getpass
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from jupyter_core.utils import ensure_async
from jupyter_server.auth import IdentityProvider, User
from tornado import web

from ape_jupyter.wire.signing import (
    SCHEME,
    WINDOW_SECONDS,
    Signature,
    body_digest,
    derive_key,
    is_authentic,
    parse_authorization,
)

if TYPE_CHECKING:
    from jupyter_server.services.kernels.kernelmanager import MappingKernelManager

__all__ = ["KernelIdentityProvider", "KernelUser", "NonceMemory", "is_signed_by_kernel"]


@dataclass
class KernelUser(User):
    """The owner of this server, acting through a kernel."""

    kernel_id: str = ""


def is_signed_by_kernel(handler: web.RequestHandler) -> bool:
    """Tell whether a request claims to come from a kernel, truly or not."""
    return handler.request.headers.get("Authorization", "").startswith(SCHEME)


class NonceMemory:
    """Remembers nonces for as long as their signatures are fresh. Safe for threads."""

    def __init__(self, capacity: int = 100_000) -> None:
        self._capacity = capacity
        self._expiry: dict[tuple[str, str], float] = {}
        self._lock = threading.Lock()

    def add(self, signature: Signature, now: float) -> bool:
        """Remember a nonce; False when it was seen before, or there is no room.

        Only signatures that are authentic come here, so only the user's own kernels can fill
        it. Forgetting early to make room would let an old request in again.
        """
        key = (signature.kernel_id, signature.nonce)
        with self._lock:
            if len(self._expiry) >= self._capacity:
                self._expiry = {k: end for k, end in self._expiry.items() if end > now}
            if self._expiry.get(key, 0) > now or len(self._expiry) >= self._capacity:
                return False
            self._expiry[key] = signature.timestamp + WINDOW_SECONDS + 1
            return True


class KernelIdentityProvider(IdentityProvider):
    """The identity provider of requests that carry a kernel's signature.

    The base handler of this extension uses it in place of the server's own; no other handler
    knows of it, so a signature opens nothing else on the server.
    """

    def __init__(
        self,
        *,
        kernels: MappingKernelManager,
        enabled: bool = True,
        clock: Callable[[], float] = time.time,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._kernels = kernels
        self._enabled = enabled
        self._clock = clock
        self._nonces = NonceMemory()

    async def get_user(self, handler: web.RequestHandler) -> User:
        """Return the user, or refuse the request with 401.

        An explicit credential that is wrong is never made good by a cookie.
        """
        signature = parse_authorization(handler.request.headers.get("Authorization", ""))
        if not self._enabled:
            raise web.HTTPError(401, "Access from kernels is switched off on this server.")
        if signature is None:
            raise web.HTTPError(401, "The kernel's signature is malformed.")
        now = self._clock()
        key = await self._key(signature.kernel_id)
        # One message for an unknown kernel and a wrong signature: they are not told apart.
        method, target = handler.request.method or "", handler.request.uri or ""
        if key is None or not is_authentic(signature, key, method, target):
            raise web.HTTPError(
                401, "This kernel is not one of this server's, or its signature is wrong."
            )
        if abs(now - signature.timestamp) > WINDOW_SECONDS:
            raise web.HTTPError(
                401, "The request is too old, or the kernel's clock differs from the server's."
            )
        if not getattr(handler, "streams_body", False):
            check_digest(signature, body_digest(handler.request.body))
        if not self._nonces.add(signature, now):
            raise web.HTTPError(401, "The request was sent before.")
        signed = cast(Any, handler)
        signed.kernel_signature = signature
        # Read by IdentityProvider.is_token_authenticated: like a token, a signature is never
        # sent by a browser on its own, so there is no forgery for the XSRF check to find.
        signed._token_authenticated = True  # noqa: SLF001
        name = os.environ.get("JUPYTERHUB_USER") or _account()
        return KernelUser(
            username=name, display_name=f"{name} (kernel)", kernel_id=signature.kernel_id
        )

    async def _key(self, kernel_id: str) -> bytes | None:
        if kernel_id not in self._kernels:
            return None
        kernel = self._kernels.get_kernel(kernel_id)
        # Kernels behind a gateway have no session here.
        connection_key: bytes = getattr(getattr(kernel, "session", None), "key", b"")
        if not connection_key or not await ensure_async(kernel.is_alive()):
            return None
        return derive_key(connection_key)


def check_digest(signature: Signature, digest: str) -> None:
    """Refuse a request whose body is not the one that was signed."""
    if digest != signature.digest:
        raise web.HTTPError(401, "The body is not the one that the kernel signed.")


def _account() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without an entry
        return f"uid-{os.getuid()}"
