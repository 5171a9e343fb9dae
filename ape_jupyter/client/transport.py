"""Requests to a server: credentials, proxies, certificates, and errors as exceptions."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from json import loads
from typing import Any, TypeVar
from urllib.parse import quote

import httpx

from ape_jupyter.client.addresses import ServerAddress
from ape_jupyter.errors import ApeError, InvalidArgumentError, ServerUnavailableError
from ape_jupyter.wire.encoding import decode, decode_json, dumps
from ape_jupyter.wire.errors import ErrorBody, error_from, error_of_status
from ape_jupyter.wire.signing import (
    EMPTY_BODY_DIGEST,
    KernelCredential,
    body_digest,
    sign,
)
from ape_jupyter.wire.version import API_PATH, API_VERSION

__all__ = ["Transport"]

T = TypeVar("T")

# Making the mapped files of a run with millions of patients takes a while.
_TIMEOUT = httpx.Timeout(300, connect=5)
_FIRST_ERROR_STATUS = 300


class Transport:
    """Sends requests and decodes answers. Threads may share one."""

    def __init__(
        self,
        address: ServerAddress,
        *,
        token: str | None = None,
        credential: KernelCredential | None = None,
    ) -> None:
        self.address = address
        self._credential = credential
        self._root = f"{address.url.rstrip('/')}/{API_PATH}/"
        verify = True if address.certificate is None else _pinned(address.certificate)
        # HTTP_PROXY is about other hosts; a proxy can not reach this one's loopback.
        trust_env = not address.is_on_this_host
        self._client = httpx.Client(
            transport=httpx.HTTPTransport(uds=address.socket) if address.socket else None,
            headers={"Authorization": f"token {token}"} if token else {},
            verify=verify,
            trust_env=trust_env,
            timeout=_TIMEOUT,
        )

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def get(self, cls: Any, *path: str, params: Sequence[tuple[str, str]] = ()) -> Any:
        """Return the answer to a GET as a ``cls``."""
        return self._decoded(cls, self._send("GET", path, params=params))

    def post(
        self, cls: Any, *path: str, json: Any = None, headers: Mapping[str, str] | None = None
    ) -> Any:
        """Return the answer to a POST of ``json`` as a ``cls``."""
        return self._decoded(cls, self._send_json("POST", path, json, headers))

    def patch(
        self, cls: Any, *path: str, json: Any, headers: Mapping[str, str] | None = None
    ) -> Any:
        """Return the answer to a PATCH with ``json`` as a ``cls``."""
        return self._decoded(cls, self._send_json("PATCH", path, json, headers))

    def _send_json(
        self,
        method: str,
        path: Sequence[str],
        json: Any,
        headers: Mapping[str, str] | None,
        *,
        stream: bool = False,
    ) -> httpx.Response:
        content = b"" if json is None else dumps(json).encode()
        return self._send(
            method,
            path,
            content=content,
            digest=body_digest(content),
            headers={"Content-Type": "application/json", **(headers or {})},
            stream=stream,
        )

    @contextmanager
    def lines(self, *path: str, json: Any, accept: str) -> Iterator[Iterator[Any]]:
        """Give the lines of the answer to a POST, each of them JSON, as they come.

        Leaving before the last one closes the connection, by which the server learns of it.
        """
        response = self._send_json("POST", path, json, {"Accept": accept}, stream=True)
        try:
            yield map(loads, filter(None, response.iter_lines()))
        except httpx.TransportError as error:
            raise self._unavailable(error) from error
        finally:
            response.close()

    def upload(
        self,
        cls: Any,
        *path: str,
        content: Iterable[bytes],
        size_bytes: int,
        digest: str,
        params: Sequence[tuple[str, str]] = (),
    ) -> Any:
        """Return the answer to a POST of a zip file as a ``cls``; ``digest`` is its sha256."""
        headers = {"Content-Type": "application/zip", "Content-Length": str(size_bytes)}
        response = self._send(
            "POST", path, content=content, digest=digest, headers=headers, params=params
        )
        return self._decoded(cls, response)

    def delete(self, cls: Any, *path: str) -> Any:
        """Return the answer to a DELETE as a ``cls``."""
        return self._decoded(cls, self._send("DELETE", path))

    @contextmanager
    def download(self, *path: str) -> Iterator[httpx.Response]:
        """Give the response to a GET whose body is still to be read."""
        response = self._send("GET", path, stream=True)
        try:
            yield response
        except httpx.TransportError as error:
            raise self._unavailable(error) from error
        finally:
            response.close()

    def _send(
        self,
        method: str,
        path: Sequence[str],
        *,
        params: Sequence[tuple[str, str]] = (),
        content: bytes | Iterable[bytes] = b"",
        digest: str = EMPTY_BODY_DIGEST,
        headers: dict[str, str] | None = None,
        stream: bool = False,
    ) -> httpx.Response:
        url = self._root + "/".join(quote(part, safe="") for part in path)
        request = self._client.build_request(
            method, url, params=list(params) or None, content=content, headers=headers
        )
        if self._credential is not None:
            target = request.url.raw_path.decode("ascii")
            signature = sign(self._credential, method, target, digest)
            request.headers["Authorization"] = signature.authorization
        try:
            response = self._client.send(request, stream=stream)
            if response.status_code >= _FIRST_ERROR_STATUS:
                response.read()
                response.close()
        except httpx.TransportError as error:
            raise self._unavailable(error) from error
        if response.status_code >= _FIRST_ERROR_STATUS:
            raise self._refusal(response)
        return response

    def _decoded(self, cls: Any, response: httpx.Response) -> Any:
        if cls is None:
            return None
        try:
            if cls is Any:
                return response.json()
            return decode_json(cls, response.content, unknown="ignore", name="answer")
        except (InvalidArgumentError, ValueError) as error:
            raise ServerUnavailableError(
                f"{self.address.url} answered what this version of ape-jupyter does not "
                f"understand: {error} Are server and kernel of the same version?"
            ) from error

    def _unavailable(self, error: httpx.TransportError) -> ServerUnavailableError:
        reason = str(error) or type(error).__name__
        return ServerUnavailableError(
            f"The Jupyter server at {self.address.url} did not answer ({reason}). Is it running? "
            "A library on this machine can also be opened directly: connect('<its directory>')."
        )

    def _refusal(self, response: httpx.Response) -> ApeError:
        """Return the exception for an answer with an error."""
        status = response.status_code
        try:
            body = decode(ErrorBody, response.json(), unknown="ignore")
        except (ValueError, InvalidArgumentError):
            pass
        else:
            return error_from(body)
        url = self.address.url
        if status == httpx.codes.NOT_FOUND:
            return ServerUnavailableError(
                f"The server at {url} has no ape-jupyter with API version {API_VERSION}. Install "
                "ape-jupyter where the server runs, and see `jupyter server extension list`."
            )
        if status < httpx.codes.BAD_REQUEST:
            return ServerUnavailableError(
                f"{url} answered with a redirection; give the URL of the Jupyter server itself."
            )
        return error_of_status(status)(f"{url} answered with HTTP status {status}.")


def _pinned(certificate: str) -> ssl.SSLContext:
    """Trust exactly the server's own certificate, whatever name it was made for."""
    try:
        context = ssl.create_default_context(cafile=certificate)
    except (OSError, ssl.SSLError) as error:
        raise ServerUnavailableError(
            f"The server's certificate {certificate} can not be read: {error}"
        ) from error
    context.check_hostname = False
    # The certificate need not be a root; it is the only one that is trusted.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context
