"""Whether a library is whole, found out without asking the library only."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from ape_jupyter.errors import ApeError
from ape_jupyter.library.local import LocalLibrary
from ape_jupyter.registry.sqlite import _best_driver

__all__ = ["audit", "collect_garbage"]

DAY = 24 * 3600


def audit(path: Path, database: str | None = None) -> dict[str, Any]:
    """Return the runs of a library, what is wrong with it, and what nobody needs in it."""
    wrong = []
    with LocalLibrary.open(path, database=database) as library:
        runs = {
            run.sim_id: {"status": str(run.status), "tags": list(run.tags)}
            for run in library._registry.all_runs()
        }
        for sim_id, run in runs.items():
            if run["status"] == "available":
                wrong += _half_visible(library, sim_id)
        report = library.verify()
        wrong += [str(finding) for finding in report.findings if finding.severity == "damage"]
        used = {run.checksum for run in library._registry.all_runs()}
        break_ = library._registry.broken_history()
        wrong += [f"the history is broken: {break_}"] * (break_ is not None)
        wrong += _unseen_events(library)
    if database is None:
        wrong += _database(path)
    objects = [entry for entry in path.glob("objects/*/*") if entry.is_dir()]
    wrong += [problem for entry in objects for problem in _object(entry)]
    orphans = [entry.name for entry in objects if entry.name not in used]
    return {
        "runs": runs,
        "wrong": wrong,
        "orphans": len(orphans) + len(list((path / "staging").iterdir())),
    }


def _unseen_events(library: LocalLibrary) -> list[str]:
    """Check that the log has no gap that a reader could miss."""
    numbers = [event.seq for event in library.events(limit=1000)]
    whole = numbers == list(range(numbers[0], numbers[0] + len(numbers))) if numbers else True
    return [] if whole else [f"the log has gaps: {numbers}"]


def _half_visible(library: LocalLibrary, sim_id: str) -> list[str]:
    try:
        data = library.load_simulation(sim_id, load_data=True)
        results = data.load_results()
        results.visits.validate(full=True)
        whole = results.visits.num_rows == data.metadata.n_visits
        whole &= results.patients.num_rows == data.metadata.n_patients
        whole &= (results.costs is not None) == data.metadata.has_costs
        whole &= bool(data.protocol.parameters) and bool(data.audit_log)
        whole &= any(run.sim_id == sim_id for run in library.search(sim_id))
        data.unload_results()
    except (ApeError, OSError) as error:
        return [f"{sim_id} is visible and can not be opened: {error}"]
    return [] if whole else [f"{sim_id} is visible and not whole"]


def _object(entry: Path) -> list[str]:
    """Check the files of an object by its manifest: an object appears complete or not at all."""
    try:
        files = json.loads((entry / "manifest.json").read_bytes())["files"]
    except (OSError, ValueError, KeyError) as error:
        return [f"object {entry.name[:8]} has no manifest: {error}"]
    return [
        f"{name} of object {entry.name[:8]} is not what its manifest says"
        for name, digest in files.items()
        if not (entry / name).exists()
        or hashlib.sha256((entry / name).read_bytes()).hexdigest() != digest
    ]


def _database(path: Path) -> list[str]:
    found = [row[0] for row in _query(path, "PRAGMA integrity_check")]
    found += [str(row) for row in _query(path, "PRAGMA foreign_key_check")]
    return [f"registry.db: {line}" for line in found if line != "ok"]


def _query(path: Path, statement: str) -> list[Any]:
    connection = _best_driver().connect(path / "registry.db")
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.close()


def collect_garbage(path: Path, database: str | None = None) -> list[str]:
    """Repair, and once more as if a day had passed; return what the second check still minds."""
    with LocalLibrary.open(path, database=database) as library:
        library.verify(repair=True)
        log = path / "orphans.json"
        if log.exists():
            seen = json.loads(log.read_text())
            log.write_text(json.dumps({name: since - 2 * DAY for name, since in seen.items()}))
        report = library.verify(repair=True)
    return [str(finding) for finding in report.findings if not finding.repaired]
