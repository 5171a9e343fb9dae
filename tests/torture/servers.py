"""Two Jupyter servers with five kernels, all on one library."""

from __future__ import annotations

import json
import os
import queue
import secrets
import subprocess
import tempfile
import time
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from torture import forks
from torture.actions import write_runs
from torture.audit import audit
from torture.table import Row

__all__ = ["servers"]

KERNELS = (3, 2)
_START_SECONDS = 180
_PROGRAM = """
import ape_jupyter as ape
library = ape.connect()
for number in range({n}):
    library.add_tag({run!r}, "kernel {kernel} " + str(number))
    if number % 3 == 0:
        library.remove_tag({run!r}, "kernel {kernel} " + str(number))
    assert library.load_simulation({run!r}).load_results().visits.num_rows == {n_visits}
print(type(library).__name__, library.location, "done")
"""


def servers(n_operations: int) -> list[Row]:
    """Let each of five kernels of two servers tag one run, and open it, many times."""
    wrong: list[str] = []
    with tempfile.TemporaryDirectory(prefix="torture-") as name, ExitStack() as stack:
        folder = Path(name)
        library = folder / "library"
        run, n_visits = forks.call(partial(_prepared, folder, library))
        running = [
            stack.enter_context(_Server(folder / f"server-{number}", library))
            for number in range(len(KERNELS))
        ]
        talks = []
        for server, n_kernels in zip(running, KERNELS, strict=True):
            for _ in range(n_kernels):
                kernel = server.start_kernel()
                stack.callback(kernel.stop_channels)
                program = _PROGRAM.format(
                    n=n_operations, run=run, kernel=len(talks), n_visits=n_visits
                )
                talks.append((server, kernel, kernel.execute(program)))
        for server, kernel, message in talks:
            printed = _output(kernel, message)
            own = f"RemoteLibrary http://127.0.0.1:{httpx.URL(server.url).port}/ done"
            if printed.strip() != own:
                wrong.append(f"a kernel of {server.url} ended with: {printed}")
        revisions = {server.health()["library"]["revision"] for server in running}
        wrong += [f"the servers see revisions {revisions}"] * (len(revisions) != 1)
        found = forks.call(partial(audit, library))
        wrong += found["wrong"]
        expected = {
            f"kernel {kernel} {number}"
            for kernel in range(sum(KERNELS))
            for number in range(n_operations)
            if number % 3
        }
        lost = expected ^ set(found["runs"][run]["tags"])
        wrong += [f"{len(lost)} changes were lost: {sorted(lost)[:5]}"] * bool(lost)
    return [
        Row(
            "two servers and five kernels on one library",
            f"{sum(KERNELS) * n_operations} rounds of tagging and opening",
            "both servers at one revision",
            tuple(wrong),
        )
    ]


def _prepared(folder: Path, library: Path) -> tuple[str, int]:
    from ape_jupyter.library.local import LocalLibrary

    (path,) = write_runs(folder / "results", 1)
    with LocalLibrary.open(library) as opened:
        (run,) = opened.import_results(path)
        return run.sim_id, run.n_visits


class _Server:
    """A Jupyter server in a process of its own."""

    def __init__(self, home: Path, library: Path) -> None:
        self.url = ""
        self._home = home
        self._token = secrets.token_hex(16)
        home.mkdir()
        self._environment = {
            **os.environ,
            **{f"JUPYTER_{kind}_DIR": str(home / kind) for kind in ("CONFIG", "DATA", "RUNTIME")},
            "JUPYTER_TOKEN": self._token,
        }
        self._environment.pop("APE_JUPYTER_LIBRARY", None)
        self._command = [
            *(forks.PYTHON, "-m", "jupyter_server", "--allow-root", "--no-browser"),
            *("--ServerApp.port=0", f"--ServerApp.root_dir={home}"),
            "--ServerApp.jpserver_extensions={'ape_jupyter': True}",
            f"--ApeJupyterApp.library={library}",
        ]

    def __enter__(self) -> _Server:
        log = (self._home / "log").open("wb")
        self._process = subprocess.Popen(
            self._command, env=self._environment, stdout=log, stderr=log
        )
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            for path in (self._home / "RUNTIME").glob("jpserver-*.json"):
                self.url = json.loads(path.read_text())["url"]
                try:
                    self.health()
                except httpx.HTTPError:
                    break
                return self
            time.sleep(0.2)
        raise RuntimeError((self._home / "log").read_text())

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.wait()

    def _ask(self, method: str, path: str, **options: Any) -> Any:
        headers = {"Authorization": f"token {self._token}"}
        answer = httpx.request(method, self.url + path, headers=headers, timeout=60, **options)
        return answer.raise_for_status().json()

    def health(self) -> Any:
        return self._ask("GET", "ape-jupyter/api/v1/health")

    def start_kernel(self) -> Any:
        from jupyter_client import BlockingKernelClient

        kernel_id = self._ask("POST", "api/kernels", json={"name": "python3"})["id"]
        client = BlockingKernelClient()
        client.load_connection_file(str(self._home / "RUNTIME" / f"kernel-{kernel_id}.json"))
        client.start_channels()
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            # The client's own waiting takes a kernel on a busy machine for a dead one.
            client.kernel_info()
            with suppress(queue.Empty):
                client.get_shell_msg(timeout=5)
                return client
        raise RuntimeError(f"A kernel of {self.url} does not answer.")


def _output(kernel: Any, message: str) -> str:
    printed = []
    while True:
        reply = kernel.get_iopub_msg(timeout=600)
        if reply["parent_header"].get("msg_id") != message:
            continue
        content = reply["content"]
        if reply["msg_type"] == "stream":
            printed.append(content["text"])
        elif reply["msg_type"] == "error":
            printed.append("\n".join(content["traceback"]))
        elif reply["msg_type"] == "status" and content["execution_state"] == "idle":
            return "".join(printed)
