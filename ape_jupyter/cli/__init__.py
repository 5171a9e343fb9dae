"""The command line: thin commands over the library."""

from __future__ import annotations

from ape_jupyter.cli.main import main

__all__ = ["main"]
