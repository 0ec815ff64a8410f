"""Stability's errors: `{"id", "name", "errors": […]}` with each status that is none of success."""

from __future__ import annotations

from msgspec import Struct

from betterai.core.exceptions import ContentFilterError, ProviderError
from betterai.core.wire import WireResponse
from betterai.wire.error_bodies import UNREADABLE, read_error
from betterai.wire.errors import make_error, make_stated_error
from betterai.wire.lenient import Reader


class FailureShape(Struct):
    name: str
    errors: list[str]
    id: str = ""


_decode = Reader(FailureShape).decode
_KINDS: dict[str, type[ProviderError]] = {"content_moderation": ContentFilterError}


def read_failure(reply: WireResponse) -> ProviderError:
    """The error that a reply states; in other envelopes too, for whoever stands between."""
    try:
        found = _decode(reply.content)
    except UNREADABLE:
        return make_stated_error(read_error(reply.content), reply)
    error = make_error(
        reply.status,
        reply.headers,
        code=found.name,
        message="; ".join(found.errors),
        body=reply.content,
        kind=_KINDS.get(found.name),
    )
    error.request_id = error.request_id or found.id
    return error
