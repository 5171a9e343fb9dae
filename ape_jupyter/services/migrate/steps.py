"""The versions of APE's metadata, and the steps that lead to the library's own.

1.0.0 has no ``memorable_name`` and no ``model_type``, 1.5.0 has both, 2.0.0 adds ``tags``,
``last_accessed`` and ``access_count``, and alone says which version it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ape_jupyter.model.migration import Migration, SchemaVersion

__all__ = ["METADATA_STEPS", "VERSION_FIELD", "metadata_version"]

VERSION_FIELD = "schema_version"
APE_1_0 = SchemaVersion(1, 0, 0)
APE_1_5 = SchemaVersion(1, 5, 0)
LIBRARY_2_0 = SchemaVersion(2, 0, 0)
_NAME_IN_ID = re.compile(r"sim_\d{8}_\d{6}_\d{2}-\d{2}_(.+)", re.ASCII)


def metadata_version(document: Mapping[str, Any]) -> SchemaVersion:
    """Return the version that a document says it has, else the one that its fields show.

    A document between two versions counts as the older: the step from there leaves alone what
    is already said. APE's own packages are such, with a name but without the model type.

    Raises
    ------
    MigrationError
        If what the document says is no version.
    """
    declared = document.get(VERSION_FIELD)
    if declared is not None:
        return SchemaVersion.parse(declared)
    if document.get("memorable_name") and document.get("model_type"):
        return APE_1_5
    return APE_1_0


def _name_the_run(document: Mapping[str, Any]) -> dict[str, Any]:
    """Take the name from the end of the id; the model type of such a run is not known here."""
    upgraded = {"model_type": None, **document}
    if not upgraded.get("memorable_name"):
        sim_id = document.get("sim_id")
        in_id = _NAME_IN_ID.fullmatch(sim_id) if isinstance(sim_id, str) else None
        upgraded["memorable_name"] = in_id[1] if in_id else sim_id
    return upgraded


def _start_counting(document: Mapping[str, Any]) -> dict[str, Any]:
    """Add what only a library knows: no tags so far, never opened."""
    return {"tags": [], "last_accessed": None, "access_count": 0, **document}


METADATA_STEPS = (
    Migration(
        name="name the run",
        from_version=APE_1_0,
        to_version=APE_1_5,
        upgrade=_name_the_run,
    ),
    Migration(
        name="add tags and access counts",
        from_version=APE_1_5,
        to_version=LIBRARY_2_0,
        upgrade=_start_counting,
    ),
)
