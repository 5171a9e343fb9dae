"""What a comparison takes from the patients of one run, where summaries do not have it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from ape_jupyter.model.comparison import ComparisonRequest, MissingMetric, PatientGrouping
from ape_jupyter.results.summary import Summary
from ape_jupyter.services.compare.cost_effectiveness import cost_and_effect
from ape_jupyter.services.compare.inference.cost_effectiveness import JointMoments
from ape_jupyter.services.compare.patients import PatientOutcomes, patient_outcomes
from ape_jupyter.services.compare.runs import ComparedRun
from ape_jupyter.services.compare.selection import chosen_patients, summary_of_patients
from ape_jupyter.services.compare.subgroups import Population, grouped

__all__ = ["RunParts", "missing_parts", "parts_of_run", "populations", "values_of_column"]

Levels = Mapping[PatientGrouping, Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunParts:
    """Of the patients of one run.

    Attributes
    ----------
    summary : Summary or None
        Of those chosen; None when all are.
    joint : JointMoments or None
        Of cost and letters of those chosen.
    outcomes : PatientOutcomes or None
        Of all patients, when pairs are to be tested.
    subgroups : mapping
        Summary and joint moments by column and subgroup, of those that have patients.
    """

    summary: Summary | None = None
    joint: JointMoments | None = None
    outcomes: PatientOutcomes | None = None
    subgroups: Mapping[tuple[str, str], tuple[Summary, JointMoments | None]] = field(
        default_factory=dict
    )


def values_of_column(patients: pa.Table, name: str) -> pa.ChunkedArray | None:
    """Return the different values of a column; None where there is no value at all."""
    if name not in patients.column_names:
        return None
    values = pc.unique(patients[name])
    return None if values.null_count == len(values) else pa.chunked_array([values])


def parts_of_run(
    request: ComparisonRequest,
    levels: Levels,
    tables: Mapping[str, pa.Table],
    start_date: datetime,
    duration_years: float,
    tell: Callable[[str], None],
) -> RunParts:
    """Read what the request needs of a run's patients, and no other columns.

    Parameters
    ----------
    levels : mapping
        The subgroups of each grouping.
    tables : mapping
        ``patients``, ``visits`` and, where there are any, ``costs``; in canonical form.
    tell : callable
        Called before each subgroup. What it raises ends the reading.

    Raises
    ------
    InvalidArgumentError
        If the patients lack a column that they are to be chosen by.
    """
    patients = tables["patients"]
    chosen = chosen_patients(request.patients, patients)
    outcomes = None
    if request.paired or request.cost_effectiveness:
        outcomes = patient_outcomes(patients, tables["visits"], tables.get("costs"))
    weighed = outcomes if request.cost_effectiveness else None
    subgroups = {}
    for grouping, own_levels in levels.items():
        if values_of_column(patients, grouping.column) is None:
            continue
        for level, within in grouped(grouping, own_levels, patients[grouping.column]):
            part = chosen & within
            if part.any():
                tell(f"{grouping.column} {level}")
                summary = summary_of_patients(part, tables, start_date, duration_years)
                joint = None if weighed is None else cost_and_effect(weighed, part)
                subgroups[grouping.column, level] = summary, joint
    summary_of_chosen = None
    if request.patients:
        summary_of_chosen = summary_of_patients(chosen, tables, start_date, duration_years)
    return RunParts(
        summary=summary_of_chosen,
        joint=None if weighed is None else cost_and_effect(weighed, chosen),
        outcomes=outcomes if request.paired else None,
        subgroups=subgroups,
    )


def populations(
    levels: Levels, runs: Sequence[ComparedRun], parts: Mapping[str, RunParts]
) -> Iterator[Population]:
    """Yield the subgroups in order, each with the runs that have patients in it."""
    for grouping, own_levels in levels.items():
        for level in own_levels:
            own = []
            for run in runs:
                found = parts[run.sim_id].subgroups.get((grouping.column, level))
                if found is not None:
                    own.append(replace(run, summary=found[0], joint=found[1]))
            if own:
                yield Population(by=grouping.column, subgroup=level, runs=tuple(own))


def missing_parts(
    request: ComparisonRequest, levels: Levels, parts: Mapping[str, RunParts]
) -> Iterator[MissingMetric]:
    """Yield the runs that have no patients in a subgroup, and why."""
    for grouping, own_levels in levels.items():
        by = grouping.column
        for sim_id, own in parts.items():
            lacking = [level for level in own_levels if (by, level) not in own.subgroups]
            if not lacking:
                continue
            reason = f"none of its patients has {by} {' or '.join(lacking)}"
            if len(lacking) == len(own_levels):
                reason = f"its patients have no {by}"
            for metric in request.metrics:
                yield MissingMetric(sim_id=sim_id, metric=metric, reason=reason, by=by)
