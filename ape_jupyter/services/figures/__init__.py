"""Figures of comparisons, in Bokeh, for light and dark pages."""

from __future__ import annotations

from ape_jupyter.services.figures.boxes import box_plot
from ape_jupyter.services.figures.curves import Curves
from ape_jupyter.services.figures.forest import forest_plot
from ape_jupyter.services.figures.plane import cost_effectiveness_plane
from ape_jupyter.services.figures.sheet import OutputBackend, Sheet
from ape_jupyter.services.figures.states import stacked_states
from ape_jupyter.services.figures.survival import survival_figure

__all__ = [
    "Curves",
    "OutputBackend",
    "Sheet",
    "box_plot",
    "cost_effectiveness_plane",
    "forest_plot",
    "stacked_states",
    "survival_figure",
]
