"""The patients and visits tables, with every peculiarity of real files."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ape_jupyter.demo.cohort import Cohort
from ape_jupyter.demo.course import Course, first_visit_days
from ape_jupyter.demo.disease import DISEASE_STATES
from ape_jupyter.demo.spec import RunSpec
from ape_jupyter.demo.stopping import NOT_STOPPED, STOP_KINDS

__all__ = ["CHUNK_ROWS", "Tables", "build_tables", "iso_days"]

CHUNK_ROWS = 5_000
_MICROSECONDS_PER_DAY = 86_400_000_000
_DISCONTINUATION_COLUMNS = (
    "discontinued",
    "discontinuation_time",
    "discontinuation_type",
    "discontinuation_reason",
    "pre_discontinuation_vision",
    "retreatment_count",
)

Ints = NDArray[np.int64]


class Tables:
    """Patients and visits of a run, and the arrays that the cost tables are made from."""

    def __init__(self, patients: pa.Table, visits: pa.Table, visit_number: Ints) -> None:
        self.patients = patients
        self.visits = visits
        #: How many visits the patient had before, for each row of ``visits``.
        self.visit_number = visit_number


def build_tables(spec: RunSpec, cohort: Cohort, course: Course) -> Tables:
    """Lay out what was simulated as the engine's files do."""
    ids = _patient_ids(len(cohort))
    order = _visit_order(spec, cohort, course)
    number = _visit_numbers(course)
    first_day = first_visit_days(cohort)
    start = np.datetime64(spec.start_date, "D")
    patient = course.patient[order]
    dates = start + (first_day[patient] + course.time_days[order])
    visits = pa.table(
        {
            "patient_id": ids.take(pa.array(patient)),
            "date": _timestamps(dates.astype("datetime64[us]")),
            "time_days": course.time_days[order],
            "vision": course.vision[order],
            "injected": course.injected[order],
            "next_interval_days": pa.array(course.next_interval_days[order])
            if spec.records_next_interval
            else pa.nulls(len(order)),
            "disease_state": _named(DISEASE_STATES, course.disease[order]),
        }
    )
    return Tables(_patients(spec, cohort, course, ids), visits, number[order])


def iso_days(start: date, days: Ints) -> pa.LargeStringArray:
    """Return days since ``start`` as ISO dates."""
    distinct, positions = np.unique(days, return_inverse=True)
    names = np.datetime_as_string(np.datetime64(start, "D") + distinct, unit="D")
    return pa.array(names.tolist(), pa.large_string()).take(pa.array(positions))


def _patient_ids(n: int) -> pa.LargeStringArray:
    return pa.array([f"P{number:04d}" for number in range(n)], pa.large_string())


def _named(names: tuple[str, ...], codes: NDArray[np.int8]) -> pa.Array:
    """Return the names of codes; negative codes are missing, and so is the type if all are."""
    missing = codes < 0
    if missing.all():
        return pa.nulls(len(codes))
    return pa.array(names, pa.large_string()).take(pa.array(codes, mask=missing))


def _timestamps(moments: NDArray[np.datetime64]) -> pa.Array:
    return pa.array(moments, pa.timestamp("us"))


def _visit_order(spec: RunSpec, cohort: Cohort, course: Course) -> Ints:
    """Return the order of rows: sorted by patient id and time, but only within each chunk.

    Ids sort as text (P10000 before P9776), so the row where a chunk ends matters.
    """
    if spec.visit_order == "event":
        day = first_visit_days(cohort)[course.patient] + course.time_days
        written = np.lexsort((course.patient, day))
    else:
        written = np.lexsort((course.time_days, course.patient))
    n = len(cohort)
    text_rank = np.empty(n, dtype=np.int64)
    text_rank[np.argsort(np.array([f"P{number:04d}" for number in range(n)]))] = np.arange(n)
    chunk = np.arange(len(written)) // CHUNK_ROWS
    within = np.lexsort((course.time_days[written], text_rank[course.patient[written]], chunk))
    return written[within]


def _visit_numbers(course: Course) -> Ints:
    by_patient = np.lexsort((course.time_days, course.patient))
    patient = course.patient[by_patient]
    starts = np.flatnonzero(np.r_[True, patient[1:] != patient[:-1]])
    lengths = np.diff(np.r_[starts, len(patient)])
    number = np.empty(len(patient), dtype=np.int64)
    number[by_patient] = np.arange(len(patient)) - np.repeat(starts, lengths)
    return number


def _patients(spec: RunSpec, cohort: Cohort, course: Course, ids: pa.LargeStringArray) -> pa.Table:
    n = len(cohort)
    injections = np.bincount(course.patient[course.injected], minlength=n)
    final_vision = cohort.baseline_letters.astype(np.int64)
    # Visits come in order of their number, so the last one written for a patient stays.
    final_vision[course.patient] = course.vision
    start = np.datetime64(spec.start_date, "us")
    microseconds = np.floor(cohort.enrolled_days * _MICROSECONDS_PER_DAY).astype(np.int64)
    run_start = microseconds[0]
    enrolment_days = (microseconds - run_start) // _MICROSECONDS_PER_DAY
    stopped = course.stop_kind != NOT_STOPPED
    all_running = not stopped.any()
    kinds = _named(STOP_KINDS, course.stop_kind)
    has_reason = spec.model_type == "time_based"

    def where_stopped(values: NDArray[np.float64]) -> pa.Array:
        return pa.nulls(n) if all_running else pa.array(values, pa.float64(), mask=~stopped)

    columns: dict[str, pa.Array] = {
        "patient_id": ids,
        "enrollment_date": _timestamps(start + microseconds),
        "enrollment_time_days": pa.array(enrolment_days),
        "baseline_vision": pa.array(cohort.baseline_letters.astype(np.int64)),
        "final_vision": pa.array(final_vision),
        "final_disease_state": _named(DISEASE_STATES, course.final_disease),
        "total_injections": pa.array(injections.astype(np.int64)),
        "total_visits": pa.array(np.bincount(course.patient, minlength=n).astype(np.int64)),
        "discontinued": pa.array(stopped),
        "discontinuation_time": where_stopped(
            (enrolment_days + course.stopped_days).astype(np.float64)
        ),
        "discontinuation_type": kinds,
        "discontinuation_reason": kinds if has_reason else pa.nulls(n),
        "pre_discontinuation_vision": where_stopped(final_vision.astype(np.float64)),
        "retreatment_count": pa.array(np.zeros(n, dtype=np.int64)),
    }
    if spec.schema_version == "1.0.0":
        for name in _DISCONTINUATION_COLUMNS:
            del columns[name]
    return pa.table(columns)
