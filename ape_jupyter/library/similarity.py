"""The part of a library in this process that finds runs like another, and says in what."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

import numpy as np

from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.model.similarity import (
    IGNORED_PARAMETERS,
    MAX_SIMILAR_RUNS,
    ParameterDifference,
    SimilarRun,
)
from ape_jupyter.registry.profiles import ProfiledRun, ProfileReader, Value
from ape_jupyter.registry.registry import Registry
from ape_jupyter.services.similarity import (
    Nearest,
    Number,
    Profiles,
    Text,
    distances,
    numbers_in,
    scaled,
)

__all__ = ["WithSimilarity"]

Range: TypeAlias = tuple[float, float]
_SHOWN = {"n_patients": "{:,}", "duration_years": "{:g}"}


class WithSimilarity:
    """Finds alike runs; see ``Library``."""

    _registry: Registry

    def similar(self, sim_id: str, limit: int = 10) -> list[SimilarRun]:
        """Return the runs that are most like a run; see ``Library``."""
        if not 1 <= limit <= MAX_SIMILAR_RUNS:
            raise InvalidArgumentError(
                f"The limit must be between 1 and {MAX_SIMILAR_RUNS}, not {limit}."
            )
        run = self._registry.find(sim_id)
        with self._registry.profiles() as reader:
            return _Comparison(reader, run.sim_id).nearest(limit)


class _Comparison:
    """A run, and what others are compared with it by."""

    def __init__(self, reader: ProfileReader, sim_id: str) -> None:
        self._reader = reader
        self._run = reader.run(sim_id)
        self._ignored = reader.path_ids(IGNORED_PARAMETERS).values()
        self._ranges = reader.parameter_ranges(numbers_in(self._run.profile))
        # Runs have ten patients or a million: what counts is how many times as many.
        self._fields = {
            name: tuple(map(_magnitude, ends)) if name == "n_patients" else ends
            for name, ends in reader.ranges().items()
        }

    def nearest(self, limit: int) -> list[SimilarRun]:
        nearest = Nearest(limit)
        for runs in self._reader.others(self._run.sim_id):
            nearest.add([run.sim_id for run in runs], self._distances(runs))
        found = [sim_id for _, sim_id in nearest.best]
        metadata = self._reader.metadata(found)
        parameters = self._reader.parameters([self._run.sim_id, *found])
        own = parameters.get(self._run.sim_id, {})
        ranges = self._ranges_by_path(own)
        result = []
        for distance, sim_id in nearest.best:
            other = self._reader.run(sim_id)
            compared = {
                **self._compared_fields(other),
                **dict(_compared_parameters(own, parameters.get(sim_id, {}), ranges)),
            }
            differing = [one for one in compared.values() if one.distance > 0]
            result.append(
                SimilarRun(
                    metadata=metadata[sim_id],
                    distance=distance,
                    agreeing=tuple(name for name, one in compared.items() if not one.distance),
                    differing=tuple(sorted(differing, key=lambda one: (-one.distance, one.name))),
                )
            )
        return result

    def _distances(self, runs: Sequence[ProfiledRun]) -> np.ndarray:
        own = self._run
        profiles = Profiles(
            reference=own.profile,
            others=[run.profile for run in runs],
            ranges=self._ranges,
            ignored=self._ignored,
        )
        sizes = np.array([_magnitude(run.n_patients) for run in runs])
        years = np.array([run.duration_years for run in runs])
        return distances(
            profiles,
            [
                Text(own.engine_type, [run.engine_type for run in runs]),
                Text(own.model_type, [run.model_type for run in runs]),
                Number(_magnitude(own.n_patients), sizes, *self._fields["n_patients"]),
                Number(own.duration_years, years, *self._fields["duration_years"]),
            ],
        )

    def _compared_fields(self, other: ProfiledRun) -> dict[str, ParameterDifference]:
        found = {}
        for name in ("engine_type", "model_type"):
            values = getattr(self._run, name), getattr(other, name)
            if values != (None, None):
                found[name] = _difference(name, *values, float(values[0] != values[1]))
        for name, shown in _SHOWN.items():
            one, two = getattr(self._run, name), getattr(other, name)
            scale = _magnitude if name == "n_patients" else float
            apart = scaled(scale(one) - scale(two), *self._fields[name])
            found[name] = _difference(name, shown.format(one), shown.format(two), apart)
        return found

    def _ranges_by_path(self, own: Mapping[str, object]) -> dict[str, Range]:
        ids = self._reader.path_ids(own)
        return {path: self._ranges.get(number, (0.0, 0.0)) for path, number in ids.items()}


def _magnitude(n_patients: float) -> float:
    return math.log10(max(n_patients, 1))


def _difference(
    name: str, reference: str | None, other: str | None, distance: float
) -> ParameterDifference:
    return ParameterDifference(name=name, reference=reference, other=other, distance=distance)


def _compared_parameters(
    own: Mapping[str, list[Value]],
    others: Mapping[str, list[Value]],
    ranges: Mapping[str, Range],
) -> Iterator[tuple[str, ParameterDifference]]:
    for path in {**own, **others}:
        if path in IGNORED_PARAMETERS:
            continue
        values = own.get(path), others.get(path)
        reference, other = (
            None if value is None else ", ".join(text for _, text in value) for value in values
        )
        one, two = (v[0][0] if v and len(v) == 1 else None for v in values)
        if one is not None and two is not None:
            apart = scaled(one - two, *ranges[path])
        else:
            is_number = (one is None, two is None)
            apart = float(is_number != (True, True) or reference != other)
        yield path, _difference(path, reference, other, apart)
