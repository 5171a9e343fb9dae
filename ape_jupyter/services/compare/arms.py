"""Runs that are equal but for their seed, pooled into one arm."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ape_jupyter.results.summary import Summary
from ape_jupyter.services.compare.inference.cost_effectiveness import JointMoments
from ape_jupyter.services.compare.inference.distributions import Numbers
from ape_jupyter.services.compare.inference.intervals import t_interval
from ape_jupyter.services.compare.measured.measured import Columns, Measured
from ape_jupyter.services.compare.runs import ComparedRun

__all__ = ["between_replicates", "pooled"]

MIN_REPLICATES = 2


def pooled(runs: Sequence[ComparedRun]) -> list[ComparedRun]:
    """Return arms, each under the id of its first run, and as they are the runs without replicates.

    Replicates have the same design and different seeds: a run that repeats a seed brings no new
    patients, and one without a seed may be such a run.
    """
    arms: dict[object, dict[object, ComparedRun]] = defaultdict(dict)
    for run in runs:
        is_alone = run.design is None or run.seed is None
        design: object = run.sim_id if is_alone else (run.design, run.currency)
        if run.seed in arms[design]:
            arms[run.sim_id, "repeated"][run.seed] = run
        else:
            arms[design][run.seed] = run
    return [_arm([*members.values()]) for members in arms.values()]


def _arm(members: Sequence[ComparedRun]) -> ComparedRun:
    first = members[0]
    if len(members) < MIN_REPLICATES:
        return first
    joint = [run.joint for run in members if run.joint is not None]
    return replace(
        first,
        summary=Summary.total(run.summary for run in members),
        joint=JointMoments.total(joint) if len(joint) == len(members) else None,
        start_date=min((run.start_date for run in members), key=lambda date: date.timestamp()),
        replicates=tuple(members),
    )


def between_replicates(own: Measured, replicates: Sequence[Measured], confidence: float) -> Columns:
    """Return the estimates of an arm, with the interval of the mean over its replicates.

    Each replicate counts as one observation, so that the interval is that of a new run, and not of
    more patients in these. Where fewer than two have anything it is NaN.
    """
    estimates = dict(own.estimates(confidence))
    means = np.full((len(replicates), len(own.keys)), np.nan)
    for row, replicate in enumerate(replicates):
        _, here, there = np.intersect1d(own.keys, replicate.keys, return_indices=True)
        means[row, here] = replicate.estimates(confidence)["mean"][there]
    n = (~np.isnan(means)).sum(axis=0)
    some = np.maximum(n, 1)
    centre = np.nansum(means, axis=0) / some
    squares: Numbers = np.nansum((means - centre) ** 2, axis=0)
    sd = np.sqrt(np.where(n >= MIN_REPLICATES, squares / np.maximum(n - 1, 1), np.nan))
    low, high = t_interval(centre, sd, some, confidence)
    return estimates | {"ci_low": low, "ci_high": high}
