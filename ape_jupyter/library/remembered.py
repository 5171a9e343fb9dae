"""Findings of comparisons as bytes, and the key of what they depend on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import pyarrow as pa

from ape_jupyter.model.comparison import ComparisonRequest, Metric, MissingMetric
from ape_jupyter.services.compare import ComparedRun, Findings

__all__ = ["findings_from_bytes", "findings_key", "findings_to_bytes"]

_TABLES = ("series", "differences", "tests", "distributions", "cost_effectiveness")
_FORMAT = 2


def findings_key(provenance: Mapping[str, Any], runs: Mapping[str, ComparedRun]) -> str:
    """Return a key that is equal only where the findings are.

    Parameters
    ----------
    provenance : mapping
        Parameters, digests and versions.
    runs : mapping
        With what their documents say; their summaries follow from the digests.
    """
    facts = [
        [
            run.sim_id,
            run.start_date.isoformat(),
            run.duration_years,
            run.currency,
            sorted(run.capacities.items()),
            run.working_days,
            run.seed,
            run.design,
        ]
        for run in runs.values()
    ]
    text = json.dumps([_FORMAT, provenance, facts], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def findings_to_bytes(findings: Findings) -> bytes:
    """Return findings as an Arrow stream of one row, in which each table is a stream."""
    header = {
        "sim_ids": findings.request.sim_ids,
        "reference": findings.request.reference,
        "metrics": [asdict(metric) for metric in findings.metrics],
        "missing": [asdict(item) for item in findings.missing],
        "notes": findings.notes,
    }
    columns = {"header": [json.dumps(header).encode()]}
    columns |= {name: [_stream(getattr(findings, name))] for name in _TABLES}
    return _stream(pa.table({name: pa.array(c, pa.large_binary()) for name, c in columns.items()}))


def findings_from_bytes(content: bytes, request: ComparisonRequest) -> Findings:
    """Return the findings that were kept for this request."""
    row = _table(content).to_pylist()[0]
    header = json.loads(row["header"])
    return Findings(
        request=replace(request, sim_ids=tuple(header["sim_ids"]), reference=header["reference"]),
        metrics=tuple(Metric(**metric) for metric in header["metrics"]),
        missing=tuple(MissingMetric(**item) for item in header["missing"]),
        notes=tuple(header["notes"]),
        **{name: _table(row[name]) for name in _TABLES},
    )


def _stream(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def _table(content: bytes) -> pa.Table:
    with pa.ipc.open_stream(content) as reader:
        return reader.read_all().combine_chunks()
