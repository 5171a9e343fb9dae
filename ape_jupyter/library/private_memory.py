"""Giving back the memory that a process has for itself and no longer needs."""

from __future__ import annotations

import ctypes
import gc
import os
import sys

import pyarrow as pa

from ape_jupyter.cache.pages import process_pages

__all__ = ["release_private_memory"]

MB = 10**6


def release_private_memory() -> float | None:
    """Forget the outputs that the notebook keeps, and return the MB that this freed.

    A DataFrame that was the last value of a cell stays in IPython's ``Out`` and ``_`` until
    the kernel ends. Variables are the user's own and stay. None where the system does not
    tell what a process has for itself.
    """
    before = process_pages(os.getpid())
    _forget_outputs()
    gc.collect()
    pa.default_memory_pool().release_unused()
    _trim_heap()
    after = process_pages(os.getpid())
    if before is None or after is None or before.private is None or after.private is None:
        return None
    return max(before.private - after.private, 0) / MB


def _forget_outputs() -> None:
    # Only a process that has loaded IPython can be a notebook's.
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    if shell is None:
        return
    if shell.displayhook.do_full_cache:
        shell.displayhook.flush()
        # It leaves these in the namespace of what %who does not show.
        shell.push(dict.fromkeys(("_", "__", "___"), ""), interactive=False)
    shell.last_execution_result = None


def _trim_heap() -> None:
    # glibc keeps freed memory for later; others have no such call, and need none.
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
