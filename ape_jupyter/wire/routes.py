"""The routes of the server extension: the server implements them, the document lists them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from ape_jupyter.model.listing import SORT_COLUMNS, ImportOutcome, SearchPage, TagCount
from ape_jupyter.model.memory import Eviction, MemoryReport, OptimizationReport
from ape_jupyter.model.protocol import SimulationDocuments
from ape_jupyter.model.simulation import SimulationMetadata
from ape_jupyter.wire.messages import (
    Comparison,
    ComparisonOrder,
    Health,
    ImportOrder,
    Job,
    OpenedSimulation,
    OptimizationOrder,
    SimulationList,
    TagChange,
)

__all__ = ["ARROW_FILE", "ROUTES", "Parameter", "Route"]

ARROW_FILE = "application/vnd.apache.arrow.file"

Action = Literal["read", "write"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A parameter in the query string; ``schema`` is its JSON schema."""

    name: str
    description: str
    schema: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One method of one path, relative to the API's root.

    Attributes
    ----------
    action : {"read", "write"}
        What the user must be authorised to do with the resource ``ape-simulations``.
        Opening and comparing are reading, though they are posted.
    body : type or None
        What the request carries: a dataclass as JSON.
    body_media_type : str or None
        Instead of ``body``, for bytes.
    answers : dict of int to type, str or None
        By status: a type as JSON, a media type for bytes, None for nothing.
    errors : tuple of int
        Statuses with an ``ErrorBody``, beside 403 and 503, which all routes can give.
    """

    method: str
    path: str
    name: str
    summary: str
    action: Action
    answers: dict[int, Any]
    errors: tuple[int, ...] = ()
    parameters: tuple[Parameter, ...] = field(default=())
    body: type | None = None
    body_media_type: str | None = None


_TEXT = {"type": "string"}

_TAGS = Parameter(
    name="tags",
    description="A tag for every run; can be repeated.",
    schema={"type": "array", "items": _TEXT},
)

_SEARCH = (
    Parameter(
        name="query",
        description="Words that each must appear in a run's id, name, protocol, engine, model, "
        "owner, notes or tags.",
        schema={**_TEXT, "default": ""},
    ),
    Parameter(
        name="filter",
        description="`field:value`; can be repeated. One of the values given for a field must be "
        "equal, of `tag` all.",
        schema={"type": "array", "items": _TEXT},
    ),
    Parameter(
        name="sort_by",
        description="The field to sort by.",
        schema={**_TEXT, "enum": list(SORT_COLUMNS), "default": "created_at"},
    ),
    Parameter(
        name="descending",
        description="Largest or newest first.",
        schema={"type": "boolean", "default": True},
    ),
    Parameter(
        name="limit",
        description="Runs per page.",
        schema={"type": "integer", "minimum": 1, "default": 20},
    ),
    Parameter(
        name="cursor", description="`next_cursor` of the page before this one.", schema=_TEXT
    ),
)

ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        path="health",
        name="getHealth",
        summary="Tell whether the server and its library work, and their versions.",
        action="read",
        answers={200: Health},
    ),
    Route(
        method="GET",
        path="openapi.json",
        name="getDescription",
        summary="This document.",
        action="read",
        answers={200: dict[str, Any]},
    ),
    Route(
        method="GET",
        path="simulations",
        name="searchSimulations",
        summary="Find runs. Has an ETag: with If-None-Match the answer is 304 until a run changes.",
        action="read",
        parameters=_SEARCH,
        answers={200: SearchPage, 304: None},
        errors=(400,),
    ),
    Route(
        method="GET",
        path="simulations/{sim_id}",
        name="getSimulation",
        summary="Return the metadata of a run.",
        action="read",
        answers={200: SimulationMetadata},
        errors=(404,),
    ),
    Route(
        method="DELETE",
        path="simulations/{sim_id}",
        name="deleteSimulation",
        summary="Move a run to the trash.",
        action="write",
        answers={200: SimulationMetadata},
        errors=(404, 409),
    ),
    Route(
        method="POST",
        path="simulations/{sim_id}/restore",
        name="restoreSimulation",
        summary="Bring a run back from the trash; takes its full id.",
        action="write",
        answers={200: SimulationMetadata},
        errors=(404, 409),
    ),
    Route(
        method="GET",
        path="simulations/{sim_id}/documents",
        name="getDocuments",
        summary="Return the protocol, parameters and audit log that came with a run.",
        action="read",
        answers={200: SimulationDocuments},
        errors=(404, 410),
    ),
    Route(
        method="POST",
        path="simulations/{sim_id}/open",
        name="openSimulation",
        summary="Make the tables of a run ready to be mapped into memory, and say where they are.",
        action="read",
        answers={200: OpenedSimulation},
        errors=(404, 410, 507),
    ),
    Route(
        method="GET",
        path="simulations/{sim_id}/tables/{table}",
        name="getTable",
        summary="Return a table's Arrow IPC file, for programs on another host. The header "
        "Repr-Digest carries its sha256.",
        action="read",
        answers={200: ARROW_FILE},
        errors=(404, 410, 507),
    ),
    Route(
        method="POST",
        path="simulations/{sim_id}/pin",
        name="pinSimulation",
        summary="Keep a run's mapped files in the cache, whatever its budget.",
        action="write",
        answers={200: SimulationMetadata},
        errors=(404,),
    ),
    Route(
        method="DELETE",
        path="simulations/{sim_id}/pin",
        name="unpinSimulation",
        summary="Let a run's mapped files be evicted again.",
        action="write",
        answers={200: SimulationMetadata},
        errors=(404,),
    ),
    Route(
        method="POST",
        path="simulations/{sim_id}/evict",
        name="evictSimulation",
        summary="Remove a run's mapped files; 409 when it is pinned or in use.",
        action="write",
        answers={200: Eviction},
        errors=(404, 409),
    ),
    Route(
        method="GET",
        path="memory",
        name="getMemory",
        summary="Return what runs take in every kernel, on disk, and would take in pandas.",
        action="read",
        answers={200: MemoryReport},
    ),
    Route(
        method="POST",
        path="memory/optimize",
        name="optimizeMemory",
        summary="Free what nobody has used for some time.",
        action="write",
        body=OptimizationOrder,
        answers={200: OptimizationReport},
        errors=(400,),
    ),
    Route(
        method="GET",
        path="tags",
        name="getTags",
        summary="Return all tags in use, the most used first.",
        action="read",
        answers={200: tuple[TagCount, ...]},
    ),
    Route(
        method="POST",
        path="tags",
        name="changeTags",
        summary="Add tags to and remove tags from several runs, all or nothing.",
        action="write",
        body=TagChange,
        answers={200: SimulationList},
        errors=(400, 404, 409),
    ),
    Route(
        method="POST",
        path="comparisons",
        name="compareSimulations",
        summary="Compare runs from their summaries.",
        action="read",
        body=ComparisonOrder,
        answers={200: Comparison},
        errors=(400, 404, 410),
    ),
    Route(
        method="POST",
        path="imports",
        name="startImport",
        summary="Start to import APE results that lie on the server's host.",
        action="write",
        body=ImportOrder,
        answers={202: Job},
        errors=(400,),
    ),
    Route(
        method="GET",
        path="imports/{job_id}",
        name="getImport",
        summary="Tell how far an import is, and what came of it.",
        action="read",
        answers={200: Job},
        errors=(404,),
    ),
    Route(
        method="DELETE",
        path="imports/{job_id}",
        name="cancelImport",
        summary="Ask an import to stop; runs that are in the library already stay.",
        action="write",
        answers={200: Job},
        errors=(404,),
    ),
    Route(
        method="POST",
        path="packages",
        name="uploadPackage",
        summary="Import an APE package. 201 when the run is new, 200 when it was there already.",
        action="write",
        parameters=(_TAGS,),
        body_media_type="application/zip",
        answers={200: ImportOutcome, 201: ImportOutcome},
        errors=(400, 413, 422, 507),
    ),
)
