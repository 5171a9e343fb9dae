"""Imports of results that lie on the server's host, as jobs."""

from __future__ import annotations

from tornado import web

from ape_jupyter.server.handlers.base import ApeHandler
from ape_jupyter.server.permissions import authenticated, authorized
from ape_jupyter.wire.messages import ImportOrder, Job, JobList

__all__ = ["ImportHandler", "ImportsHandler"]


class ImportsHandler(ApeHandler):
    """``imports``."""

    polled_methods = frozenset({"GET"})

    @authenticated
    @authorized("read", "ape-simulations")
    async def get(self) -> None:
        """List the imports of the library."""
        await self.answer_call(lambda _: JobList(items=self.ape.jobs.latest()))

    @authenticated
    @authorized("write", "ape-simulations")
    async def post(self) -> None:
        """Start an import."""
        self.require_feature(
            self.ape.path_imports, "Results can not be imported by their path", "path_imports"
        )
        order, owner = self.json_body(ImportOrder), self.owner
        job = await self.access.call(lambda _: self.ape.jobs.start(order, owner))
        self.answer(job, status=202)


class ImportHandler(ApeHandler):
    """``imports/{job_id}``."""

    polled_methods = frozenset({"GET"})

    @authenticated
    @authorized("read", "ape-simulations")
    async def get(self, job_id: str) -> None:
        """Answer with how far an import is."""
        await self.answer_call(lambda _: _known(self.ape.jobs.get(job_id)))

    @authenticated
    @authorized("write", "ape-simulations")
    async def delete(self, job_id: str) -> None:
        """Ask an import to stop."""
        await self.answer_call(lambda _: _known(self.ape.jobs.cancel(job_id)))


def _known(job: Job | None) -> Job:
    if job is None:
        raise web.HTTPError(404, "This library knows no such import; it forgets old ones.")
    return job
