"""The arguments of a comparison, checked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import TypeVar

from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.model.comparison import (
    ComparisonRequest,
    ComparisonType,
    Observations,
    PatientCriterion,
    PatientGrouping,
    TimeAlignment,
)
from ape_jupyter.model.metrics import DEFINED_METRICS, metric_definition
from ape_jupyter.services.compare.scale import DEFAULT_BIN_WIDTHS, TimeScale

__all__ = ["TimePoint", "comparison_request"]

TimePoint = float | str | date
"""A point of time on the scale of ``x``; dates, also as ISO text, in absolute time."""

MIN_RUNS = 2
MAX_TIMES = 100
_EPOCH = date(1970, 1, 1)
_Member = TypeVar("_Member", bound=StrEnum)


def comparison_request(
    sim_ids: Sequence[str],
    comparison_type: ComparisonType | str = ComparisonType.OVERLAY,
    metrics: Sequence[str] | None = None,
    time_alignment: TimeAlignment | str = TimeAlignment.ABSOLUTE,
    reference: str | None = None,
    confidence: float = 0.95,
    *,
    observations: Observations | str | None = None,
    bin_width: int | None = None,
    times: Sequence[TimePoint] | None = None,
    paired: bool = False,
    pool_replicates: bool = False,
    patients: Sequence[PatientCriterion] = (),
    subgroups: Sequence[PatientGrouping] = (),
    cost_effectiveness: bool = False,
    distributions: bool = False,
) -> ComparisonRequest:
    """Check the arguments of a comparison of runs with these full ids.

    Raises
    ------
    InvalidArgumentError
        Naming what is wrong and what is possible.
    """
    unique = tuple(dict.fromkeys(sim_ids))
    if len(unique) < MIN_RUNS:
        raise InvalidArgumentError("A comparison needs at least two different runs.")
    if reference is not None and reference not in unique:
        raise InvalidArgumentError(f"The reference {reference!r} is not among the runs compared.")
    if not 0 < confidence < 1:
        raise InvalidArgumentError(f"The confidence must be between 0 and 1, not {confidence}.")
    if paired and patients:
        raise InvalidArgumentError("Pairs are of all patients; leave their selection out.")
    if paired and pool_replicates:
        raise InvalidArgumentError("Pairs are of two runs; pooled replicates have none.")
    kind = _member(ComparisonType, comparison_type, "comparison type")
    alignment = _member(TimeAlignment, time_alignment, "time alignment")
    width = DEFAULT_BIN_WIDTHS[alignment] if bin_width is None else bin_width
    TimeScale(alignment, width).check()
    if paired and kind is not ComparisonType.STATISTICAL:
        raise InvalidArgumentError("Pairs are tested: ask for the comparison type 'statistical'.")
    if observations is None:
        # Tests take every patient once; several visits of one are no independent observations.
        is_tested = kind is ComparisonType.STATISTICAL
        observations = Observations.LOCF if is_tested else Observations.OBSERVED
    return ComparisonRequest(
        sim_ids=unique,
        comparison_type=kind,
        metrics=_metrics(metrics),
        time_alignment=alignment,
        reference=reference or unique[0],
        confidence=confidence,
        observations=_member(Observations, observations, "kind of observations"),
        bin_width=width,
        times=None if times is None else _times(times, alignment),
        paired=paired,
        pool_replicates=pool_replicates,
        patients=tuple(patients),
        subgroups=tuple(subgroups),
        cost_effectiveness=cost_effectiveness,
        distributions=distributions,
    )


def _metrics(metrics: Sequence[str] | None) -> tuple[str, ...]:
    wanted = ("vision",) if metrics is None else tuple(dict.fromkeys(metrics))
    unknown = [metric for metric in wanted if metric_definition(metric) is None]
    if unknown or not wanted:
        known = ", ".join([*DEFINED_METRICS, "cost_<component>", "workload_<role>"])
        raise InvalidArgumentError(f"No metric {', '.join(unknown)!r}. Metrics are: {known}.")
    return wanted


def _times(times: Sequence[TimePoint], alignment: TimeAlignment) -> tuple[float, ...]:
    if len(times) > MAX_TIMES:
        raise InvalidArgumentError(f"At most {MAX_TIMES} times can be tested, not {len(times)}.")
    return tuple(dict.fromkeys(_time(time, alignment) for time in times))


def _time(time: TimePoint, alignment: TimeAlignment) -> float:
    if alignment is TimeAlignment.ABSOLUTE:
        try:
            day = date.fromisoformat(time[:10]) if isinstance(time, str) else time
            if isinstance(day, datetime):
                day = day.date()
            if isinstance(day, int | float):
                day = date.fromordinal(_EPOCH.toordinal() + int(day))
        except (ValueError, OverflowError):
            raise InvalidArgumentError(f"{time!r} is not a date.") from None
        return float((day - _EPOCH).days)
    highest = 1.0 if alignment is TimeAlignment.NORMALIZED else 1e6
    if isinstance(time, int | float) and 0 <= time <= highest:
        return float(time)
    scale = "days since enrolment" if highest > 1 else "a share of the duration, 0 to 1"
    raise InvalidArgumentError(f"A time must be {scale}, not {time!r}.")


def _member(kind: type[_Member], value: str, what: str) -> _Member:
    try:
        return kind(value)
    except ValueError as error:
        known = ", ".join(member.value for member in kind)
        raise InvalidArgumentError(f"No {what} {value!r}, only: {known}.") from error
