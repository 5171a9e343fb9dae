"""Figures of comparisons, in Bokeh, for light and dark pages."""

from __future__ import annotations

from ape_jupyter.services.figures.curves import Curves
from ape_jupyter.services.figures.forest import forest_plot
from ape_jupyter.services.figures.states import stacked_states

__all__ = ["Curves", "forest_plot", "stacked_states"]
