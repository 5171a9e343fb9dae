from __future__ import annotations

from dataclasses import replace

import pytest

from ape_jupyter.server.kernel_identity import NonceMemory
from ape_jupyter.wire.signing import (
    KernelCredential,
    body_digest,
    derive_key,
    is_authentic,
    parse_authorization,
    sign,
)

CREDENTIAL = KernelCredential("0a-1b", derive_key(b"key"))
SIGNATURE = sign(CREDENTIAL, "POST", "/a/b?c=d", body_digest(b"body"))


def test_there_and_back():
    parsed = parse_authorization(SIGNATURE.authorization)
    assert parsed == SIGNATURE
    assert is_authentic(parsed, CREDENTIAL.key, "post", "/a/b?c=d")


@pytest.mark.parametrize(
    "change",
    [
        {"kernel_id": "other"},
        {"timestamp": SIGNATURE.timestamp + 1},
        {"nonce": "0" * 32},
        {"digest": "0" * 64},
        {"mac": "0" * 64},
    ],
)
def test_every_part_is_signed(change):
    changed = replace(SIGNATURE, **change)
    assert not is_authentic(changed, CREDENTIAL.key, "POST", "/a/b?c=d")


def test_request_and_key_are_signed():
    assert not is_authentic(SIGNATURE, CREDENTIAL.key, "PUT", "/a/b?c=d")
    assert not is_authentic(SIGNATURE, CREDENTIAL.key, "POST", "/a/b?c=e")
    assert not is_authentic(SIGNATURE, CREDENTIAL.key, "POST", "/a/b")
    assert not is_authentic(SIGNATURE, derive_key(b"other"), "POST", "/a/b?c=d")


@pytest.mark.parametrize(
    "header",
    [
        "",
        "ApeKernel",
        "token x",
        SIGNATURE.authorization + " ",
        SIGNATURE.authorization + ",more=1",
        SIGNATURE.authorization.replace("time=", "time=-"),
        SIGNATURE.authorization.replace("id=0a-1b", "id=0a\n1b"),
        SIGNATURE.authorization.upper(),
        "ApeKernel id=" + "x" * 10_000,
    ],
)
def test_malformed_headers(header):
    assert parse_authorization(header) is None


def test_keys_are_not_shown():
    assert "key" not in repr(CREDENTIAL)
    assert derive_key(b"key") != b"key"


def test_nonces_are_remembered_while_they_are_fresh():
    memory = NonceMemory(capacity=3)
    now = SIGNATURE.timestamp
    signatures = [replace(SIGNATURE, nonce=f"{number:032x}") for number in range(4)]
    assert memory.add(signatures[0], now)
    assert not memory.add(signatures[0], now)
    assert not memory.add(signatures[0], now + 60)
    assert memory.add(signatures[1], now)
    assert memory.add(signatures[2], now)
    # Full: refusing is safe, forgetting is not.
    assert not memory.add(signatures[3], now)
    assert not memory.add(signatures[0], now)
    assert memory.add(replace(signatures[3], timestamp=now + 62), now + 62)
