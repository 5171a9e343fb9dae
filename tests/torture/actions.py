"""What victims do to a library: changes at random, each noted before and after."""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ape_jupyter.demo.generator import RunSpec, write_results
from ape_jupyter.errors import ApeError
from ape_jupyter.library.local import LocalLibrary
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
    for verb, tag in change.steps:
        if verb == "import":
            library.import_results(results / change.run)
        elif verb == "tag":
            library.add_tag(change.run, tag)
        elif verb == "untag":
            library.remove_tag(change.run, tag)
        elif verb == "delete":
            library.delete(change.run)
        elif verb == "restore":
            library.restore(change.run)


def change_at_random(choice: random.Random, runs: Sequence[str], present: set[str]) -> Change:
    """Choose a change that the library has no reason to refuse."""
    run = choice.choice(runs)
    if run not in present:
        return Change(run, (("import", ""),))
    verb = choice.choice(("tag", "untag", "delete", "import"))
    if verb in ("tag", "untag"):
        return Change(run, ((verb, choice.choice(TAGS)),))
    return Change(run, ((verb, ""),))


def apply(library_path: Path, changes: Sequence[Change], results: Path, ledger_path: Path) -> None:
    """Do some changes; a refusal is noted, and ends it."""
    ledger = Ledger(ledger_path)
    with LocalLibrary.open(library_path) as library:
        for change in changes:
            ledger.begin(change)
            try:
                perform(library, change, results)
            except (ApeError, OSError) as error:
                ledger.refuse(error)
                break
            ledger.confirm()


def apply_at_random(library_path: Path, results: Path, ledger_path: Path, seed: int) -> None:
    """Do changes until killed, also by the end of who has started it."""
    choice = random.Random(seed)
    runs = sorted(path.name for path in results.iterdir())
    ledger = Ledger(ledger_path)
    with LocalLibrary.open(library_path) as library:
        while os.getppid() != 1:
            statuses = {run.sim_id for run in library.get_all_metadata()}
            change = change_at_random(choice, runs, statuses)
            ledger.begin(change)
            perform(library, change, results)
            ledger.confirm()


def warm_up() -> None:
    """Do everything once, so that all that is loaded late is loaded."""
    from torture.audit import audit

    with tempfile.TemporaryDirectory(prefix="torture-") as name:
        results, library = Path(name) / "results", Path(name) / "library"
        changes = [
            Change(run.name, ((verb, tag),))
            for run in write_runs(results, 2)
            for verb, tag in (("import", ""), ("tag", "a"), ("untag", "a"), ("delete", ""))
        ]
        changes.append(Change(changes[0].run, (("restore", ""),)))
        apply(library, changes, results, Path(name) / "ledger")
        audit(library)
