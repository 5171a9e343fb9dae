"""What can be drawn of a comparison."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["FigureKind"]


class FigureKind(StrEnum):
    """A kind of figure.

    ``OVERLAY``: means with confidence bands in one axis. ``PERCENTILES``: medians with the middle
    half and, of a few runs, the middle 80 %. ``BOXES``: the same at points of time.
    ``SIDE_BY_SIDE``: a panel for each run. ``SMALL_MULTIPLES``: a panel for each metric.
    ``DIFFERENCE``: run − reference. ``FOREST``: effect sizes. ``SURVIVAL``: Kaplan–Meier curves
    with the numbers at risk. ``STATES``: areas that add up to all patients.
    ``COST_EFFECTIVENESS``: the plane of letters gained and what they cost more.
    """

    OVERLAY = "overlay"
    PERCENTILES = "percentiles"
    BOXES = "boxes"
    SIDE_BY_SIDE = "side_by_side"
    SMALL_MULTIPLES = "small_multiples"
    DIFFERENCE = "difference"
    FOREST = "forest"
    SURVIVAL = "survival"
    STATES = "states"
    COST_EFFECTIVENESS = "cost_effectiveness"
