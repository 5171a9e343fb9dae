"""What every notebook component shares: the bundle, and requests from the view."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from ape_jupyter.errors import ApeError, InvalidArgumentError
from ape_jupyter.library.interface import Library
from ape_jupyter.wire.encoding import encode
from ape_jupyter.wire.errors import error_body

__all__ = ["Answer", "LibraryWidget"]

_STATIC = Path(__file__).parent / "static"
_log = logging.getLogger(__name__)

Answer = tuple[Any, list[bytes]]
"""What a request returns: a value for JSON, and binary buffers beside it."""


class LibraryWidget(anywidget.AnyWidget):
    """A component whose view asks the kernel for what it shows.

    The view sends ``{"id", "method", "params"}`` and gets ``{"id", "ok", "result"}`` or
    ``{"id", "ok", "error"}``. anywidget's own commands report no errors, so they are not used.
    """

    _esm = _STATIC / "widget.js"
    _css = _STATIC / "widget.css"
    _component = traitlets.Unicode().tag(sync=True)

    def __init__(self, library: Library, **traits: Any) -> None:
        self._library = library
        super().__init__(**traits)
        self.on_msg(self._receive)

    def _methods(self) -> Mapping[str, Callable[[Mapping[str, Any]], Answer]]:
        """Return what the view may call, by name."""
        return {}

    def _receive(self, _widget: object, message: Any, _buffers: list[bytes]) -> None:
        if not isinstance(message, dict) or "id" not in message:
            return
        answer: dict[str, Any] = {"id": message["id"]}
        buffers: list[bytes] = []
        try:
            result, buffers = self._call(message.get("method"), message.get("params") or {})
            answer |= {"ok": True, "result": encode(result)}
        except ApeError as error:
            answer |= {"ok": False, "error": encode(error_body(error))}
        except Exception as error:  # noqa: BLE001 - logged; the view would wait for ever
            _log.exception("%s failed in %s", message.get("method"), type(self).__name__)
            body = {"error": type(error).__name__, "message": str(error), "details": {}}
            answer |= {"ok": False, "error": body}
        self.send(answer, buffers)

    def _call(self, name: object, params: Mapping[str, Any]) -> Answer:
        method = self._methods().get(str(name))
        if method is None:
            raise InvalidArgumentError(f"This component has no {name!r}.")
        return method(params)
