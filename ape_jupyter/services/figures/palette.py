"""Colours that mean one thing in all figures, and that colour-blind readers can tell apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from zlib import crc32

__all__ = ["INK", "RUN_COLOURS", "RunStyle", "run_styles", "state_colours"]

# Okabe and Ito's palette without its yellow and black, of its two blues one that also shows on
# dark pages, and a grey.
RUN_COLOURS = ("#1F83C9", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#8A8A8A")
DASHES = ("solid", "dashed", "dotdash", "dotted")
INK = {False: ("#1f1f1f", "#e3e3e3"), True: ("#e6e6e6", "#333333")}
"""Text and grid, on light and on dark pages."""

# Bad states are warm, good ones cool. Kept treatment goes from dark to light as its intervals
# grow, gaps are warm, and that nothing happens any more is grey.
_STATE_COLOURS = {
    "NAIVE": "#B8B8B8",
    "STABLE": "#1F83C9",
    "ACTIVE": "#F2B84B",
    "HIGHLY_ACTIVE": "#D55E00",
    "intensive": "#0B4F85",
    "regular": "#1F83C9",
    "extended": "#69B3E7",
    "maximum": "#B5DAF5",
    "gap": "#F7CE85",
    "extended_gap": "#E69F00",
    "long_gap": "#B85000",
    "no_further_visits": "#B8B8B8",
}


@dataclass(frozen=True, slots=True)
class RunStyle:
    """How the curve of a run looks."""

    colour: str
    dash: str


def run_styles(sim_ids: Sequence[str]) -> dict[str, RunStyle]:
    """Return the style of each run, which follows from its id.

    A run whose colour is taken by one before it gets the next that is free, so that runs added
    at the end change the colour of none. When all colours are taken, lines are dashed.
    """
    n = len(RUN_COLOURS)
    taken: set[int] = set()
    styles = {}
    for sim_id in sim_ids:
        wanted = crc32(sim_id.encode()) % n
        slot = next(
            slot for slot in ((wanted + k) % n + n * (k // n) for k in count()) if slot not in taken
        )
        taken.add(slot)
        styles[sim_id] = RunStyle(RUN_COLOURS[slot % n], DASHES[slot // n % len(DASHES)])
    return styles


def state_colours(states: Iterable[str]) -> dict[str, str]:
    """Return the colour of each state."""
    return {
        state: _STATE_COLOURS.get(state, RUN_COLOURS[i % len(RUN_COLOURS)])
        for i, state in enumerate(states)
    }
