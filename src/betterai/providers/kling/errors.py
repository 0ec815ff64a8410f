"""Kling's errors: a code of its own beside the message, also in replies with status 200 (error-codes page, 2026-09)."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from betterai.core.exceptions import (
    AuthenticationError,
    BadRequestError,
    ContentFilterError,
    OverloadedError,
    PermissionDeniedError,
    ProviderError,
    QuotaExceededError,
    RateLimitError,
)
from betterai.core.wire import WireResponse
from betterai.wire.error_bodies import UNREADABLE, read_error
from betterai.wire.errors import make_error, make_stated_error
from betterai.wire.lenient import Reader

_KINDS: Mapping[int, tuple[int, type[ProviderError] | None]] = {
    **dict.fromkeys(range(1000, 1005), (401, AuthenticationError)),
    **dict.fromkeys(range(1100, 1103), (429, QuotaExceededError)),
    1103: (403, PermissionDeniedError),
    **dict.fromkeys((1200, 1201), (400, BadRequestError)),
    **dict.fromkeys((1202, 1203), (404, None)),
    **dict.fromkeys((1300, 1301), (400, ContentFilterError)),
    **dict.fromkeys((1302, 1303), (429, RateLimitError)),
    1304: (403, PermissionDeniedError),
    5000: (500, OverloadedError), 5001: (503, OverloadedError), 5002: (504, OverloadedError),
}  # fmt: skip
"""The status that a code goes with, and our class. 1100 to 1102 are out of money, although their status is 429."""


class CodeShape(Struct):
    code: int
    message: str = ""


_decode = Reader(CodeShape).decode


def read_failure(reply: WireResponse) -> ProviderError | None:
    """The error that a reply states, whatever its status; None where its code is 0, or where it has none."""
    try:
        said = _decode(reply.content)
    except UNREADABLE:
        return None
    if said.code == 0:
        return None
    status, kind = _KINDS.get(said.code, (500, None))
    if reply.status >= 400:
        status = reply.status
    return make_error(status, reply.headers, code=str(said.code), message=said.message, body=reply.content, kind=kind)


def read_error_reply(reply: WireResponse) -> ProviderError:
    """The error of a reply that is no success."""
    return read_failure(reply) or make_stated_error(read_error(reply.content), reply)


def was_filtered(message: str) -> bool:
    """Whether a failed task was held back for its content: Kling says so in words only (UNVERIFIED:
    no source lists them)."""
    said = message.lower()
    return "risk control" in said or "sensitive" in said
