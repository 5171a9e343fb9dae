"""Memory of four kernels with the same five runs of 100,000 patients, shared and as pandas copies.

``python -m benchmarks.kernels``: a real Jupyter server with the extension, kernels that it starts,
and in them what users write. What counts is the proportional share (PSS) of all kernels together,
over what they took when their imports were done; every byte of every column has been read. Needs
Linux.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
from jupyter_client.blocking.client import BlockingKernelClient

from ape_jupyter.demo.generator import RunSpec, write_results
from ape_jupyter.demo.protocols import FIXED_Q8W, TREAT_AND_EXTEND
from ape_jupyter.library.local import LocalLibrary
from ape_jupyter.testing.servers import RunningServer, running_server
from benchmarks.machine import machine_facts
from benchmarks.main_job import N_PATIENTS, ROOT, largest_real_run

N_KERNELS = 4
N_RUNS = 5
GOAL = 0.10
START_SECONDS = 120
WORK_SECONDS = 600

IMPORTS = "import numpy as np, pandas as pd, pyarrow as pa, pyarrow.parquet, ape_jupyter as ape"
SHARED = """
library = ape.connect()
runs = [library.load_simulation(run, load_data=True).load_results() for run in {names!r}]
n_bytes = 0
for run in runs:
    for table in (run.patients, run.visits):
        for column in table.columns:
            for buffer in (b for chunk in column.chunks for b in chunk.buffers() if b):
                n_bytes += len(buffer)
                np.frombuffer(buffer, np.uint8).max(initial=0)
"""
COPIED = """
from pathlib import Path
runs = [
    [pd.read_parquet(Path(run, name + ".parquet")) for name in ("patients", "visits")]
    for run in {paths!r}
]
n_bytes = sum(int(frame.memory_usage(deep=True).sum()) for run in runs for frame in run)
"""


def run_paths(scratch: Path) -> list[Path]:
    """Return the runs: the large real one where it is, and generated ones."""
    real = largest_real_run()
    runs = [real] if real is not None else []
    for seed in range(N_RUNS - len(runs)):
        spec = RunSpec(
            protocol=TREAT_AND_EXTEND if seed % 2 else FIXED_Q8W,
            n_patients=N_PATIENTS,
            duration_years=5,
            seed=seed,
            memorable_name=f"generated-{seed}",
        )
        runs.append(write_results(scratch / "results", spec))
    return runs


@contextmanager
def kernels(server: RunningServer) -> Iterator[list[BlockingKernelClient]]:
    """Start kernels as the browser does, and connect to them."""
    clients = []
    headers = {"Authorization": f"token {server.token}"}
    with httpx.Client(base_url=server.info.url, headers=headers, timeout=START_SECONDS) as http:
        started = []
        try:
            for _ in range(N_KERNELS):
                answer = http.post("api/kernels", json={"name": "python3"}).raise_for_status()
                started.append(answer.json()["id"])
                manager = server.app.kernel_manager.get_kernel(started[-1])
                client = BlockingKernelClient()
                client.load_connection_file(manager.connection_file)
                client.start_channels()
                wait_for(client)
                clients.append(client)
            yield clients
        finally:
            for client in clients:
                client.stop_channels()
            for kernel in started:
                http.delete(f"api/kernels/{kernel}")


def wait_for(client: BlockingKernelClient) -> None:
    """Wait until a kernel answers."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            client.wait_for_ready(timeout=START_SECONDS)
        except RuntimeError:
            # A kernel that is still starting has no heartbeat, and counts as dead.
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)
        else:
            return


def answer_of(client: BlockingKernelClient, code: str, expression: str) -> int:
    """Run code in a kernel and return the value of an expression."""
    reply = client.execute_interactive(
        code,
        user_expressions={"asked": expression},
        timeout=WORK_SECONDS,
        output_hook=lambda _: None,
    )["content"]
    if reply["status"] != "ok":
        raise RuntimeError("\n".join(reply["traceback"]))
    return int(reply["user_expressions"]["asked"]["data"]["text/plain"])


def memory_mb(pids: Sequence[int]) -> dict[str, float]:
    """Return proportional and private memory of processes together."""
    total = {"Pss": 0, "Private": 0}
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            name, _, rest = line.partition(":")
            if name in ("Pss", "Private_Clean", "Private_Dirty"):
                total[name.partition("_")[0]] += int(rest.split()[0])
    return {name: kibibytes * 1024 / 1e6 for name, kibibytes in total.items()}


def measure(server: RunningServer, code: str) -> dict[str, float]:
    """Return what the kernels take for the work of ``code``, over their imports."""
    with kernels(server) as clients:
        pids = [answer_of(client, f"import os; {IMPORTS}", "os.getpid()") for client in clients]
        before = memory_mb(pids)
        n_bytes = [answer_of(client, code, "n_bytes") for client in clients]
        after = memory_mb(pids)
    taken = {name: after[name] - before[name] for name in before}
    return {**taken, "imports": before["Pss"], "held": sum(n_bytes) / 1e6}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kernels", description=__doc__)
    parser.add_argument("--json", type=Path, help="write the measurements to this file, too")
    arguments = parser.parse_args()
    # Kernels inherit it: the code of this directory is measured, not what is installed.
    os.environ["PYTHONPATH"] = os.fspath(ROOT)
    with tempfile.TemporaryDirectory(prefix="ape-kernels-") as name:
        scratch = Path(name)
        for fact, value in machine_facts(scratch).items():
            print(f"{fact + ':':13} {value}")
        paths = run_paths(scratch)
        with LocalLibrary.open(scratch / "library") as library:
            runs = [library.import_results(path)[0] for path in paths]
        visits = sum(run.n_visits for run in runs)
        print(f"runs:         {len(runs)}, together {visits:,} visits; kernels: {N_KERNELS}\n")
        with running_server(scratch / "server", scratch / "library") as server:
            shared = measure(server, SHARED.format(names=[run.sim_id for run in runs]))
            copied = measure(server, COPIED.format(paths=[os.fspath(path) for path in paths]))
    print("| | PSS of the kernels, MB | of it private, MB | for imports before, MB |")
    print("|---|---:|---:|---:|")
    for what, taken in (("ape-jupyter", shared), ("pandas.read_parquet", copied)):
        print(
            f"| {what} | {taken['Pss']:,.0f} | {taken['Private']:,.0f} | {taken['imports']:,.0f} |"
        )
    share = shared["Pss"] / copied["Pss"]
    print(f"\nshare: {share:.1%}, goal at most {GOAL:.0%}: {'met' if share <= GOAL else 'NOT MET'}")
    if arguments.json:
        document = {"shared": shared, "copied": copied, "share": share}
        arguments.json.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
