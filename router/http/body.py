"""Reads a request's body before anything is decided: bounded in size, in time, and over all requests together."""

import asyncio
from dataclasses import dataclass
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.types import Message, Receive

MAX_BODY_BYTES = 1024 * 1024
MAX_BATCH_BODY_BYTES = 34 * 1024 * 1024
"""A thousand tasks of the greatest length, and their wrapping."""
MAX_BUFFERED_BYTES = 2 * MAX_BATCH_BODY_BYTES
"""All bodies that are held at once; a body that does not fit in is refused with 503."""
BODY_TIMEOUT_S = 10.0
"""Longest wait for the whole of a body."""


class Gone(Exception):
    """The client left before its body was complete."""


@dataclass
class Bodies:
    """Counts what is held."""

    held: int = 0

    async def read(self, receive: Receive, limit: int) -> bytes:
        """Return the body, which counts as held until `release`.

        Raises:
            HTTPException: it is too large, too slow, or there is no room now.
            Gone: the client left.
        """
        body = bytearray()
        try:
            async with asyncio.timeout(BODY_TIMEOUT_S):
                more = True
                while more:
                    part, more = await _part(receive)
                    body += part
                    self.held += len(part)
                    self._check(len(body), limit)
        except BaseException as error:
            self.release(len(body))
            if isinstance(error, TimeoutError):
                slow = f"the body was not complete after {BODY_TIMEOUT_S:g} s"
                raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, slow, {"Connection": "close"}) from None
            raise
        return bytes(body)

    def release(self, size: int) -> None:
        """A body of this size is no longer held."""
        self.held -= size

    def _check(self, size: int, limit: int) -> None:
        if size > limit:
            raise too_large(limit)
        if self.held > MAX_BUFFERED_BYTES:
            full = {"Retry-After": "1", "Connection": "close"}
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, "too many large requests at once; try again", full)


async def _part(receive: Receive) -> tuple[bytes, bool]:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise Gone
    return message.get("body", b""), message.get("more_body", False)


def too_large(limit: int) -> HTTPException:
    """What a body of more than `limit` bytes is answered."""
    said = f"the body has more than {limit} bytes; send the ask alone"
    return HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, said, {"Connection": "close"})


def replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the whole body, and then what else comes."""
    given = False

    async def replayed() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed
