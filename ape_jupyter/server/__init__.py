"""The Jupyter server extension: the library over HTTP, for browsers and kernels."""

from __future__ import annotations

from typing import Any

__all__ = ["extension_points"]


def extension_points() -> list[dict[str, Any]]:
    """Tell Jupyter Server where the extension is."""
    from ape_jupyter.server.app import ApeJupyterApp

    return [{"module": "ape_jupyter.server.app", "app": ApeJupyterApp}]
