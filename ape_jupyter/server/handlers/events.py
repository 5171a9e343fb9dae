"""What happened in the library: asked for, waited for, or sent as it happens."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from jupyter_server.base.websocket import WebSocketMixin
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from ape_jupyter.errors import ApeError
from ape_jupyter.server.handlers.base import ApeHandler
from ape_jupyter.server.permissions import authenticated, authorized
from ape_jupyter.wire.encoding import dumps
from ape_jupyter.wire.events import EventMessage, EventPage, EventQuery, decode_event_query

if TYPE_CHECKING:
    from ape_jupyter.library.local import LocalLibrary

__all__ = ["EventsHandler", "EventsSocket"]

_SENT_AT_ONCE = 500
_GOING_AWAY = 1001
_UNEXPECTED = 1011
_LONGEST_PAUSE_SECONDS = 60


def _query_of(handler: ApeHandler) -> EventQuery:
    return decode_event_query(parse_qsl(handler.request.query, keep_blank_values=True))


def _page(library: LocalLibrary, query: EventQuery) -> EventPage:
    # The end of the log is read first: an event that comes in between is given again, never
    # left out.
    first_seq, last_seq = library.event_range()
    items = library.events(
        since=query.since, types=query.types or None, sim_id=query.sim_id, limit=query.limit
    )
    looked_through = items[-1].seq if len(items) == query.limit else last_seq
    return EventPage(
        items=tuple(items),
        next_since=max(looked_through, query.since),
        first_seq=first_seq,
        last_seq=last_seq,
    )


class EventsHandler(ApeHandler):
    """``events``."""

    polled_methods = frozenset({"GET"})

    @authenticated
    @authorized("read", "ape-simulations")
    async def get(self) -> None:
        """Answer with events, at once or as soon as there are some."""
        query = _query_of(self)
        loop = asyncio.get_running_loop()
        until = loop.time() + query.wait_seconds
        self._gone = asyncio.Event()
        while True:
            page = await self.access.call(lambda library: _page(library, query))
            left = until - loop.time()
            if page.items or left <= 0 or page.first_seq > query.since + 1 or self._gone.is_set():
                break
            await self.ape.events.newer_than(page.next_since, left)
            if self.ape.events.is_closed:
                break
        if not self._gone.is_set():
            self.answer(page)

    def on_connection_close(self) -> None:
        """Stop to wait for who is gone."""
        super().on_connection_close()
        if hasattr(self, "_gone"):
            self._gone.set()


class EventsSocket(WebSocketMixin, WebSocketHandler, ApeHandler):
    """``events/stream``: every event since a number, each once and in order.

    A reader that is slow is sent no more than it takes: what it has not had yet is in the
    log, not in memory.
    """

    polled_methods = frozenset({"GET"})

    _sending: asyncio.Task[None] | None = None

    async def prepare(self) -> None:  # type: ignore[override]  # as in ApeHandler
        """Find out who is asking."""
        # The mixin's own would send a program to the login page.
        await ApeHandler.prepare(self)

    @authenticated
    @authorized("read", "ape-simulations")
    async def get(self, *args: Any, **kwargs: Any) -> None:
        """Become a WebSocket."""
        self._query = replace(_query_of(self), limit=_SENT_AT_ONCE)
        await WebSocketHandler.get(self, *args, **kwargs)

    def open(self, *args: Any, **kwargs: Any) -> None:
        """Start to send."""
        super().open(*args, **kwargs)
        self._sending = asyncio.ensure_future(self._send())

    def on_message(self, message: str | bytes) -> None:
        """Take no orders: whoever listens has nothing to say."""

    def on_close(self) -> None:
        """Stop to send."""
        if self._sending is not None:
            self._sending.cancel()

    async def _send(self) -> None:
        try:
            await self._send_until_closed()
        except WebSocketClosedError:
            return
        except ApeError as error:
            # The client comes back, and is told by REST what is wrong with the library.
            self.log.warning("Events can not be sent: %s", error)
            self.close(_UNEXPECTED, type(error).__name__)

    async def _send_until_closed(self) -> None:
        since = self._query.since
        feed = self.ape.events
        while not feed.is_closed:
            query = replace(self._query, since=since)
            page = await self.access.call(partial(_page, query=query))
            if since + 1 < page.first_seq:
                since = page.last_seq
                await self._tell(EventMessage(resync_from=since + 1))
                continue
            for event in page.items:
                await self._tell(EventMessage(event=event))
            since = page.next_since
            await feed.newer_than(since, _LONGEST_PAUSE_SECONDS)
        self.close(_GOING_AWAY, "The server stops.")

    async def _tell(self, message: EventMessage) -> None:
        await self.write_message(dumps(message))
