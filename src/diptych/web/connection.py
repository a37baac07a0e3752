"""One client's connection: cut off if the client is slow."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

TOO_SLOW = (
    b"HTTP/1.1 408 Request Timeout\r\n"
    b"content-type: application/json\r\n"
    b"connection: close\r\n"
    b"content-length: %d\r\n\r\n%s"
)
LEAST_BYTES = 1 << 16
"""Who takes fewer in the time that a client has is cut off, unless fewer were left."""
DETAIL = b'{"detail":"the request did not arrive in time: send it faster, or less"}'
MALFORMED = b'{"detail":"this is no request in HTTP/1.1: see RFC 9112 for its lines, headers and body"}'
MALFORMED_HEADERS = [
    (b"content-type", b"application/json"),
    (b"content-length", str(len(MALFORMED)).encode()),
    (b"connection", b"close"),
]


class ClientConnection(H11Protocol):
    """HTTP/1.1 as uvicorn speaks it, with a time limit on both sides of the application's own time.

    A whole request must arrive within so many seconds of its first byte (the first one: of the connection). Of what is
    sent, a part must be taken in every such time, from when the buffers are full or the answer is complete.
    """

    def __init__(self, *arguments: Any, seconds: float, **options: Any) -> None:
        """Cut off a client that takes longer than these seconds."""
        super().__init__(*arguments, **options)
        self._seconds = seconds
        self._reading: asyncio.TimerHandle | None = None
        self._writing: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See `asyncio.Protocol`."""
        super().connection_made(transport)
        self._expect_request()

    def connection_lost(self, error: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        super().connection_lost(error)
        self._request_arrived()
        self._client_took()

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        self._client_took()
        super().data_received(data)
        if self.conn.their_state in (h11.IDLE, h11.SEND_BODY):
            self._expect_request()
        else:
            self._request_arrived()

    def send_400_response(self, msg: str) -> None:
        """What uvicorn calls for bytes that are no request: say so in JSON, as every refusal is, and hang up."""
        with suppress(h11.LocalProtocolError):  # an answer is under way: it is cut off
            for event in (
                h11.Response(status_code=400, headers=MALFORMED_HEADERS, reason=b"Bad Request"),
                h11.Data(data=MALFORMED),
                h11.EndOfMessage(),
            ):
                self.transport.write(self.conn.send(event) or b"")
        self._hang_up()

    def on_response_complete(self) -> None:
        """What uvicorn calls after each answer."""
        super().on_response_complete()
        if self.transport.get_write_buffer_size():
            self._expect_client_to_take()
        begun = bool(self.conn.trailing_data[0]) or self.conn.their_state is h11.SEND_BODY
        if begun and not self.transport.is_closing():
            self._expect_request()

    def pause_writing(self) -> None:
        """See `asyncio.BaseProtocol`."""
        super().pause_writing()
        self._expect_client_to_take()

    def resume_writing(self) -> None:
        """See `asyncio.BaseProtocol`."""
        super().resume_writing()
        self._client_took()

    def _expect_request(self) -> None:
        if self._reading is None:
            self._reading = self.loop.call_later(self._seconds, self._refuse_to_wait)

    def _request_arrived(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    def _expect_client_to_take(self) -> None:
        if self._writing is None:
            unsent = self.transport.get_write_buffer_size()
            self._writing = self.loop.call_later(self._seconds, self._check_that_client_takes, unsent)

    def _check_that_client_takes(self, before: int) -> None:
        self._writing = None
        unsent = self.transport.get_write_buffer_size()
        if before - unsent < min(before, LEAST_BYTES):
            self.transport.abort()
        elif unsent:
            self._expect_client_to_take()

    def _client_took(self) -> None:
        if self._writing is not None:
            self._writing.cancel()
            self._writing = None

    def _refuse_to_wait(self) -> None:
        """Say that the request came too slowly, where nothing has been said yet, and hang up."""
        silent = self.cycle is None or self.cycle.response_complete or not self.cycle.response_started
        if silent and not self.transport.is_closing():
            self.transport.write(TOO_SLOW % (len(DETAIL), DETAIL))
        self._hang_up()
        self._expect_client_to_take()

    def _hang_up(self) -> None:
        """Close, and let what the application may still be answering be lost: the client has its answer already."""
        self.transport.close()
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
