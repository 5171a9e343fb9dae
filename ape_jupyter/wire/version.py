"""The version of the interface that both ends of a connection compare."""

from __future__ import annotations

__all__ = ["API_PATH", "API_VERSION"]

API_VERSION = 1
"""Grows when an older client can no longer talk to the server."""

API_PATH = f"ape-jupyter/api/v{API_VERSION}"
"""Below the server's base URL; without slashes at its ends."""
