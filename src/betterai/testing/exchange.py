"""One recorded exchange as JSON values, in the form that `betterai replay` reads."""

from __future__ import annotations

import hashlib
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from yarl import URL

from betterai.core.data import parse_strict_json
from betterai.core.media import Media
from betterai.core.wire import Field, Multipart, WireRequest, WireResponse
from betterai.testing.scrub import Scrubber, keep_headers
from betterai.transport.address import Endpoint, read_url

Values = Mapping[str, Any]


def write_request(
    request: WireRequest, endpoint: Endpoint, scrubber: Scrubber, headers: Iterable[str] = ()
) -> dict[str, Any]:
    """A request before it is signed, without its secrets. Raises what the transport would for its URL."""
    foreign = request.trust == "foreign"
    url = read_url(request.url, endpoint, keyed=not foreign).extend_query(dict(request.query))
    return {
        "method": request.method,
        "url": scrubber.url(url, signed=foreign),
        "headers": scrubber.value(keep_headers(request.headers, headers, request=True)),
        "body": scrubber.value(_write_body(request.body)),
    }


def _write_body(body: Any) -> Any:
    if body is None:
        return None
    if isinstance(body, Multipart):
        return {"_multipart": [_write_field(field) for field in body.fields]}
    if isinstance(body, Media):
        body = _read_media(body)
    try:
        return _read_json(body)
    except ValueError:
        return {"_binary": len(body), "sha256": hashlib.sha256(body).hexdigest()}


def _read_json(data: bytes) -> Any:
    """JSON values that can be written again. Raises `ValueError` for lone surrogates and too large numbers."""
    value = parse_strict_json(data)
    try:
        msgspec.json.encode(value)
    except OverflowError as error:
        raise ValueError(str(error)) from error
    return value


def _write_field(field: Field) -> dict[str, Any]:
    value: Any = field.value
    if not isinstance(value, str):
        value = _write_body(value)
    named = {"name": field.name, "filename": field.filename, "mime_type": field.mime_type, "value": value}
    return {name: item for name, item in named.items() if item != ""}


def _read_media(media: Media) -> bytes:
    return Path(media.path).read_bytes() if media.path is not None else media.to_bytes()


def write_response(
    status: int, headers: Mapping[str, str], pieces: Sequence[bytes], scrubber: Scrubber, more: Iterable[str] = ()
) -> dict[str, Any]:
    """A reply without its secrets. `pieces` holds the sizes in bytes in which a stream came."""
    kept = scrubber.value(keep_headers(headers, more, request=False))
    body = b"".join(pieces)
    clean = scrubber.raw(body)
    written: dict[str, Any] = {"status": status, "headers": kept}
    try:
        written["body_text"] = clean.decode()
        if len(pieces) == 1:
            written["body"] = scrubber.value(_read_json(body))
            del written["body_text"]
    except UnicodeDecodeError:
        written["body_base64"] = b64encode(clean).decode()
    except ValueError:
        pass  # a text that is no JSON
    if len(pieces) > 1 and clean == body:
        written["pieces"] = [len(piece) for piece in pieces]
    return written


def read_pieces(response: Values) -> list[bytes]:
    """The body in the pieces in which it came."""
    body = read_body(response)
    pieces, place = [], 0
    for size in response.get("pieces", ()):
        pieces.append(body[place : place + size])
        place += size
    return [piece for piece in (*pieces, body[place:]) if piece]


def read_body(response: Values) -> bytes:
    if "body_base64" in response:
        return b64decode(response["body_base64"])
    if "body_text" in response:
        return str(response["body_text"]).encode()
    return msgspec.json.encode(response["body"]) if response.get("body") is not None else b""


def read_reply(response: Values) -> WireResponse:
    return WireResponse(status=response["status"], headers=response.get("headers") or {}, body=read_body(response))


def write_exchange(provider: str, request: dict[str, Any], response: dict[str, Any], origin: str) -> dict[str, Any]:
    """The whole exchange, with what it is about."""
    body = request["body"] if isinstance(request["body"], dict) else {}
    stream = str(response["headers"].get("content-type", "")).startswith("text/event-stream") or bool(
        body.get("stream")
    )
    base = _name_kind(URL(request["url"]).path) + ("-stream" if stream else "")
    error = response["status"] >= 400
    return {
        "id": "",
        "source": {"recorded_by": origin},
        "provider": provider,
        "kind": "error" if error else base,
        "base_kind": base,
        "model": str(body.get("model", "")),
        "stream": stream,
        "error": error,
        "tags": [],
        "fidelity": "wire",
        "elided": 0,
        "notes": [],
        "request": request,
        "response": response,
    }


def _name_kind(path: str) -> str:
    last = path.rstrip("/").rpartition("/")[2]
    return "chat" if path.endswith("/chat/completions") else re.sub(r"[^\w-]+", "-", last) or "root"


PARTS = ("method", "host", "path", "query", "body")
"""What two requests are compared by."""


def list_differences(one: Values, other: Values, parts: Iterable[str], ignore: frozenset[str]) -> list[str]:
    """Where two written requests differ: "body/messages/0/content: 'a' is not 'b'". The order of fields is none."""
    left, right = _split(one, ignore), _split(other, ignore)
    return [text for part in parts for text in _compare(part, left[part], right[part])]


def _split(request: Values, ignore: frozenset[str]) -> dict[str, Any]:
    url = URL(request["url"])
    return {
        "method": request["method"],
        "host": str(url.origin()),
        "path": url.path,
        "query": {name: value for name, value in sorted(url.query.items()) if name not in ignore},
        "body": _leave_out(request.get("body"), ignore),
    }


def _leave_out(value: Any, ignore: frozenset[str]) -> Any:
    if isinstance(value, dict):
        return {name: _leave_out(item, ignore) for name, item in value.items() if name not in ignore}
    return [_leave_out(item, ignore) for item in value] if isinstance(value, list) else value


def _compare(place: str, one: Any, other: Any) -> Iterator[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        for name in sorted({*one, *other}):
            yield from _compare(f"{place}/{name}", one.get(name, _ABSENT), other.get(name, _ABSENT))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from _compare(f"{place}/{index}", left, right)
    elif one != other or isinstance(one, bool) != isinstance(other, bool):
        yield f"{place}: {one!r:.80} is not {other!r:.80}"


class _Absent:
    def __repr__(self) -> str:
        return "nothing"


_ABSENT = _Absent()
