"""Imports of results that lie on the server's host, as jobs."""

from __future__ import annotations

from tornado import web

from ape_jupyter.server.handlers.base import ApeHandler
from ape_jupyter.server.permissions import authenticated, authorized
from ape_jupyter.wire.messages import ImportOrder, Job

__all__ = ["ImportHandler", "ImportsHandler"]


class ImportsHandler(ApeHandler):
    """``imports``."""

    @authenticated
    @authorized("write", "ape-simulations")
    async def post(self) -> None:
        """Start an import."""
        self.require_feature(
            self.ape.path_imports, "Results can not be imported by their path", "path_imports"
        )
        self.answer(self.ape.jobs.start(self.json_body(ImportOrder), self.owner), status=202)


class ImportHandler(ApeHandler):
    """``imports/{job_id}``."""

    polled_methods = frozenset({"GET"})

    @authenticated
    @authorized("read", "ape-simulations")
    async def get(self, job_id: str) -> None:
        """Answer with how far an import is."""
        self.answer(_known(self.ape.jobs.get(job_id)))

    @authenticated
    @authorized("write", "ape-simulations")
    async def delete(self, job_id: str) -> None:
        """Ask an import to stop."""
        self.answer(_known(self.ape.jobs.cancel(job_id)))


def _known(job: Job | None) -> Job:
    if job is None:
        raise web.HTTPError(
            404, "This server knows no such import; it forgets old ones, and all when it stops."
        )
    return job
