"""Packs tables into an APE package, the form in which a run travels to a server."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from ape_jupyter.errors import Fault, InvalidResultsError
from ape_jupyter.library.documents import read_protocol
from ape_jupyter.library.registration import described_run, given_tables
from ape_jupyter.results.parquet_parts import join_parts
from ape_jupyter.results.reading import DOCUMENT_FILES
from ape_jupyter.results.schema import TABLE_FILES
from ape_jupyter.wire.encoding import encode

__all__ = ["RunPackage", "described_package"]

_CHUNK_BYTES = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPackage:
    """A run ready to be packed.

    Attributes
    ----------
    label : str
        How messages name the run.
    metadata : mapping
        The content of ``metadata.json``.
    tables : mapping
        Tables, or paths to Parquet files.
    """

    label: str
    metadata: Mapping[str, Any]
    tables: Mapping[str, Path | pa.Table]
    documents: Mapping[str, Any]

    def write(self, path: Path) -> None:
        """Write the package.

        Raises
        ------
        InvalidResultsError
            Naming every table that can not be read or written.
        """
        faults: list[Fault] = []
        checksums: dict[str, str] = {}
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
            _add(package, checksums, "metadata.json", _json(self.metadata))
            for name, document in self.documents.items():
                content = _yaml(document) if name == "protocol" else _json(document)
                _add(package, checksums, DOCUMENT_FILES[name], content)
            for name, table in self.tables.items():
                try:
                    if isinstance(table, Path) and table.is_dir():
                        joined = path.with_name(f"{name}.parquet")
                        if not join_parts(table, joined, faults):
                            continue
                        table = joined
                    checksums[f"data/{TABLE_FILES[name]}"] = _add_table(package, name, table)
                except FileNotFoundError:
                    faults.append(Fault(Path(str(table)).name, "is missing"))
                except (OSError, pa.ArrowException) as error:
                    faults.append(Fault(name, f"can not be read: {error}"))
            manifest = {
                "package_version": "1.0",
                "sim_id": self.metadata["sim_id"],
                "created_date": self.metadata["timestamp"],
                "file_checksums": checksums,
                "total_files": len(checksums),
                "package_type": "ape_simulation",
            }
            _add(package, {}, "manifest.json", _json(manifest))
        if faults:
            raise InvalidResultsError(self.label, faults)


def described_package(
    tables: Mapping[str, Any],
    documents: Mapping[str, Any],
    *,
    name: str | None,
    notes: str,
    parent: str | None,
) -> RunPackage:
    """Describe a run given as tables, as a local library does.

    Parameters
    ----------
    tables : mapping
        DataFrames, tables or paths by name; None for those that the run does not have.
    documents : mapping
        ``protocol`` (also as a path), ``parameters`` and ``audit_log``; None for none.
    parent : str or None
        Full id of the parent.
    """
    given = given_tables(f"run {name!r}" if name else "the run", tables)
    protocol = read_protocol(documents["protocol"])
    metadata = described_run(given, documents["parameters"] or {}, protocol or {}, name)
    metadata["library"] = {"source": "registered", "notes": notes, "parent": parent}
    papers = {**documents, "protocol": protocol}
    return RunPackage(
        label=f"run {metadata['memorable_name']!r}",
        metadata=metadata,
        tables=given,
        documents={key: value for key, value in papers.items() if value is not None},
    )


def _add(package: zipfile.ZipFile, checksums: dict[str, str], name: str, content: bytes) -> None:
    package.writestr(name, content)
    checksums[name] = hashlib.sha256(content).hexdigest()


def _add_table(package: zipfile.ZipFile, name: str, table: Path | pa.Table) -> str:
    # Parquet is compressed already.
    entry = zipfile.ZipInfo(f"data/{TABLE_FILES[name]}")
    digest = hashlib.sha256()
    if isinstance(table, Path):
        with table.open("rb") as source, package.open(entry, "w", force_zip64=True) as target:
            while chunk := source.read(_CHUNK_BYTES):
                digest.update(chunk)
                target.write(chunk)
        return digest.hexdigest()
    buffer = pa.BufferOutputStream()
    pq.write_table(table, buffer, compression="zstd")
    content = buffer.getvalue()
    with package.open(entry, "w", force_zip64=True) as target:
        target.write(memoryview(content))
    digest.update(memoryview(content))
    return digest.hexdigest()


def _json(document: Any) -> bytes:
    return json.dumps(encode(document), ensure_ascii=False, indent=1).encode()


def _yaml(document: Any) -> bytes:
    text: str = yaml.safe_dump(encode(document), sort_keys=False, allow_unicode=True)
    return text.encode()
