"""How the server and its library are, and what can be asked of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_server.utils import url_path_join

from ape_jupyter.model.listing import SearchRequest
from ape_jupyter.model.version import package_version
from ape_jupyter.server.handlers.base import ApeHandler
from ape_jupyter.server.permissions import authenticated, authorized
from ape_jupyter.wire.messages import Health, LibraryHealth
from ape_jupyter.wire.openapi import openapi_document
from ape_jupyter.wire.version import API_PATH, API_VERSION

if TYPE_CHECKING:
    from ape_jupyter.library.local import LocalLibrary

__all__ = ["DescriptionHandler", "HealthHandler"]


class HealthHandler(ApeHandler):
    """``health``."""

    polled_methods = frozenset({"GET"})

    @authenticated
    @authorized("read", "ape-simulations")
    async def get(self) -> None:
        """Answer with versions and the library; 503 with the reason when it does not open."""
        self.answer(
            Health(
                status="ok",
                version=package_version(),
                api_version=API_VERSION,
                library=await self.access.call(_library_health),
                features=self.ape.features,
            )
        )


def _library_health(library: LocalLibrary) -> LibraryHealth:
    return LibraryHealth(
        location=library.location,
        n_simulations=library.search_page(SearchRequest(limit=1)).total,
        revision=library.revision(),
        file_system=library.file_system,
    )


class DescriptionHandler(ApeHandler):
    """``openapi.json``."""

    @authenticated
    @authorized("read", "ape-simulations")
    async def get(self) -> None:
        """Answer with the OpenAPI document."""
        self.answer(openapi_document(url_path_join(self.base_url, API_PATH)))
