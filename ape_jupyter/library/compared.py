"""What comparisons need of a run beside its summary, from its documents."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ape_jupyter.model.protocol import SimulationDocuments
from ape_jupyter.model.simulation import SimulationMetadata
from ape_jupyter.services.compare import ComparedRun, RunSettings

__all__ = ["compared_run", "run_settings"]

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MAX_CURRENCY = 16


def compared_run(run: SimulationMetadata, documents: SimulationDocuments) -> ComparedRun:
    """Return a run as comparisons see it, but for its summary.

    What its documents have wrong counts as not said.
    """
    config = documents.resource_config
    session = _mapping(config.get("session_parameters"))
    days = session.get("working_days")
    working = tuple(day for day in _DAYS if isinstance(days, list) and day in days)
    roles = {str(name): _mapping(role) for name, role in _mapping(config.get("roles")).items()}
    capacities = {name: role.get("capacity_per_session") for name, role in roles.items()}
    known = {
        name: capacity
        for name, capacity in capacities.items()
        if isinstance(capacity, int) and not isinstance(capacity, bool) and capacity > 0
    }
    return ComparedRun(
        sim_id=run.sim_id,
        start_date=run.start_date,
        duration_years=run.duration_years,
        currency=_currency(documents),
        capacities=known,
        working_days=working or _DAYS[:5],
        seed=run.seed,
        design=_design(run, documents),
    )


def _design(run: SimulationMetadata, documents: SimulationDocuments) -> str | None:
    """Return all but the seed of what made a run; None for one that came without protocol."""
    if not run.protocol_digest:
        return None
    simulated = dict(run_settings(run, documents)["run"])
    del simulated["seed"]
    return json.dumps([run.protocol_digest, simulated], sort_keys=True)


def _currency(documents: SimulationDocuments) -> str | None:
    places = (_mapping(documents.resource_config.get("costs")), documents.parameters)
    for place in places:
        name = place.get("currency")
        if isinstance(name, str) and 0 < len(name) <= _MAX_CURRENCY and name.isprintable():
            return name
    return None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def run_settings(run: SimulationMetadata, documents: SimulationDocuments) -> RunSettings:
    """Return all that made a run what it is: the protocol, and how it was simulated."""
    simulated = {
        "engine_type": run.engine_type,
        "model_type": run.model_type,
        "duration_years": run.duration_years,
        "n_patients": run.n_patients_requested,
        "seed": run.seed,
    }
    return {**documents.protocol.parameters, "run": simulated}
