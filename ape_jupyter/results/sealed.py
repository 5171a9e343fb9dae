"""JSON that knows whether it still says what was written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["canonical_json", "file_sha256", "sealed_json", "sha256_of", "unsealed_json"]

_SEAL = "sha256"


def canonical_json(content: Any) -> bytes:
    """Return the one text that equal contents have."""
    return json.dumps(content, sort_keys=True).encode()


def sha256_of(data: bytes) -> str:
    """Return the sha256 as hex."""
    return hashlib.sha256(data).hexdigest()


def file_sha256(path: Path) -> str:
    """Return the sha256 of a file as hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sealed_json(content: Mapping[str, Any]) -> bytes:
    """Return JSON that holds its own sha256."""
    sealed = {**content, _SEAL: sha256_of(canonical_json(content))}
    return json.dumps(sealed, indent=1, sort_keys=True).encode()


def unsealed_json(data: bytes) -> dict[str, Any]:
    """Return what :func:`sealed_json` was given.

    Raises
    ------
    ValueError
        If any byte is another one.
    """
    content = json.loads(data)
    if isinstance(content, dict):
        content.pop(_SEAL, None)
        # A changed blank between two names is no other content, and still a sign of decay.
        if sealed_json(content) == data:
            return content
    raise ValueError("it is not what was written")
