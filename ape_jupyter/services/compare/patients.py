"""What each patient of a run came to, from the few columns that it takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ape_jupyter.results.schema import COSTS
from ape_jupyter.services.compare.inference.distributions import Numbers

__all__ = ["PatientOutcomes", "patient_outcomes"]

LETTERS = 15
DRIVING = 70


@dataclass(frozen=True, slots=True)
class PatientOutcomes:
    """One value for each patient, in the order of the patients table.

    Attributes
    ----------
    ids, baseline : pyarrow.ChunkedArray
        By which two runs have the same patients.
    was_seen : ndarray of bool
        Whether the patient came to a visit; without one there is no vision.
    vision, injections, visits : ndarray
        As last seen, and in all.
    costs : mapping
        By metric: ``cost`` and ``cost_<component>``, in all.
    """

    ids: pa.ChunkedArray
    baseline: pa.ChunkedArray
    was_seen: npt.NDArray[np.bool_]
    vision: Numbers
    injections: Numbers
    visits: Numbers
    costs: Mapping[str, Numbers] = field(default_factory=dict)

    def of(self, metric: str) -> Numbers | None:
        """Return the values of a metric; None for one that a single patient does not have.

        Those of shares are True and False.
        """
        if metric in self.costs:
            return self.costs[metric]
        derived: dict[str, Callable[[], Numbers]] = {
            "vision": lambda: self.vision,
            "vision_change": self._change,
            "gain_15": lambda: self._change() >= LETTERS,
            "loss_15": lambda: self._change() <= -LETTERS,
            "driving_vision": lambda: self.vision >= DRIVING,
            "injections": lambda: self.injections,
            "visits": lambda: self.visits,
        }
        return derived[metric]() if metric in derived else None

    def counts(self, metric: str) -> npt.NDArray[np.bool_]:
        """Return which patients have a value of a metric."""
        everybody = metric in self.costs or metric in ("injections", "visits")
        return np.ones_like(self.was_seen) if everybody else self.was_seen

    def _change(self) -> Numbers:
        return np.asarray(self.vision - self.baseline.to_numpy())

    def has_patients_of(self, other: PatientOutcomes) -> bool:
        """Tell whether both have the same patients, with the same vision to begin with."""
        return bool(self.ids.equals(other.ids) and self.baseline.equals(other.baseline))


def patient_outcomes(
    patients: pa.Table, visits: pa.Table, costs: pa.Table | None
) -> PatientOutcomes:
    """Read outcomes off canonical tables, in which visits are sorted by patient and time."""
    n = patients.num_rows
    rows = _patient_rows(visits)
    n_visits = np.bincount(rows, minlength=n)
    last = np.flatnonzero(np.diff(rows, append=-1))
    vision = np.zeros(n)
    vision[rows[last]] = visits["vision"].to_numpy()[last]
    injected = np.bincount(rows, visits["injected"].to_numpy(), n)
    return PatientOutcomes(
        ids=patients["patient_id"],
        baseline=patients["baseline_vision"],
        was_seen=n_visits > 0,
        vision=vision,
        injections=injected,
        visits=n_visits.astype(float),
        costs={} if costs is None else _total_costs(costs, n),
    )


def _total_costs(costs: pa.Table, n_patients: int) -> dict[str, Numbers]:
    rows = _patient_rows(costs)
    own = {spec.name for spec in COSTS.columns}
    columns = {"cost": "total_cost"} | {
        f"cost_{name}": name
        for name in costs.column_names
        if name not in own and pa.types.is_floating(costs[name].type)
    }
    return {
        metric: np.bincount(rows, np.nan_to_num(costs[name].to_numpy()), n_patients)
        for metric, name in columns.items()
    }


def _patient_rows(table: pa.Table) -> npt.NDArray[np.int64]:
    chunks = table["patient_id"].chunks
    codes = [chunk.indices.to_numpy() for chunk in chunks] or [np.empty(0)]
    return np.concatenate(codes).astype(np.int64)
