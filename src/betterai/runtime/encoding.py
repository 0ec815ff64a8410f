"""From a codec's request to bytes: `extra_body` on top, JSON for structs and mappings."""

from __future__ import annotations

from collections.abc import Mapping
from random import getrandbits
from typing import Any

import msgspec

from betterai.core.exceptions import ValidationError
from betterai.core.media import Media
from betterai.core.provider import Provider
from betterai.core.wire import JSON_HEADERS, Field, Multipart, Rest, WireRequest

LARGE = 1024 * 1024
"""Above so many bytes, bodies are written and read in a thread: so that the loop is not held up."""
_encode = msgspec.json.Encoder().encode
_AS_IT_IS = (type(None), bytes, Multipart, Media, Rest)


def encode_request(
    request: WireRequest, extra_body: Mapping[str, Any] | None = None, *, large: bool = False
) -> WireRequest:
    """The request with its body as bytes; forms and media stay as they are. Raises `ValidationError`.

    `large`: there may be long texts in it, and it is written in a thread.
    """
    body = request.body
    if extra_body and isinstance(body, Multipart):
        return msgspec.structs.replace(request, body=add_fields(body, extra_body))
    if body.__class__ is not dict and isinstance(body, _AS_IT_IS):
        return request
    if extra_body:
        body = _merge(body if isinstance(body, dict) else msgspec.to_builtins(body), extra_body)
    try:
        encoded = _encode_in_slices(body) if large else _encode(body)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValidationError(f"the request cannot be written as JSON: {error}") from error
    headers = {**JSON_HEADERS, **request.headers} if request.headers else JSON_HEADERS
    return msgspec.structs.replace(request, body=encoded, headers=headers)


def _encode_in_slices(body: Any) -> bytes:
    """JSON whose long texts are written a slice at a time: while one call writes it all, no other thread has its turn,
    and so the event loop has none.
    """
    mark, texts = f"{getrandbits(128):032x}", []

    def put_aside(value: Any) -> Any:
        if isinstance(value, str):
            if len(value) <= LARGE:
                return value
            texts.append(value)
            return mark
        if isinstance(value, Mapping):
            return {name: put_aside(item) for name, item in value.items()}
        if isinstance(value, list | tuple):
            return [put_aside(item) for item in value]
        if isinstance(value, msgspec.Struct):
            found = {name: getattr(value, name) for name in value.__struct_fields__}
            changed = {name: kept for name, item in found.items() if (kept := put_aside(item)) is not item}
            return msgspec.structs.replace(value, **changed) if changed else value
        return value

    first, *rest = _encode(put_aside(body)).split(f'"{mark}"'.encode())
    pieces = [first]
    for text, following in zip(texts, rest, strict=True):
        slices = [_encode(text[at : at + LARGE])[1:-1] for at in range(0, len(text), LARGE)]
        pieces += [b'"', *slices, b'"', following]
    return b"".join(pieces)


def add_fields(form: Multipart, extra: Mapping[str, Any]) -> Multipart:
    """The form with more fields, in place of ours of the same name: texts as they are, everything else as JSON."""
    kept = tuple(field for field in form.fields if field.name not in extra)
    added = tuple(
        Field(name=name, value=value if isinstance(value, str | Media) else _encode(value).decode())
        for name, value in extra.items()
    )
    return Multipart(fields=(*kept, *added))


def _merge(body: Mapping[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """Objects into objects, everything else on top. Neither is changed."""
    merged = dict(body)
    for name, value in extra.items():
        known = merged.get(name)
        inner = isinstance(known, Mapping) and isinstance(value, Mapping)
        merged[name] = _merge(known, value) if inner else value  # type: ignore[arg-type]
    return merged


def check_size(request: WireRequest, most: int | None, provider: Provider) -> None:
    """Raises `ValidationError` for an encoded body larger than the provider takes (`max_body_bytes` of its codec)."""
    size = len(request.body) if isinstance(request.body, bytes) else 0
    if most is not None and size > most:
        raise ValidationError(
            f"the request has {size} bytes, and {provider.title or provider.name} takes at most {most}",
            hint="upload the media with betterai.files.upload, and send handle.media()"
            if "files" in provider.protocols
            else "send less",
        )
