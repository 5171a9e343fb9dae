"""Result sets on their way between machines that share no disk."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ape_jupyter.errors import CorruptedDataError
from ape_jupyter.results.durable import settle
from ape_jupyter.results.manifest import MANIFEST, read_manifest
from ape_jupyter.results.sealed import sha256_of

__all__ = ["packed", "unpacked"]


def packed(directory: Path) -> dict[str, bytes]:
    """Return the files of a staged result set by name."""
    return {file.name: file.read_bytes() for file in directory.iterdir()}


def unpacked(files: Mapping[str, bytes], digest: str, place: Path) -> Path:
    """Write the files of a result set to a directory of its name, and check every byte.

    Raises
    ------
    CorruptedDataError
        If they are not the result set of this digest.
    """
    path = place / digest
    path.mkdir(mode=0o700)
    (path / MANIFEST).write_bytes(files[MANIFEST])
    manifest = read_manifest(path)
    if {name: sha256_of(files[name]) for name in files if name != MANIFEST} != manifest.files:
        raise CorruptedDataError(
            f"The files of object {digest[:12]} are not those of its manifest."
        )
    for name in manifest.files:
        # A manifest is sealed against decay, not against malice.
        (path / Path(name).name).write_bytes(files[name])
    settle(path)
    return path
