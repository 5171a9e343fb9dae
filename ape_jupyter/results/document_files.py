"""The documents of an object: the protocol as YAML, for people; all others as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from ape_jupyter.errors import CorruptedDataError
from ape_jupyter.results.sealed import canonical_json, sha256_of

__all__ = ["read_documents", "write_documents"]


def write_documents(directory: Path, documents: Mapping[str, Any]) -> None:
    """Write a file for each document."""
    for name, document in documents.items():
        if name == "protocol":
            text = yaml.dump(document, Dumper=yaml.CSafeDumper, sort_keys=False)
        else:
            text = json.dumps(document, indent=1)
        (directory / _file(name)).write_text(text, encoding="utf-8")


def read_documents(directory: Path, digests: Mapping[str, str]) -> dict[str, Any]:
    """Read the documents of which these are the digests.

    Raises
    ------
    CorruptedDataError
        If one is missing or damaged.
    """
    found = {}
    for name, digest in digests.items():
        label = f"{_file(name)} of object {directory.name[:12]}"
        try:
            text = (directory / _file(name)).read_text(encoding="utf-8")
            is_yaml = name == "protocol"
            found[name] = yaml.load(text, yaml.CSafeLoader) if is_yaml else json.loads(text)
        except (OSError, ValueError, yaml.YAMLError) as error:
            raise CorruptedDataError(f"{label} can not be read: {error}") from error
        if sha256_of(canonical_json(found[name])) != digest:
            raise CorruptedDataError(f"{label} is not what was stored.")
    return found


def _file(name: str) -> str:
    return "protocol.yaml" if name == "protocol" else f"{name}.json"
