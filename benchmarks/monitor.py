"""What it costs to observe, in processor time. ``python -m benchmarks.monitor``."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from ape_jupyter.model.performance import Operation
from ape_jupyter.services.monitor.measurements import MAX_RUNS
from ape_jupyter.services.monitor.monitor import PerformanceMonitor

from .machine import machine_facts

OBSERVATIONS = 20_000
ROUNDS = 9


def microseconds_each(observe: Callable[[int], object], times: int) -> float:
    rounds = []
    for _ in range(ROUNDS):
        started = time.process_time()
        for number in range(times):
            observe(number)
        rounds.append((time.process_time() - started) / times * 1e6)
    return median(rounds)


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "performance.json"
        monitor = PerformanceMonitor(path)
        seconds = [10 ** (-6 + 8 * number / OBSERVATIONS) for number in range(OBSERVATIONS)]
        sim_ids = [f"sim_20260101_000000_02-00_{number:04d}" for number in range(MAX_RUNS)]

        def observe(number: int) -> None:
            monitor.observe(Operation.SEARCH, seconds[number])

        def open_warm(number: int) -> None:
            monitor.opened(sim_ids[number % MAX_RUNS], seconds[number], warm=True)

        def write(_: int) -> None:
            monitor.observe(Operation.SEARCH, 0.001)
            monitor.write()

        found = {
            "observe, µs": microseconds_each(observe, OBSERVATIONS),
            "open, µs": microseconds_each(open_warm, OBSERVATIONS),
            "add to a file with all runs, ms": microseconds_each(write, 20) / 1000,
            "what Prometheus asks for, ms": microseconds_each(lambda _: monitor.known(), 20) / 1000,
        }
        monitor.close()
        figures = {name: round(value, 2) for name, value in found.items()}
        figures["file, kB"] = round(path.stat().st_size / 1000, 1)
        print(json.dumps({"machine": machine_facts(Path(directory)), "found": figures}, indent=2))


if __name__ == "__main__":
    main()
