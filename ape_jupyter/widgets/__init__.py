"""Notebook components: anywidget models whose view is the labextension's own components."""

from __future__ import annotations

from ape_jupyter.widgets.comparison import ComparisonOverlay

__all__ = ["ComparisonOverlay"]
