"""What the head of a request alone is reason to refuse. Raises starlette's `HTTPException`."""

import ipaddress
from collections.abc import Iterable
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException

from router.http.body import too_large
from router.http.connection import MAX_HEAD_BYTES

ONCE = frozenset({b"authorization", b"content-type", b"content-encoding", b"host"})
"""Headers that decide: of two, a proxy may have looked at the other one."""
CLOSE = {"Connection": "close"}


def single(headers: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """The headers by name; refused where there are too many, or two of one that decides."""
    found: dict[bytes, bytes] = {}
    size = 0
    for name, value in headers:
        size += len(name) + len(value)
        if name in ONCE and name in found:
            raise HTTPException(HTTPStatus.BAD_REQUEST, f"send one `{name.decode()}`, not two", CLOSE)
        found[name] = value
    if size > MAX_HEAD_BYTES:
        raise HTTPException(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "the head is too large; send less", CLOSE)
    return found


def check_head(headers: dict[bytes, bytes], limit: int) -> None:
    """Refuse a body that is not plain JSON, or larger than `limit` bytes."""
    length = headers.get(b"content-length", b"0")
    if length == b"0" and b"transfer-encoding" not in headers:
        return
    if b"upgrade" in headers:  # the parser takes what follows for another protocol
        raise HTTPException(HTTPStatus.BAD_REQUEST, "send no `Upgrade` with a body; this is HTTP/1.1 alone", CLOSE)
    kind = headers.get(b"content-type", b"").split(b";")[0].strip().lower()
    if kind != b"application/json":
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send JSON, with `content-type: application/json`")
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send the JSON as it is, without `content-encoding`")
    if length.isdigit() and int(length) > limit:
        raise too_large(limit)


def check_local(headers: dict[bytes, bytes]) -> None:
    """Refuse what a browser was made to send: by a foreign page, or by a name that was bent to this machine."""
    if not _is_local(b"//" + headers.get(b"host", b"localhost")):
        said = "this service is for its own machine: call it by 127.0.0.1 or localhost, or set ROUTER_TOKEN"
        raise HTTPException(HTTPStatus.MISDIRECTED_REQUEST, said)
    if b"origin" in headers and not _is_local(headers[b"origin"]):
        raise HTTPException(HTTPStatus.FORBIDDEN, "no other site's page may call this service without a token")


def _is_local(url: bytes) -> bool:
    try:
        name = urlsplit(url.decode("ascii")).hostname or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
