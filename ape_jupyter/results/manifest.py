"""What a stored result set consists of, such that any change of it shows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ape_jupyter.errors import CorruptedDataError, SchemaTooNewError
from ape_jupyter.results.sealed import canonical_json, sealed_json, sha256_of, unsealed_json

__all__ = ["MANIFEST", "LinkedFile", "Manifest", "read_manifest"]

MANIFEST = "manifest.json"
MANIFEST_VERSION = 2
_FIRST_KEYS = {"manifest_version", "tables", "documents", "files"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedFile:
    """A file outside the library, as it was when it was linked."""

    path: str
    size_bytes: int
    mtime_ns: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The content of an object.

    Attributes
    ----------
    tables : mapping
        Digest of what each table says, by name.
    documents : mapping
        Sha256 of the canonical JSON of each document, by name.
    files : mapping
        Sha256 of each file of the object, by file name.
    sizes : mapping
        Bytes of each file; empty in objects of the first version.
    links : mapping
        The files outside that hold the tables, by table; empty when the object has copies.
    """

    tables: Mapping[str, str]
    documents: Mapping[str, str]
    files: Mapping[str, str] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    links: Mapping[str, LinkedFile] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """The name of the object: what the tables and documents say, however they are kept."""
        return sha256_of(
            canonical_json({"tables": dict(self.tables), "documents": dict(self.documents)})
        )

    def to_json(self) -> bytes:
        """Return the content of ``manifest.json``."""
        return sealed_json({"manifest_version": MANIFEST_VERSION, **asdict(self)})


def read_manifest(directory: Path) -> Manifest:
    """Read the manifest of an object.

    Raises
    ------
    CorruptedDataError
        If it is not there, or not as it was written.
    SchemaTooNewError
        If a newer version wrote it.
    """
    label = f"The manifest of object {directory.name[:12]}"
    try:
        data = (directory / MANIFEST).read_bytes()
        content = _content(data)
        if content["manifest_version"] > MANIFEST_VERSION:
            raise SchemaTooNewError(f"{label} was written by a newer version of ape-jupyter.")
        links = {name: LinkedFile(**link) for name, link in content.get("links", {}).items()}
        manifest = Manifest(
            tables=content["tables"],
            documents=content["documents"],
            files=content["files"],
            sizes=content.get("sizes", {}),
            links=links,
        )
    except FileNotFoundError as error:
        raise CorruptedDataError(f"{label} is missing.") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CorruptedDataError(f"{label} can not be read: {error}") from error
    if manifest.digest != directory.name or not {"patients", "visits"} <= set(manifest.tables):
        raise CorruptedDataError(f"{label} is that of another object.")
    return manifest


def _content(data: bytes) -> dict[str, Any]:
    content = json.loads(data)
    # The first version had no seal.
    if isinstance(content, dict) and content.get("manifest_version") == 1:
        if set(content) != _FIRST_KEYS:
            raise ValueError("it is not what was written")
        return content
    return unsealed_json(data)
