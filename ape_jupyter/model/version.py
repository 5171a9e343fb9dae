"""Which version of this package runs."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

__all__ = ["package_version"]


def package_version() -> str:
    """Return the version of the installed package, ``"0+source"`` when run from a checkout."""
    try:
        return version("ape-jupyter")
    except PackageNotFoundError:
        return "0+source"
