"""What all handlers share: who is asking, where the library is, what an error looks like."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, cast

from jupyter_server.auth import IdentityProvider, User
from jupyter_server.auth.identity import PasswordIdentityProvider
from jupyter_server.base.handlers import APIHandler
from jupyter_server.extension.handler import ExtensionHandlerMixin
from tornado import web

from ape_jupyter.errors import ApeError, LibraryBusyError, PermissionDeniedError
from ape_jupyter.server.kernel_identity import KernelUser, is_signed_by_kernel
from ape_jupyter.wire.encoding import decode_json, dumps
from ape_jupyter.wire.errors import ErrorBody, error_body, error_of_status, status_of

if TYPE_CHECKING:
    from ape_jupyter.library.local import LocalLibrary
    from ape_jupyter.server.app import ApeJupyterApp
    from ape_jupyter.server.library_access import LibraryAccess
    from ape_jupyter.wire.signing import Signature

__all__ = ["RESOURCE", "ApeHandler"]

T = TypeVar("T")

_MAX_JSON_BYTES = 4 * 2**20

RESOURCE = "ape-simulations"
"""The resource that authorizers are asked about; actions are ``read`` and ``write``."""


class ApeHandler(ExtensionHandlerMixin, APIHandler):
    """Base of the extension's handlers.

    Two kinds of credential open its routes: what opens the server itself (token or cookie),
    and the signature of a kernel of this server. Which one counts is decided here only, by
    :attr:`identity_provider`.
    """

    auth_resource = RESOURCE

    polled_methods: frozenset[str] = frozenset()
    """Requests that the interface repeats by itself; they do not keep a server alive."""

    streams_body = False
    """Whether the handler receives its body in pieces, and checks its digest itself."""

    kernel_signature: Signature | None = None

    @property
    def identity_provider(self) -> IdentityProvider:
        """The kernels' provider for requests signed by a kernel, else the server's."""
        if is_signed_by_kernel(self):
            return self.ape.kernel_identity
        return super().identity_provider

    @property
    def ape(self) -> ApeJupyterApp:
        """The extension."""
        return cast("ApeJupyterApp", self.extensionapp)

    @property
    def access(self) -> LibraryAccess:
        """The library."""
        return self.ape.access

    @property
    def owner(self) -> str | None:
        """Whom changes are attributed to; None for the account that the server runs under.

        A server with a token or a password has one user, whose name it makes up anew for
        every browser; only other identity providers know lasting names.
        """
        user = self.current_user
        provider = super().identity_provider
        if type(provider) in (IdentityProvider, PasswordIdentityProvider):
            return None
        return user.username if isinstance(user, User) else None

    async def prepare(self) -> None:  # type: ignore[override]  # as in APIHandler
        """Find out who is asking."""
        if self.request.method in self.polled_methods:
            self._track_activity = False
        await super().prepare()
        # A handler for kernels must not be reached by another way of filling current_user.
        if is_signed_by_kernel(self) and not isinstance(self.current_user, KernelUser):
            raise web.HTTPError(401)

    def on_finish(self) -> None:
        """Let figures that were just measured be measured anew when something was changed."""
        if self.request.method not in ("GET", "HEAD"):
            self.ape.memory_answer.forget()
            self.ape.suggestions_answer.forget()
        super().on_finish()

    def json_body(self, cls: type[T]) -> T:
        """Return the body of the request as a ``cls``."""
        if len(self.request.body) > _MAX_JSON_BYTES:
            raise web.HTTPError(413, f"A body of JSON can have {_MAX_JSON_BYTES // 2**20} MiB.")
        return decode_json(cls, self.request.body)

    async def answer_call(
        self, function: Callable[[LocalLibrary], Any], *, heavy: bool = False
    ) -> None:
        """Finish the request with what ``function(library)`` returns.

        Writing a page of a thousand runs as JSON takes long enough to be done in the thread.
        """
        self.answer_text(
            await self.access.call(lambda library: dumps(function(library)), heavy=heavy)
        )

    def answer(self, value: Any, status: int = 200) -> None:
        """Finish the request with a small ``value`` as JSON."""
        self.answer_text(dumps(value), status)

    def answer_text(self, text: str, status: int = 200) -> None:
        """Finish the request with JSON."""
        self.set_status(status)
        self.set_header("Cache-Control", "no-cache")
        self.finish(text)

    def require_feature(self, enabled: bool, what: str, trait: str) -> None:
        """Refuse a request whose feature is switched off.

        Raises
        ------
        PermissionDeniedError
            Naming the trait that switches it on.
        """
        if not enabled:
            raise PermissionDeniedError(f"{what} on this server (ApeJupyterApp.{trait} is False).")

    def compute_etag(self) -> str | None:
        """Give no tag: that of a body would have to be computed on the event loop."""
        return None

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer with an :class:`ErrorBody`, whatever went wrong."""
        error = (kwargs.get("exc_info") or (None, None, None))[1]
        if isinstance(error, ApeError):
            status_code = status_of(error)
            body = error_body(error)
        elif isinstance(error, web.HTTPError):
            message = error.reason or error.get_message() or _MESSAGES.get(status_code, "")
            body = _body(status_code, message or f"HTTP status {status_code}.")
        else:
            reference = secrets.token_hex(4)
            self.log.error("The unexpected error above has the reference %s", reference)
            body = _body(
                status_code, f"An unexpected error; the server's log has it under {reference}."
            )
        self.set_status(status_code)
        if isinstance(error, LibraryBusyError):
            self.set_header("Retry-After", "1")
        self.finish(dumps(body))

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Log a refusal as a line, and only what nobody expected with its traceback."""
        if isinstance(value, ApeError):
            self.log.debug("%s %s: %r", self.request.method, self.request.path, value)
        else:
            super().log_exception(typ, value, tb)


_MESSAGES = {
    401: "The credential was refused.",
    403: "Log in to this Jupyter server, or send its token.",
    404: "There is nothing here, or the request came from another site.",
    405: "This can not be done here.",
}


def _body(status: int, message: str) -> ErrorBody:
    return ErrorBody(error=error_of_status(status).__name__, message=message, details={})
