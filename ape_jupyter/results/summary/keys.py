"""By what the tables of a summary are found."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from ape_jupyter.model.comparison import TimeAlignment

__all__ = ["Kind", "Method", "TableKey"]


class Kind(StrEnum):
    """What a table holds for each bin.

    ``SKETCH`` is a count table too, whose values are positions in
    :class:`~ape_jupyter.results.summary.sketch.LogBuckets`.
    """

    COUNTS = "counts"
    MOMENTS = "moments"
    SKETCH = "sketch"


class Method(StrEnum):
    """Which values count in a bin.

    ``OBSERVED``: those of the visits in the bin. ``LOCF``: of each patient in follow-up the last
    observed one. ``ENDED``: of each patient whose follow-up ends in the bin the last one; needed
    only to join bins of ``LOCF`` to coarser ones. ``WITHOUT_VISITS``: of patients that have no
    visit at all, where these are kept apart.
    """

    OBSERVED = "observed"
    LOCF = "locf"
    ENDED = "ended"
    WITHOUT_VISITS = "without_visits"


class TableKey(NamedTuple):
    """A table's place in a summary."""

    kind: Kind
    metric: str
    method: Method
    alignment: TimeAlignment
