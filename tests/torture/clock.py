"""A clock that is set back by a day between changes."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from torture import forks
from torture.actions import write_runs
from torture.audit import audit
from torture.ledger import Change, Model
from torture.table import Row

__all__ = ["clock"]

LIBRARIES = Path("/usr/lib").glob("*/faketime/libfaketime.so.1")
_PROGRAM = """
import json, sys
from pathlib import Path
from torture.actions import apply
from torture.ledger import Change
from ape_jupyter.library.local import LocalLibrary

library, results, ledger, changes = sys.argv[1:]
changes = [Change(tuple(map(tuple, steps))) for steps in json.loads(changes)]
apply(Path(library), changes, Path(results), Path(ledger))
with LocalLibrary.open(library) as opened:
    opened.purge(dry_run=False)
    opened.verify(repair=True)
"""


def clock() -> list[Row]:
    """Change a library today, yesterday, and today again."""
    faketime = next(LIBRARIES, None)
    if faketime is None:
        raise SystemExit("libfaketime is missing: apt install faketime")
    with tempfile.TemporaryDirectory(prefix="torture-") as name:
        folder = Path(name)
        first, second, third = forks.call(
            lambda: [run.name for run in write_runs(folder / "results", 3)]
        )
        days = [
            ("+0", [_one("import", first), _one("delete", first), _one("import", second)]),
            ("-1d", [_one("tag", second), _one("import", third), _one("delete", third)]),
            ("-1d", [_one("restore", first), _one("delete", first)]),
            ("+0", [_one("untag", second), _one("restore", third)]),
        ]
        model, wrong = Model(), []
        for number, (day, changes) in enumerate(days):
            ledger = folder / f"ledger-{number}"
            _run(folder, ledger, changes, {"LD_PRELOAD": str(faketime), "FAKETIME": day})
            model.follow(ledger)
            wrong += [f"refused: {refusal}" for refusal in model.refusals]
            found = forks.call(partial(audit, folder / "library"))
            wrong += [*found["wrong"], *model.violations(found["runs"])]
        told, times = forks.call(partial(_told, folder / "library"))
        wrong += ["the clock was not set back"] * (times == sorted(times))
        expected = [
            _TOLD_OF[verb] for _, changes in days for c in changes for verb, _, _ in c.steps
        ]
        wrong += [f"the log tells {told}, expected {expected}"] * (told != expected)
        return [
            Row(
                "clock set back a day, twice",
                f"{sum(len(changes) for _, changes in days)} changes, 4 purges, 4 repairs",
                "order of the log kept, nothing purged or removed early",
                tuple(wrong),
            )
        ]


_TOLD_OF = {
    "import": "simulation_registered",
    "delete": "simulation_deleted",
    "restore": "simulation_restored",
    "tag": "tags_changed",
    "untag": "tags_changed",
}


def _one(verb: str, run: str) -> Change:
    return Change(((verb, run, "tag" if "tag" in verb else ""),))


def _run(folder: Path, ledger: Path, changes: Sequence[Change], faked: dict[str, str]) -> None:
    steps = json.dumps([change.steps for change in changes])
    command = [forks.PYTHON, "-c", _PROGRAM, folder / "library", folder / "results", ledger, steps]
    subprocess.run(command, env={**os.environ, **faked}, check=True)


def _told(library: Path) -> tuple[list[str], list[str]]:
    from ape_jupyter.library.local import LocalLibrary

    with LocalLibrary.open(library) as opened:
        events = opened.events(types=sorted({*_TOLD_OF.values()}))
        return [str(e.type) for e in events], [e.timestamp.isoformat() for e in events]
