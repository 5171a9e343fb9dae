"""What victims do to a library: changes at random, each noted before and after."""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from ape_jupyter.demo.generator import RunSpec, write_results
from ape_jupyter.errors import ApeError
from ape_jupyter.library.local import LocalLibrary
from ape_jupyter.library.transactions import StateTransaction
from torture.ledger import Change, Ledger

__all__ = ["apply", "apply_at_random", "perform", "warm_up", "write_runs"]

TAGS = ("alpha", "beta", "gamma", "delta")


def write_runs(directory: Path, count: int, n_patients: int = 8) -> list[Path]:
    """Write small results directories."""
    return [
        write_results(
            directory,
            RunSpec(
                n_patients=n_patients,
                duration_years=1.0,
                seed=number,
                memorable_name=f"run-{number}",
                schema_version="1.0.0" if number % 3 == 0 else "1.5.0",
                with_costs=number % 4 == 1,
            ),
        )
        for number in range(count)
    ]


def perform(library: LocalLibrary, change: Change, results: Path) -> None:
    """Ask a library for a change."""
    if len(change.steps) > 1:
        with library.transaction() as transaction:
            for verb, run, tag in change.steps:
                if verb == "import":
                    transaction.add_simulation(results / run)
                else:
                    _do(transaction, verb, run, tag)
        return
    ((verb, run, tag),) = change.steps
    if verb == "import":
        library.import_results(results / run)
    elif verb == "purge":
        library.purge(older_than=timedelta(), dry_run=False)
    else:
        _do(library, verb, run, tag)


def _do(target: LocalLibrary | StateTransaction, verb: str, run: str, tag: str) -> None:
    if verb == "tag":
        target.add_tag(run, tag)
    elif verb == "untag":
        target.remove_tag(run, tag)
    elif verb == "delete":
        target.delete(run)
    elif verb == "restore":
        target.restore(run)


def change_at_random(choice: random.Random, runs: Sequence[str], present: set[str]) -> Change:
    """Choose a change that the library has no reason to refuse."""
    if choice.random() < 0.05:
        return Change((("purge", "", ""),))
    n_steps = choice.choice((1, 1, 2, 3))
    steps = []
    for run in choice.sample(runs, n_steps):
        if run not in present:
            steps.append(("import", run, ""))
            continue
        verb = choice.choice(("tag", "tag", "untag", "delete", "import"))
        steps.append((verb, run, choice.choice(TAGS) if "tag" in verb else ""))
    return Change(tuple(steps))


def apply(
    library_path: Path,
    changes: Sequence[Change],
    results: Path,
    ledger_path: Path,
    database: str | None = None,
) -> None:
    """Do some changes; a refusal is noted, and ends it."""
    ledger = Ledger(ledger_path)
    with LocalLibrary.open(library_path, database=database) as library:
        for change in changes:
            ledger.begin(change)
            try:
                perform(library, change, results)
            except (ApeError, OSError) as error:
                ledger.refuse(error)
                break
            ledger.confirm()


def apply_at_random(
    library_path: Path,
    results: Path,
    ledger_path: Path,
    seed: int,
    database: str | None = None,
) -> None:
    """Do changes until killed, also by the end of who has started it."""
    choice = random.Random(seed)
    runs = sorted(path.name for path in results.iterdir())
    ledger = Ledger(ledger_path)
    parent = os.getppid()
    with LocalLibrary.open(library_path, database=database) as library:
        while os.getppid() == parent:
            present = {run.sim_id for run in library.get_all_metadata()}
            change = change_at_random(choice, runs, present)
            ledger.begin(change)
            perform(library, change, results)
            ledger.confirm()


def warm_up() -> None:
    """Do everything once, so that all that is loaded late is loaded."""
    from torture.audit import audit

    with tempfile.TemporaryDirectory(prefix="torture-") as name:
        results, library = Path(name) / "results", Path(name) / "library"
        first, second = (run.name for run in write_runs(results, 2))
        changes = [
            Change((("import", first, ""),)),
            Change((("import", second, ""), ("tag", second, "a"))),
            *(Change(((verb, first, "a"),)) for verb in ("tag", "untag", "delete", "restore")),
            Change((("purge", "", ""),)),
        ]
        apply(library, changes, results, Path(name) / "ledger")
        audit(library)
