"""The course of treatment: visit after visit, for all patients at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ape_jupyter.demo.cohort import Cohort
from ape_jupyter.demo.disease import (
    ACTIVE,
    NAIVE,
    STABLE,
    drug_cover,
    next_disease,
    next_vision,
)
from ape_jupyter.demo.protocols import TreatmentProtocol
from ape_jupyter.demo.spec import DAYS_PER_YEAR, RunSpec
from ape_jupyter.demo.stopping import NOT_STOPPED, UNRELATED, planned_stops, stops_between_visits

__all__ = ["Course", "simulate_course"]

LOADING_INTERVAL_DAYS = 28
_GAIN_LETTERS = 8.0
_ATROPHY_LETTERS_PER_YEAR = 1.3
_MEASUREMENT_ERROR_LETTERS = 2.2
_MISSED_INJECTION_SHARE = 0.02
_LOST_UNSEEN_SHARE = 0.06
_UNSEEN_STATE_SHARES = (0.07, 0.58, 0.22, 0.13)

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Course:
    """What happened to a cohort.

    The first six arrays have one element per visit, ordered by visit number and patient;
    the last three one per patient.

    Attributes
    ----------
    patient : int array
        Position of the patient in the cohort.
    time_days : int array
        Days since the patient's enrolment.
    next_interval_days : int array
        Planned distance of the next visit.
    stopped_days : int array
        When treatment ended, since the patient's enrolment; -1 where it did not.
    stop_kind : int8 array
        Position in ``STOP_KINDS``, -1 where treatment did not end.
    final_disease : int8 array
        Disease state at the last visit.
    """

    patient: Ints
    time_days: Ints
    vision: Ints
    injected: NDArray[np.bool_]
    disease: NDArray[np.int8]
    next_interval_days: Ints
    stopped_days: Ints
    stop_kind: NDArray[np.int8]
    final_disease: NDArray[np.int8]


def first_visit_days(cohort: Cohort) -> Ints:
    """Return the day of each patient's first visit since the run's start date."""
    return np.ceil(cohort.enrolled_days).astype(np.int64)


def simulate_course(spec: RunSpec, cohort: Cohort, rng: np.random.Generator) -> Course:
    """Treat the cohort until the run ends."""
    n = len(cohort)
    protocol = spec.protocol
    follow_up = spec.duration_days - first_visit_days(cohort)
    baseline = cohort.baseline_letters
    ceiling = baseline + _GAIN_LETTERS * cohort.response + 5.0 * rng.standard_normal(n)
    atrophy = rng.exponential(_ATROPHY_LETTERS_PER_YEAR / DAYS_PER_YEAR, n)
    vision = baseline.copy()
    disease = np.full(n, NAIVE, dtype=np.int8)
    day = np.zeros(n, dtype=np.int64)
    interval = np.zeros(n, dtype=np.int64)
    injected_on = np.full(n, -10_000, dtype=np.int64)
    dry_since = np.full(n, -1, dtype=np.int64)
    stopped_days = np.full(n, -1, dtype=np.int64)
    stop_kind = np.full(n, NOT_STOPPED, dtype=np.int8)
    steps: list[tuple[NDArray[Any], ...]] = []

    here = np.flatnonzero(cohort.attends & (follow_up > 0))
    number = 0
    while len(here):
        if number:
            days = interval[here].astype(np.float64)
            # Cover over the whole gap, not at its end: the eye had drug for most of it.
            cover = drug_cover((day[here] - injected_on[here]) - days / 2.0)
            disease[here] = next_disease(disease[here], days, cover, cohort.response[here], rng)
            loss = atrophy[here] * days
            vision[here], ceiling[here] = next_vision(
                vision[here] - loss, ceiling[here] - loss, disease[here], days, cover, rng
            )
        error = rng.standard_normal(len(here)) * _MEASUREMENT_ERROR_LETTERS
        measured = np.clip(np.rint(vision[here] + error), 0, 100).astype(np.int64)
        inject = _decide_injection(protocol, number, disease[here], rng)
        injected_on[here[inject]] = day[here[inject]]
        interval[here] = _decide_interval(protocol, number, interval[here], disease[here])
        dry = (disease[here] == STABLE) & (interval[here] == protocol.max_interval_days)
        dry_since[here] = np.where(
            dry, np.where(dry_since[here] < 0, day[here], dry_since[here]), -1
        )
        dry_days = np.where(dry, day[here] - dry_since[here], 0)
        steps.append(
            (here, day[here], measured, inject, disease[here].copy(), interval[here].copy())
        )
        if spec.model_type == "time_based":
            kind, after = stops_between_visits(
                protocol,
                letters_change=measured - baseline[here],
                vision=measured,
                is_active=disease[here] >= ACTIVE,
                is_loaded=number >= protocol.loading_injections,
                dry_days=dry_days,
                days=interval[here],
                rng=rng,
            )
        else:
            kind, after = planned_stops(protocol, dry_days, rng)
        in_time = (kind != NOT_STOPPED) & (day[here] + after < follow_up[here])
        stopped_days[here[in_time]] = day[here[in_time]] + after[in_time]
        stop_kind[here[in_time]] = kind[in_time]
        day[here] += interval[here]
        here = here[~in_time & (day[here] < follow_up[here])]
        number += 1

    _lose_unseen_patients(cohort, follow_up, stopped_days, stop_kind, disease, rng)
    patient, time_days, letters, given, state, planned = (
        np.concatenate(column) for column in zip(*steps, strict=True)
    )
    return Course(
        patient=patient,
        time_days=time_days,
        vision=letters,
        injected=given,
        disease=state,
        next_interval_days=planned,
        stopped_days=stopped_days,
        stop_kind=stop_kind,
        final_disease=disease,
    )


def _decide_injection(
    protocol: TreatmentProtocol,
    number: int,
    disease: NDArray[np.int8],
    rng: np.random.Generator,
) -> NDArray[np.bool_]:
    given = rng.random(len(disease)) >= _MISSED_INJECTION_SHARE
    if number >= protocol.loading_injections:
        if protocol.strategy == "prn":
            given &= disease >= ACTIVE
        return given
    return np.ones(len(disease), dtype=bool)


def _decide_interval(
    protocol: TreatmentProtocol, number: int, interval: Ints, disease: NDArray[np.int8]
) -> Ints:
    if number < protocol.loading_injections:
        return np.full(len(interval), LOADING_INTERVAL_DAYS, dtype=np.int64)
    if number == protocol.loading_injections:
        return np.full(len(interval), protocol.min_interval_days, dtype=np.int64)
    change = np.where(disease == STABLE, protocol.extension_days, -protocol.shortening_days)
    return np.clip(interval + change, protocol.min_interval_days, protocol.max_interval_days)


def _lose_unseen_patients(
    cohort: Cohort,
    follow_up: Ints,
    stopped_days: Ints,
    stop_kind: NDArray[np.int8],
    disease: NDArray[np.int8],
    rng: np.random.Generator,
) -> None:
    """Give patients without visits a disease state, and a few of them an end."""
    unseen = np.flatnonzero(~cohort.attends)
    disease[unseen] = rng.choice(4, size=len(unseen), p=_UNSEEN_STATE_SHARES)
    lost = unseen[rng.random(len(unseen)) < _LOST_UNSEEN_SHARE]
    disease[lost] = NAIVE
    stopped_days[lost] = (rng.random(len(lost)) * follow_up[lost]).astype(np.int64)
    stop_kind[lost] = rng.choice(UNRELATED, size=len(lost))
