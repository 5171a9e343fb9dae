"""Ten thousand mutants of a run's Parquet files: each is refused or sound, and kills nobody.

``python -m tests.torture.hostile_files [NUMBER]`` prints what became of them, and ends with 1
when any mutant did more than that.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from ape_jupyter.demo.generator import RunSpec, write_results
from ape_jupyter.errors import InvalidResultsError
from ape_jupyter.library.isolation import prepare_isolated
from ape_jupyter.library.preparation import Request
from ape_jupyter.results.reading import RunFiles
from ape_jupyter.results.store import ObjectStore

TABLES = ("patients", "visits", "visits_with_costs", "daily_resource_usage")


def mutant(content: bytes, chance: random.Random) -> bytes:
    """Change bytes, numbers, or places of parts; half of the time in the footer."""
    changed = bytearray(content)
    start = chance.choice([4, max(4, len(content) - 1500)])
    for _ in range(chance.randint(1, 6)):
        position = chance.randrange(start, len(changed))
        match chance.randrange(4):
            case 0:
                changed[position] ^= 1 << chance.randrange(8)
            case 1:
                width = chance.choice([1, 2, 4, 8])
                changed[position : position + width] = chance.choice([b"\xff", b"\0"]) * width
            case 2:
                changed[position : position + chance.randint(1, 64)] = b""
            case 3:
                other = chance.randrange(4, len(content))
                changed[position:position] = content[other : other + chance.randint(1, 64)]
    return bytes(changed)


def main(number: int) -> int:
    """Try mutants and tell what became of them."""
    outcomes: Counter[str] = Counter()
    slowest = 0.0
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        spec = RunSpec(n_patients=25, with_costs=True, memorable_name="scratched-lens")
        run = write_results(place / "runs", spec)
        for part in ("objects", "staging"):
            (place / part).mkdir()
        store = ObjectStore(place / "objects", place / "staging")
        good = {table: (run / f"{table}.parquet").read_bytes() for table in TABLES}
        for seed in range(number):
            chance = random.Random(seed)  # the same mutants each time
            table = chance.choice(TABLES)
            path = run / f"{table}.parquet"
            path.write_bytes(mutant(good[table], chance))
            started = time.monotonic()
            with store.staged() as scratch:
                outcomes[outcome(run, store, scratch)] += 1
            slowest = max(slowest, time.monotonic() - started)
            path.write_bytes(good[table])
    for what, count in outcomes.most_common():
        print(f"{count:7,}  {what}")
    print(f"{number:,} mutants, the slowest took {slowest:.1f} s")
    return 0


def outcome(run: Path, store: ObjectStore, scratch: Path) -> str:
    """Return what became of a mutant; whatever is no refusal ends all."""
    files = RunFiles.of_directory(run)
    try:
        prepare_isolated(files, Request((), "me"), store, scratch, lambda _: None)
    except InvalidResultsError as error:
        problem = error.faults[0].problem
        if "process that reads it" in problem or "computing" in problem:
            return f"refused: {problem}"
        return "refused: faults"
    return "sound"


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
