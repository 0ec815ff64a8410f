"""Requests as they are written: a head that says one thing only, and its body behind it."""

from __future__ import annotations

from base64 import b64encode
from functools import lru_cache
from urllib.parse import unquote

from yarl import URL

from betterai.transport.client.connection import Origin
from betterai.transport.client.inflate import ENCODINGS
from betterai.transport.options import CONTROL, HEADER_NAME

USER_AGENT = "betterai"

_BODY_METHODS = ("POST", "PUT", "PATCH")
_OURS = ("content-length", "transfer-encoding")
_DEFAULTS = {
    "host": "",
    "accept": "Accept: */*",
    "accept-encoding": f"Accept-Encoding: {ENCODINGS}",
    "user-agent": f"User-Agent: {USER_AGENT}",
}
_UNTYPED = "Content-Type: application/octet-stream"


def write_request(method: str, url: URL, headers: dict[str, str], body: bytes | None) -> tuple[Origin, bytes]:
    """Where a request goes, and its bytes. Raises `ValueError` or `TypeError` for what cannot be sent as it is."""
    origin, head = _write_head(method, url, tuple(headers.items()), body is not None)
    if body is not None:
        return origin, b"%bContent-Length: %d\r\n\r\n%b" % (head, len(body), body)
    return origin, head + (b"Content-Length: 0\r\n\r\n" if method in _BODY_METHODS else b"\r\n")


@lru_cache(maxsize=64)
def _write_head(method: str, url: URL, headers: tuple[tuple[str, str], ...], has_body: bool) -> tuple[Origin, bytes]:
    """Calls of one kind differ in their bodies only. What is kept here is as secret as the settings it was made of."""
    if not HEADER_NAME.fullmatch(method):
        raise ValueError("the method is not one of HTTP")
    target = url.raw_path_qs
    if not target.isascii() or " " in target or CONTROL.search(f"{target}{url.host_port_subcomponent}"):
        raise ValueError("the URL cannot be written as it is")
    lines = {"host": f"Host: {url.host_port_subcomponent}"}
    for name, value in headers:
        if not HEADER_NAME.fullmatch(name):
            raise ValueError(f"{name!r} is not the name of a header")
        if CONTROL.search(value):
            raise ValueError(f"the header {name} holds a line break or another control character")
        if name.lower() in _OURS:
            raise ValueError(f"the header {name} follows from the body, and is not to be given")
        lines[name.lower()] = f"{name}: {value}"  # one that is given twice, in two spellings, counts as given last
    if url.raw_user is not None or url.raw_password is not None:
        if "authorization" in lines:
            raise ValueError("a user in the URL and a header Authorization exclude each other")
        login = f"{unquote(url.raw_user or '')}:{unquote(url.raw_password or '')}"
        lines["authorization"] = f"Authorization: Basic {b64encode(login.encode()).decode()}"
    lines = {**_DEFAULTS, **({"content-type": _UNTYPED} if has_body else {}), **lines}
    head = "\r\n".join((f"{method} {target} HTTP/1.1", *lines.values(), ""))
    return (url.scheme, url.raw_host or "", url.port or 0), head.encode()
