"""Runs the parts and prints their table; the exit status tells whether all went well."""

from __future__ import annotations

import argparse
import json
import sys
import time

from ape_jupyter.cache.seals import _version as package_version_of_seals
from ape_jupyter.services.migrate.service import metadata_migrations
from torture import forks
from torture.actions import warm_up
from torture.clients import clients, postgresql_restarts
from torture.clock import clock
from torture.kills import kills
from torture.servers import servers
from torture.syscalls import crashes, errors, sample

# The full number of rounds, times a share of it.
PARTS = {
    "kills": lambda scale: kills(max(4, round(200 * scale))),
    "crashes": lambda scale: crashes(round(1 / scale)),
    "errors": lambda scale: errors(round(1 / scale)),
    "clients": lambda scale: clients(round(1000 * scale)),
    "sample": lambda _: sample(),
    "clock": lambda _: clock(),
    "postgresql": lambda scale: postgresql_restarts(round(1000 * scale)),
    # Last: it leaves threads behind, and forks need a process without any.
    "servers": lambda scale: servers(round(200 * scale)),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m torture", description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"some of: {', '.join(PARTS)}; default: all")
    parser.add_argument(
        "--scale", type=float, default=1.0, help="share of the full number of rounds, 0 to 1"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object per row")
    options = parser.parse_args()
    unknown = set(options.parts) - set(PARTS)
    if unknown:
        parser.error(f"no part is named {', '.join(sorted(unknown))}")
    # As in Python inside another program: runs are then read in the process that is killed or
    # traced, and not in one of its own, so that every system call can be reached.
    sys.executable = ""
    forks.load_modules_of(warm_up)
    # Both look through all installed packages, once in each process.
    package_version_of_seals()
    metadata_migrations()
    n_wrong = 0
    for name in options.parts or [part for part in PARTS if part != "sample"]:
        started = time.monotonic()
        for row in PARTS[name](options.scale):
            n_wrong += len(row.wrong)
            print(json.dumps({"part": name, **vars(row)}) if options.json else row, flush=True)
            for line in row.wrong[:20]:
                print(f"  {line}", file=sys.stderr)
        print(f"{name}: {time.monotonic() - started:.0f} s", file=sys.stderr)
    sys.exit(bool(n_wrong))


main()
