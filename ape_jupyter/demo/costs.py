"""What the visits cost and which staff they need, for runs with resource tracking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ape_jupyter.demo.spec import DAYS_PER_YEAR, RunSpec
from ape_jupyter.demo.tables import Tables, iso_days

__all__ = ["COST_COMPONENTS", "ROLES", "CostTables", "build_cost_tables"]

#: Price of one use in pounds sterling.
COST_COMPONENTS = {
    "drug": 790.0,
    "injection_procedure": 128.0,
    "consultation": 82.0,
    "oct_scan": 104.0,
}
#: Patients that one session of four hours can take.
ROLES = {
    "injector": 12,
    "injector_assistant": 12,
    "vision_tester": 18,
    "oct_operator": 15,
    "decision_maker": 10,
}
_INJECTION_ROLES = ("injector", "injector_assistant")
_VISIT_TYPES = ("injection_only", "decision_with_injection", "decision_only")
_INJECTION_ONLY, _DECISION_WITH_INJECTION, _DECISION_ONLY = range(3)
_SESSIONS_PER_DAY = 2


@dataclass(frozen=True, slots=True)
class CostTables:
    """The files that resource tracking adds to a run."""

    visits_with_costs: pa.Table
    daily_resource_usage: pa.Table
    documents: dict[str, Any]


def build_cost_tables(spec: RunSpec, tables: Tables) -> CostTables:
    """Price every visit, and the appointments that patients who stopped did not keep."""
    start = np.datetime64(spec.start_date, "D")
    visit_day = (_days(tables.visits["date"]) - start).astype(np.int64)
    injected = tables.visits["injected"].to_numpy()
    number = tables.visit_number
    loading = number < spec.protocol.loading_injections
    # A fixed schedule is reviewed once in a while; the others decide at every visit.
    reviewed = ~loading & ((spec.protocol.strategy != "fixed") | (number % 6 == 0))
    visit_type = np.where(
        ~reviewed,
        _INJECTION_ONLY,
        np.where(injected, _DECISION_WITH_INJECTION, _DECISION_ONLY),
    ).astype(np.int8)
    patient_id, day = pc.cast(tables.visits["patient_id"], pa.large_string()), visit_day

    missed_id, missed_day = _missed_appointments(spec, tables)
    patient_id = pa.concat_arrays([*patient_id.chunks, missed_id])
    day = np.concatenate([day, missed_day])
    none = np.zeros(len(missed_day), dtype=bool)
    visit_type = np.concatenate([visit_type, np.full(len(none), _INJECTION_ONLY, dtype=np.int8)])
    given = np.concatenate([injected, none])
    oct_performed = np.concatenate([reviewed, none])

    order = np.argsort(day, kind="stable")
    day, visit_type = day[order], visit_type[order]
    given, oct_performed = given[order], oct_performed[order]
    applies = {
        "drug": given,
        "injection_procedure": given,
        "consultation": oct_performed,
        "oct_scan": oct_performed,
    }
    total = sum(price * applies[name] for name, price in COST_COMPONENTS.items())
    table = pa.table(
        {
            "date": iso_days(spec.start_date, day),
            "patient_id": patient_id.take(pa.array(order)),
            "visit_type": pa.array(_VISIT_TYPES, pa.large_string()).take(pa.array(visit_type)),
            "injection_given": given,
            "oct_performed": oct_performed,
            "total_cost": pa.array(np.asarray(total).astype(np.int64)),
        }
        | {
            name: pa.array(np.full(len(day), price), mask=~applies[name])
            for name, price in COST_COMPONENTS.items()
        }
    )
    usage = _daily_usage(spec, day, visit_type)
    return CostTables(table, usage, _documents(table, usage))


def total_costs(table: pa.Table) -> dict[str, float]:
    """Return the cost of a run by component, and in total."""
    totals = {name: float(pc.sum(table[name]).as_py() or 0.0) for name in COST_COMPONENTS}
    return totals | {"total": sum(totals.values())}


def cost_per_patient_year(spec: RunSpec, table: pa.Table, n_patients: int) -> float:
    """Return the average cost, over patients and the years of the run."""
    years = n_patients * spec.duration_days / DAYS_PER_YEAR
    return total_costs(table)["total"] / years


def _days(column: pa.ChunkedArray) -> NDArray[np.datetime64]:
    return np.asarray(column.to_numpy()).astype("datetime64[D]")


def _missed_appointments(
    spec: RunSpec, tables: Tables
) -> tuple[pa.LargeStringArray, NDArray[np.int64]]:
    patients = tables.patients
    if "discontinued" not in patients.column_names:
        return pa.array([], pa.large_string()), np.empty(0, dtype=np.int64)
    stopped = patients.filter(
        pc.and_(patients["discontinued"], pc.greater(patients["total_visits"], 0))
    )
    if not len(stopped):
        return pa.array([], pa.large_string()), np.empty(0, dtype=np.int64)
    run_start = _days(patients["enrollment_date"]).min() - np.datetime64(spec.start_date, "D")
    day = stopped["discontinuation_time"].to_numpy().astype(np.int64) + run_start.astype(np.int64)
    return stopped["patient_id"].combine_chunks(), day


def _daily_usage(spec: RunSpec, day: NDArray[np.int64], visit_type: NDArray[np.int8]) -> pa.Table:
    days, position = np.unique(day, return_inverse=True)
    injections = np.bincount(position[visit_type != _DECISION_ONLY], minlength=len(days))
    decisions = np.bincount(position[visit_type != _INJECTION_ONLY], minlength=len(days))
    counts = {role: injections if role in _INJECTION_ROLES else decisions for role in ROLES}
    # A role that nobody needed on a day is missing there, not zero.
    usage = pa.StructArray.from_arrays(
        [pa.array(count, pa.int64(), mask=count == 0) for count in counts.values()],
        names=list(counts),
    )
    return pa.table({"date": iso_days(spec.start_date, days), "usage": usage})


def _documents(table: pa.Table, usage: pa.Table) -> dict[str, Any]:
    by_role = {
        role: pc.struct_field(usage["usage"].combine_chunks(), role).drop_null().to_numpy()
        for role in ROLES
    }
    by_type = pc.value_counts(table["visit_type"]).to_pylist()
    dates = usage["date"].to_pylist()
    sessions = {
        role: np.ceil(counts / ROLES[role]).astype(np.int64) for role, counts in by_role.items()
    }
    return {
        "resource_config.json": _resource_config(),
        "cost_breakdown.json": total_costs(table),
        "workload_summary.json": {
            "total_visits": len(table),
            "visits_by_type": {row["values"]: row["counts"] for row in by_type},
            "peak_daily_demand": {
                role: int(counts.max()) if len(counts) else 0 for role, counts in by_role.items()
            },
            "average_daily_demand": {
                role: float(counts.mean()) if len(counts) else 0.0
                for role, counts in by_role.items()
            },
            "total_sessions_needed": {role: int(needed.sum()) for role, needed in sessions.items()},
            "dates_with_visits": len(dates),
        },
        "bottlenecks.json": _bottlenecks(usage, dates),
    }


def _bottlenecks(usage: pa.Table, dates: list[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    column = usage["usage"].combine_chunks()
    for role, capacity in ROLES.items():
        counts = pc.fill_null(pc.struct_field(column, role), 0).to_numpy()
        needed = np.ceil(counts / capacity).astype(np.int64)
        found += [
            {
                "date": dates[row],
                "role": role,
                "sessions_needed": int(needed[row]),
                "sessions_available": _SESSIONS_PER_DAY,
                "overflow": int(needed[row]) - _SESSIONS_PER_DAY,
            }
            for row in np.flatnonzero(needed > _SESSIONS_PER_DAY)
        ]
    return found


def _resource_config() -> dict[str, Any]:
    injection = dict.fromkeys(_INJECTION_ROLES, 1)
    decision = {role: 1 for role in ROLES if role not in _INJECTION_ROLES}
    return {
        "roles": {
            role: {"capacity_per_session": capacity, "description": role.replace("_", " ")}
            for role, capacity in ROLES.items()
        },
        "session_parameters": {
            "session_duration_hours": 4,
            "sessions_per_day": _SESSIONS_PER_DAY,
            "working_days": ["Mon", "Tue", "Wed", "Thu", "Fri"],
        },
        "visit_requirements": {
            "injection_only": {"roles_needed": injection, "duration_minutes": 15},
            "decision_with_injection": {
                "roles_needed": decision | injection,
                "duration_minutes": 30,
            },
            "decision_only": {"roles_needed": decision, "duration_minutes": 20},
        },
        "costs": {"currency": "GBP", **COST_COMPONENTS},
    }
