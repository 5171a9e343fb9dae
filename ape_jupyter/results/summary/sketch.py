"""A quantile sketch that adds up: counts in buckets that grow by a constant factor.

As in DDSketch (Masson, Rim and Lee, PVLDB 12, 2019): every amount in a bucket lies within
``ACCURACY`` of the bucket's estimate, so that each quantile does too, and adding the counts of
two sketches gives exactly the sketch of both.
"""

from __future__ import annotations

import math

import numpy as np

from ape_jupyter.results.summary.axis import Ints
from ape_jupyter.results.summary.moments import Floats

__all__ = ["ACCURACY", "bucket_estimates", "buckets"]

ACCURACY = 0.02
"""Largest relative error of an amount taken from its bucket."""

_LOG_GROWTH = math.log((1 + ACCURACY) / (1 - ACCURACY))
_MAX_BUCKET = 2_000


def buckets(amounts: Floats) -> Ints:
    """Return the bucket of each amount, in the run's currency unit.

    Bucket 0 holds 0 and less, bucket 1 all that is more, up to one unit.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        position = np.ceil(np.log(np.maximum(amounts, 1.0)) / _LOG_GROWTH) + 1
    return np.where(amounts > 0, np.minimum(position, _MAX_BUCKET), 0).astype(np.int64)


def bucket_estimates(positions: Ints) -> Floats:
    """Return the amount that stands for each bucket."""
    upper = np.exp((positions - 1) * _LOG_GROWTH)
    return np.where(positions > 0, upper * (1 - ACCURACY), 0.0)
