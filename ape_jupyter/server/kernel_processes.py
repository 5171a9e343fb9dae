"""The processes of this server's kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_server.services.kernels.kernelmanager import MappingKernelManager

__all__ = ["kernel_pids"]


def kernel_pids(kernels: MappingKernelManager) -> dict[str, int]:
    """Return the process ids by kernel id; kernels on other machines have none here."""
    found = {}
    for kernel_id in kernels.list_kernel_ids():
        provisioner = getattr(kernels.get_kernel(kernel_id), "provisioner", None)
        pid = getattr(provisioner, "pid", None)
        if isinstance(pid, int) and pid > 0:
            found[kernel_id] = pid
    return found
