"""Runs: finding, reading, opening, deleting."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from tornado import web

from ape_jupyter.cache.leases import Lease, leased
from ape_jupyter.errors import InvalidArgumentError
from ape_jupyter.model.listing import SearchRequest
from ape_jupyter.model.query import Age, QueryNode, Within, leaves
from ape_jupyter.model.simulation import SimulationMetadata
from ape_jupyter.server.handlers.base import ApeHandler
from ape_jupyter.server.permissions import authenticated, authorized
from ape_jupyter.services.search.requests import search_tree
from ape_jupyter.wire.encoding import dumps
from ape_jupyter.wire.messages import OpenedSimulation, OpenedTable
from ape_jupyter.wire.searches import decode_search, is_remembered
from ape_jupyter.wire.transactions import MetadataChange

if TYPE_CHECKING:
    from ape_jupyter.library.local import LocalLibrary

_REVISION = re.compile(r'"(\d{1,18})"')

__all__ = [
    "DocumentsHandler",
    "OpenHandler",
    "RestoreHandler",
    "SimulationHandler",
    "SimulationsHandler",
]


class SimulationsHandler(ApeHandler):
    """``simulations``."""

    polled_methods = frozenset({"GET"})

    @authenticated
    @authorized("read", "ape-simulations")
    async def get(self) -> None:
        """Answer a search, or with 304 when no run has changed since it was last answered."""
        try:
            pairs = parse_qsl(self.request.query, keep_blank_values=True, max_num_fields=200)
        except ValueError:
            raise InvalidArgumentError("The search has too many parameters.") from None
        request, remember = decode_search(pairs), is_remembered(pairs)
        user = self.owner
        etags = {tag.strip() for tag in self.request.headers.get("If-None-Match", "").split(",")}

        def search(library: LocalLibrary) -> tuple[str, str | None]:
            # The revision is read first: a change in between makes the tag too old, and an
            # old tag only costs another question.
            etag = _etag(library, request)
            if etag in etags:
                return etag, None
            return etag, dumps(library.search_page(request, remember=remember, user=user))

        etag, page = await self.access.call(search)
        self.set_header("ETag", etag)
        if page is None:
            self.set_status(304)
            self.finish()
        else:
            self.answer_text(page)


def _etag(library: LocalLibrary, request: SearchRequest) -> str:
    conditions = leaves(search_tree(request))
    if any(isinstance(end, Age) for node in conditions for end in _ends(node)):
        # "created:<30d" finds other runs a moment later, whether something changed or not.
        return f'W/"{uuid.uuid4().hex}"'
    asked = hashlib.sha256(repr((library.location, request)).encode()).hexdigest()[:16]
    return f'W/"{library.revision()}-{asked}"'


def _ends(node: QueryNode) -> tuple[object, ...]:
    return (node.since, node.until) if isinstance(node, Within) else ()


class SimulationHandler(ApeHandler):
    """``simulations/{sim_id}``."""

    @authenticated
    @authorized("read", "ape-simulations")
    async def get(self, sim_id: str) -> None:
        """Answer with the metadata of a run, and its revision as the ETag."""
        self._answer_run(await self.access.call(lambda library: library.get_metadata(sim_id)))

    @authenticated
    @authorized("write", "ape-simulations")
    async def patch(self, sim_id: str) -> None:
        """Change fields of the metadata, if the run is still as ``If-Match`` says."""
        expected = self._expected_revision()
        changes = self.json_body(MetadataChange).changes()
        user = self.owner

        def update(library: LocalLibrary) -> SimulationMetadata:
            return library.update_metadata(sim_id, expected_revision=expected, user=user, **changes)

        self._answer_run(await self.access.call(update))

    def _expected_revision(self) -> int | None:
        """Return the revision of ``If-Match``; None when any will do."""
        text = self.request.headers.get("If-Match", "").strip()
        if not text:
            raise web.HTTPError(
                428, 'Send If-Match with the ETag of the run as you know it, or "*" for any.'
            )
        if text == "*":
            return None
        if revision := _REVISION.fullmatch(text):
            return int(revision[1])
        raise InvalidArgumentError(f"If-Match should be an ETag of a run, and is {text!r}.")

    def _answer_run(self, run: SimulationMetadata) -> None:
        self.set_header("ETag", f'"{run.revision}"')
        self.answer(run)

    @authenticated
    @authorized("write", "ape-simulations")
    async def delete(self, sim_id: str) -> None:
        """Move a run to the trash."""
        user = self.owner
        await self.answer_call(lambda library: library.delete(sim_id, user=user))


class RestoreHandler(ApeHandler):
    """``simulations/{sim_id}/restore``."""

    @authenticated
    @authorized("write", "ape-simulations")
    async def post(self, sim_id: str) -> None:
        """Bring a run back from the trash."""
        user = self.owner
        await self.answer_call(lambda library: library.restore(sim_id, user=user))


class DocumentsHandler(ApeHandler):
    """``simulations/{sim_id}/documents``."""

    @authenticated
    @authorized("read", "ape-simulations")
    async def get(self, sim_id: str) -> None:
        """Answer with the protocol, parameters and audit log of a run."""
        await self.answer_call(lambda library: library.documents(sim_id))


class OpenHandler(ApeHandler):
    """``simulations/{sim_id}/open``."""

    @authenticated
    @authorized("read", "ape-simulations")
    async def post(self, sim_id: str) -> None:
        """Make the tables of a run ready to be mapped, and answer with where they are."""
        is_shared = self.ape.shared_cache

        def open_tables(library: LocalLibrary) -> OpenedSimulation:
            def described(paths: Mapping[str, Path], _: Lease) -> dict[str, OpenedTable]:
                return {
                    name: OpenedTable(
                        path=str(path) if is_shared else "", size_bytes=path.stat().st_size
                    )
                    for name, path in paths.items()
                }

            metadata = library.get_metadata(sim_id)
            tables = leased(lambda: library.open_tables(metadata.sim_id).paths, described)
            return OpenedSimulation(metadata=metadata, tables=tables)

        await self.answer_call(open_tables, heavy=True)
