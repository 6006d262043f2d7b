"""One client's connection: uvicorn's HTTP protocol, with an end to clients that stall, and room for new ones."""

import asyncio
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_CONNECTIONS = 1000
"""Open at once. When there are more, the one that has been idle longest is closed; where none is idle, the
newcomer is answered 503."""
HEAD_TIMEOUT_S = 5.0
"""Longest wait for the head of a request, a first one included."""
MAX_HEAD_BYTES = 64 * 1024
READ_TIMEOUT_S = 10.0
"""Longest wait for a client that does not take its answer."""
_REFUSAL = (
    b"HTTP/1.1 %s\r\ncontent-type: application/problem+json\r\ncontent-length: %d\r\nconnection: close\r\n%s\r\n%s"
)


class Connection(HttpToolsProtocol):
    """Closes what stalls: uvicorn itself waits for ever for heads and for readers."""

    idle: ClassVar[dict["Connection", None]] = {}
    """Connections without a request, the longest idle first."""
    _deadline: asyncio.TimerHandle | None = None
    _head_bytes = 0
    _in_head = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has connected."""
        super().connection_made(transport)
        if len(self.connections) > MAX_CONNECTIONS:
            if not self.idle:
                self._refuse(b"503 Service Unavailable", b"too many connections; try again", b"retry-after: 1\r\n")
                return
            longest = next(iter(self.idle))
            del self.idle[longest]
            longest.transport.close()
        self._rest()
        self._end_in(HEAD_TIMEOUT_S)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone, whoever ended it."""
        self.idle.pop(self, None)
        self._call_off()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """The client has sent something."""
        if self._in_head:
            self._head_bytes += len(data)
            if self._deadline is None:
                self._end_in(HEAD_TIMEOUT_S)
        super().data_received(data)
        if self._in_head and self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self._refuse(b"431 Request Header Fields Too Large", b"the head is too large; send less", b"")

    def on_headers_complete(self) -> None:
        """The head of a request is there."""
        self._in_head, self._head_bytes = False, 0
        self.idle.pop(self, None)
        self._call_off()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The whole request is there; what comes next is another head."""
        self._in_head = True
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """A request is answered."""
        super().on_response_complete()
        if self.cycle.response_complete and not self.transport.is_closing():
            self._rest()

    def send_400_response(self, msg: str) -> None:
        """What was sent is no HTTP."""
        self._refuse(b"400 Bad Request", msg.rstrip(".").encode(), b"")

    def pause_writing(self) -> None:
        """The client takes nothing any more."""
        super().pause_writing()
        self._end_in(READ_TIMEOUT_S)

    def resume_writing(self) -> None:
        """The client takes its answer again."""
        self._call_off()
        super().resume_writing()

    def _rest(self) -> None:
        self.idle[self] = None

    def _end_in(self, seconds: float) -> None:
        self._call_off()
        self._deadline = self.loop.call_later(seconds, self.transport.abort)

    def _call_off(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _refuse(self, status: bytes, detail: bytes, header: bytes) -> None:
        code, _, title = status.partition(b" ")
        body = b'{"type":"about:blank","title":"%s","status":%s,"detail":"%s"}' % (title, code, detail)
        self.transport.write(_REFUSAL % (status, len(body), header, body))
        self.transport.close()
