"""Finding the steps between two versions of a document, and applying them."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib.metadata import entry_points
from typing import Any

from ape_jupyter.errors import MigrationError
from ape_jupyter.model.migration import MigratedDocument, Migration, SchemaVersion
from ape_jupyter.model.simulation import METADATA_SCHEMA_VERSION
from ape_jupyter.services.migrate.steps import METADATA_STEPS, VERSION_FIELD, metadata_version

__all__ = ["ENTRY_POINTS", "MigrationService", "metadata_migrations"]

ENTRY_POINTS = "ape_jupyter.migrations"


class MigrationService:
    """Brings documents to one version, by the shortest chain of steps that leads there.

    Immutable, so threads may share one.

    Parameters
    ----------
    steps : iterable of Migration
        In any order. Between two versions there is one step at most.
    target : SchemaVersion
        The version that documents are brought to.
    version_of : callable
        Tells the version of a document.

    Raises
    ------
    MigrationError
        If two steps lead from one version to the same other one.
    """

    def __init__(
        self,
        steps: Iterable[Migration] = METADATA_STEPS,
        *,
        target: SchemaVersion | None = None,
        version_of: Callable[[Mapping[str, Any]], SchemaVersion] = metadata_version,
    ) -> None:
        self.target = target or SchemaVersion.parse(METADATA_SCHEMA_VERSION)
        self._version_of = version_of
        self._steps: dict[SchemaVersion, dict[SchemaVersion, Migration]] = {}
        for step in steps:
            others = self._steps.setdefault(step.from_version, {})
            other = others.setdefault(step.to_version, step)
            if other != step:
                message = f"There are two migrations for one step: {other}, and {step.name!r}."
                raise MigrationError(message)

    @property
    def versions(self) -> tuple[SchemaVersion, ...]:
        """Every version that a step starts from or leads to, in order."""
        reached = {version for others in self._steps.values() for version in others}
        return tuple(sorted({self.target, *self._steps, *reached}))

    def path(self, version: SchemaVersion) -> tuple[Migration, ...]:
        """Return the shortest chain of steps from a version to the target.

        Of several, the one that goes furthest with its first steps, so that the order in
        which steps were registered does not matter.

        Raises
        ------
        MigrationError
            If no chain leads there; names the versions that are known.
        """
        chains: dict[SchemaVersion, tuple[Migration, ...]] = {version: ()}
        waiting = deque([version])
        while waiting:
            here = waiting.popleft()
            if here == self.target:
                return chains[here]
            for other, step in sorted(self._steps.get(here, {}).items(), reverse=True):
                if other not in chains:
                    chains[other] = (*chains[here], step)
                    waiting.append(other)
        known = ", ".join(map(str, self.versions))
        advice = "Update ape-jupyter" if version > self.target else "Convert it with APE"
        message = (
            f"Metadata of schema version {version} can not be brought to {self.target}; the known "
            f"versions are {known}. {advice}, or install a package that adds the missing step."
        )
        raise MigrationError(message)

    def migrate(self, document: Mapping[str, Any]) -> MigratedDocument:
        """Bring a document to the target version; the document itself stays as it is.

        Raises
        ------
        MigrationError
            If its version is none or not known, or if a step fails.
        """
        found = self._version_of(document)
        steps = self.path(found)
        current = document
        for step in steps:
            current = {**_applied(step, current), VERSION_FIELD: str(step.to_version)}
        return MigratedDocument(document=current, original=document, found=found, steps=steps)


def _applied(step: Migration, document: Mapping[str, Any]) -> dict[str, Any]:
    try:
        # A copy, because a step that breaks its promise would else change the original that is
        # kept beside the result.
        upgraded = step.upgrade(copy.deepcopy(dict(document)))
    # Steps come from other packages, too; which one failed is what the user has to know.
    except Exception as error:
        message = f"The migration {step} failed: {type(error).__name__}: {error}"
        raise MigrationError(message) from error
    if not isinstance(upgraded, dict):
        raise MigrationError(f"The migration {step} returned {type(upgraded).__name__}, no dict.")
    return upgraded


@cache
def metadata_migrations() -> MigrationService:
    """Return the service for the metadata of runs, with the steps of installed packages.

    Raises
    ------
    MigrationError
        If an installed step can not be loaded, is none, or doubles another.
    """
    return MigrationService([*METADATA_STEPS, *_installed_steps()])


def _installed_steps() -> list[Migration]:
    steps = []
    for entry in entry_points(group=ENTRY_POINTS):
        package = entry.dist.name if entry.dist else "an unknown package"
        try:
            step = entry.load()
        # Loading runs the other package's code; without its name the user could not act.
        except Exception as error:
            message = f"The migration {entry.value!r} of {package} can not be loaded: {error}"
            raise MigrationError(message) from error
        if not isinstance(step, Migration):
            message = f"The migration {entry.value!r} of {package} is no Migration."
            raise MigrationError(message)
        steps.append(step)
    return steps
