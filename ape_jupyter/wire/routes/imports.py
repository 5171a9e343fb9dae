"""Routes that take runs in."""

from __future__ import annotations

from ape_jupyter.model.listing import ImportOutcome
from ape_jupyter.wire.messages import ImportOrder, Job, JobList
from ape_jupyter.wire.routes.route import TEXT, Parameter, Route

__all__ = ["ROUTES"]

_TAGS = Parameter(
    name="tags",
    description="A tag for every run; can be repeated.",
    schema={"type": "array", "items": TEXT},
)

ROUTES: tuple[Route, ...] = (
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
        path="imports",
        name="listImports",
        summary="List the imports that are not over, and the latest of those that are.",
        action="read",
        answers={200: JobList},
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
        summary="Ask an import to stop, within a run, too; runs that are in already stay.",
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
