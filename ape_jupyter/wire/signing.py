"""How a kernel proves to its server that it is one of the server's kernels.

Server and kernel already share a secret: the key in the kernel's connection file, which
signs the messages between them. From it both derive a key for this purpose, and the kernel
signs every request with that: method, path with query, time, a number used once, and the
sha256 of the body. Nothing that opens anything else on the server enters the kernel, and
what is seen on the wire can not be used again.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from dataclasses import dataclass, field

__all__ = [
    "EMPTY_BODY_DIGEST",
    "SCHEME",
    "WINDOW_SECONDS",
    "KernelCredential",
    "Signature",
    "body_digest",
    "derive_key",
    "is_authentic",
    "parse_authorization",
    "sign",
]

SCHEME = "ApeKernel"

WINDOW_SECONDS = 60
"""How far the clocks of kernel and server may differ, and how old a request may be."""

_HEADER = re.compile(
    SCHEME + r" id=(?P<kernel_id>[A-Za-z0-9._-]{1,128}),time=(?P<timestamp>[0-9]{1,12}),"
    r"nonce=(?P<nonce>[0-9a-f]{32}),sha256=(?P<digest>[0-9a-f]{64}),mac=(?P<mac>[0-9a-f]{64})"
)


@dataclass(frozen=True, slots=True)
class KernelCredential:
    """What a kernel signs with: its id and the derived key, never the connection key."""

    kernel_id: str
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Signature:
    """The parts of an ``Authorization: ApeKernel …`` header."""

    kernel_id: str
    timestamp: int
    nonce: str
    digest: str
    mac: str

    @property
    def authorization(self) -> str:
        """The value of the header."""
        return (
            f"{SCHEME} id={self.kernel_id},time={self.timestamp},nonce={self.nonce},"
            f"sha256={self.digest},mac={self.mac}"
        )


def derive_key(connection_key: bytes) -> bytes:
    """Return the key for signing requests, given the key of the connection file."""
    return hmac.new(connection_key, b"ape/v1", hashlib.sha256).digest()


def body_digest(body: bytes) -> str:
    """Return the sha256 of a request's body."""
    return hashlib.sha256(body).hexdigest()


EMPTY_BODY_DIGEST = body_digest(b"")


def sign(
    credential: KernelCredential,
    method: str,
    target: str,
    digest: str = EMPTY_BODY_DIGEST,
    *,
    timestamp: int | None = None,
    nonce: str | None = None,
) -> Signature:
    """Sign a request.

    Parameters
    ----------
    target : str
        Path and query exactly as they stand in the request line.
    digest : str
        sha256 of the body.
    """
    timestamp = int(time.time()) if timestamp is None else timestamp
    nonce = secrets.token_hex(16) if nonce is None else nonce
    mac = _mac(credential.key, credential.kernel_id, method, target, timestamp, nonce, digest)
    return Signature(credential.kernel_id, timestamp, nonce, digest, mac)


def parse_authorization(header: str) -> Signature | None:
    """Return the parts of a header, or None when it is not a well-formed one of this scheme."""
    match = _HEADER.fullmatch(header)
    if match is None:
        return None
    parts = match.groupdict()
    return Signature(
        parts["kernel_id"], int(parts["timestamp"]), parts["nonce"], parts["digest"], parts["mac"]
    )


def is_authentic(signature: Signature, key: bytes, method: str, target: str) -> bool:
    """Tell whether ``signature`` was made with ``key`` for this request.

    Freshness, and that it was not seen before, are for the caller to check.
    """
    expected = _mac(
        key,
        signature.kernel_id,
        method,
        target,
        signature.timestamp,
        signature.nonce,
        signature.digest,
    )
    return hmac.compare_digest(expected, signature.mac)


def _mac(
    key: bytes, kernel_id: str, method: str, target: str, timestamp: int, nonce: str, digest: str
) -> str:
    # None of the parts can hold a line break, so no two requests have the same text.
    parts = ("ape/v1/request", kernel_id, method.upper(), target, str(timestamp), nonce, digest)
    return hmac.new(key, "\n".join(parts).encode(), hashlib.sha256).hexdigest()
