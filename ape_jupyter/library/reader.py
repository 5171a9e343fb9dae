"""The process that reads what users bring, and that may crash of it.

A file made to crash its reader, or to fill the memory, ends this process, and neither the
server nor the notebook that asked.

``python -m ape_jupyter.library.reader`` takes orders on its standard input. Where the system
can, each is carried out in a fork, which costs milliseconds and leaves nothing of one run to
the next; elsewhere the process ends with its first order.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import select
import signal
import sys
from pathlib import Path
from typing import IO, Any

from ape_jupyter.cache.mapped import write_table
from ape_jupyter.errors import ApeError, Fault, InvalidResultsError
from ape_jupyter.library.orders import Order, failed, prepared, receive, send
from ape_jupyter.library.preparation import KnownRun, prepare_run
from ape_jupyter.results.durable import reporting_full_disk

try:
    import resource
except ImportError:  # Windows
    HAS_LIMITS = False
else:
    HAS_LIMITS = True

__all__ = ["SUMMARY_FILE", "main"]

SUMMARY_FILE = "summary.arrow"
# Frameworks of macOS do not survive a fork.
_FORKS = sys.platform.startswith("linux")
_IDLE_SECONDS = 60


def main() -> None:
    """Carry out orders until there are no more for a while."""
    answers = os.fdopen(os.dup(1), "wb")
    # What a library prints must not get between the answers.
    os.dup2(2, 1)
    orders = sys.stdin.buffer
    if _FORKS:
        # Arrow loads these when it first needs them, which would be in every fork.
        for name in ("pandas", "pyarrow.pandas_compat"):
            importlib.import_module(name)
    while _is_ordered():
        message = receive(orders)
        if message is None:
            return
        if not _FORKS:
            _carry_out(message, orders, answers)
            return
        child = os.fork()
        if child == 0:
            try:
                _carry_out(message, orders, answers)
                os._exit(0)
            finally:
                os._exit(1)
        _, status = os.waitpid(child, 0)
        send(answers, {"ended": os.waitstatus_to_exitcode(status)})


def _is_ordered() -> bool:
    return not _FORKS or bool(select.select([0], [], [], _IDLE_SECONDS)[0])


def _carry_out(message: dict[str, Any], orders: IO[bytes], answers: IO[bytes]) -> None:
    order = Order.from_json(message)
    _limit(order)
    _tell_files(order, answers)

    def look_up(sim_id: str) -> KnownRun | None:
        send(answers, {"look_up": sim_id})
        known = (receive(orders) or {})["known"]
        return None if known is None else KnownRun(**known)

    def on_rows(done: int, total: int) -> None:
        send(answers, {"rows": [done, total]})

    try:
        with reporting_full_disk(order.store.directory):
            run = prepare_run(
                order.files, order.request, order.store, order.scratch, look_up, on_rows
            )
            if run.new is not None:
                write_table(run.new.summary, order.scratch / SUMMARY_FILE)
        send(answers, {"prepared": prepared(run)})
    except MemoryError:
        fault = Fault(order.files.label, "takes more memory to read than results can")
        send(answers, {"failed": failed(InvalidResultsError(order.files.label, [fault]))})
    except ApeError as error:
        send(answers, {"failed": failed(error)})
    except PermissionError as error:
        send(answers, {"denied": [error.errno, error.strerror, str(error.filename)]})


def _limit(order: Order) -> None:
    # Where memory runs out all the same, this process is the one to go.
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    if not HAS_LIMITS:
        return
    for which, limit in (
        ("RLIMIT_AS", order.memory_bytes),
        ("RLIMIT_CPU", order.cpu_seconds),
        ("RLIMIT_CORE", 0),
    ):
        # A stricter limit that this process was started with stays; some systems have no such
        # limit, or refuse it.
        with contextlib.suppress(AttributeError, ValueError, OSError):
            kind = getattr(resource, which)
            _, hard = resource.getrlimit(kind)
            soft = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
            resource.setrlimit(kind, (soft, hard))


def _tell_files(order: Order, answers: IO[bytes]) -> None:
    """Tell which table is being read, so that it can be named when this process dies of it."""
    paths = (Path(str(path)) for path in order.files.tables.values())
    tables = {str(path): path.name for path in paths}

    def hear(event: str, arguments: tuple[Any, ...]) -> None:
        if event != "open":
            return
        path = str(arguments[0])
        # A part file is named by its dataset.
        if name := tables.get(path) or tables.get(os.path.dirname(path)):  # noqa: PTH120
            send(answers, {"file": name})

    sys.addaudithook(hear)


if __name__ == "__main__":
    # Ctrl-C is for who asked; it ends this process when it wants to.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(BrokenPipeError):
        main()
