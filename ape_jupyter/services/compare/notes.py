"""What a reader should know of how the numbers of a comparison were made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from ape_jupyter.model.comparison import (
    ComparisonRequest,
    ComparisonType,
    Observations,
    PatientCriterion,
    TimeAlignment,
)
from ape_jupyter.services.compare.runs import ComparedRun

__all__ = ["notes_on_arms", "notes_on_method", "notes_on_subgroups"]


def notes_on_arms(arms: Sequence[ComparedRun]) -> Iterator[str]:
    """Name the runs that were pooled."""
    for arm in arms:
        if arm.replicates:
            members = ", ".join(run.sim_id for run in arm.replicates)
            yield (
                f"{arm.sim_id} stands for an arm of {len(arm.replicates)} replicates ({members}): "
                "its curves have the interval of the mean between replicates, differences and "
                "tests take all of their patients together."
            )


def notes_on_method(request: ComparisonRequest, runs: Mapping[str, ComparedRun]) -> Iterator[str]:
    """Say who is counted, and what the runs do not have in common."""
    if request.observations is Observations.OBSERVED:
        yield (
            "Observed values are counted by visit: intervals treat the visits of a patient as "
            "independent, and who stays away is not seen. Injections, visits and costs so far are "
            "of all patients in follow-up."
        )
    if request.patients:
        yield f"Compared are the patients with {' and '.join(map(_criterion, request.patients))}."
    lengths = [run.duration_days for run in runs.values()]
    if request.comparison_type is ComparisonType.STATISTICAL and max(lengths) - min(lengths) > 1:
        yield (
            "The runs are of different length: at the end, patients count as last seen after "
            "different times."
        )
    if "persistence" in request.metrics:
        yield "Persistence is that of patients who came to a visit; every discontinuation counts."
    if request.cost_effectiveness:
        yield (
            "Costs are set against letters gained of patients who came to a visit, from enrolment "
            "until last seen, without discounting."
        )
    if request.time_alignment is TimeAlignment.ABSOLUTE:
        reference = runs[request.reference]
        for sim_id, run in runs.items():
            if not _overlap(reference, run):
                yield (
                    f"{sim_id} ({_period(run)}) and {request.reference} ({_period(reference)}) "
                    "share no calendar time."
                )


def notes_on_subgroups(
    request: ComparisonRequest, tests: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    """Say how many tests subgroups make, as nearly every family of many has a small p-value."""
    n_more = sum(bool(test["by"]) for test in tests)
    if n_more:
        columns = " and ".join(grouping.column for grouping in request.subgroups)
        yield (
            f"Of the {len(tests)} tests, {n_more} are of subgroups by {columns}; adjusted p-values "
            "are over all of them. That subgroups differ is said by the tests named interaction, "
            "not by one being significant and another not."
        )


def _criterion(criterion: PatientCriterion) -> str:
    if criterion.values:
        return f"{criterion.column} {' or '.join(criterion.values)}"
    if criterion.minimum is None:
        return f"{criterion.column} up to {criterion.maximum:g}"
    if criterion.maximum is None:
        return f"{criterion.column} of at least {criterion.minimum:g}"
    return f"{criterion.column} from {criterion.minimum:g} to {criterion.maximum:g}"


def _overlap(a: ComparedRun, b: ComparedRun) -> bool:
    starts = max(a.start_day, b.start_day)
    return starts < min(a.start_day + a.duration_days, b.start_day + b.duration_days)


def _period(run: ComparedRun) -> str:
    first = date(1970, 1, 1) + timedelta(days=run.start_day)
    last = first + timedelta(days=run.duration_days)
    return f"{first:%B %Y} to {last:%B %Y}"
