"""Routes that find, open, delete and restore runs."""

from __future__ import annotations

from ape_jupyter.model.facets import MAX_FACETS
from ape_jupyter.model.listing import RELEVANCE, SORT_COLUMNS, SearchPage
from ape_jupyter.model.protocol import SimulationDocuments
from ape_jupyter.model.simulation import SimulationMetadata
from ape_jupyter.wire.messages import (
    OpenedSimulation,
)
from ape_jupyter.wire.routes.route import ARROW_FILE, TEXT, Parameter, Route
from ape_jupyter.wire.transactions import MetadataChange

__all__ = ["ROUTES"]

_SEARCH = (
    Parameter(
        name="query",
        description="What to search for: words, or conditions such as `n_patients>=10k tag:nhs`.",
        schema={**TEXT, "default": ""},
    ),
    Parameter(
        name="filter",
        description="`field:value`; can be repeated. One of the values given for a field must be "
        "equal, of `tag` all.",
        schema={"type": "array", "items": TEXT},
    ),
    Parameter(
        name="sort_by",
        description="The field to sort by; `relevance` is newest first when there are no words.",
        schema={**TEXT, "enum": [RELEVANCE, *SORT_COLUMNS], "default": RELEVANCE},
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
        name="remember",
        description="Whether the user is to find it among recent searches.",
        schema={"type": "boolean", "default": False},
    ),
    Parameter(name="cursor", description="`next_cursor` of the page before this one.", schema=TEXT),
    Parameter(
        name="facet",
        description="A field to count the runs found by; can be repeated. `protocol`, `engine`, "
        "`model`, `tags`, `owner`, `size`, `year` or another field; numbers give a histogram.",
        schema={"type": "array", "items": TEXT, "maxItems": MAX_FACETS},
    ),
    Parameter(
        name="highlight",
        description="Tell where the texts of the runs show why they were found.",
        schema={"type": "boolean", "default": False},
    ),
)

ROUTES: tuple[Route, ...] = (
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
        summary="Return the metadata of a run; its ETag is the revision.",
        action="read",
        answers={200: SimulationMetadata},
        errors=(404,),
    ),
    Route(
        method="PATCH",
        path="simulations/{sim_id}",
        name="updateSimulation",
        summary="Change what people write about a run. Needs If-Match: its ETag, or `*` for any.",
        action="write",
        body=MetadataChange,
        answers={200: SimulationMetadata},
        errors=(400, 404, 412, 428),
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
)
