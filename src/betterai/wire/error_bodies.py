"""What the body of an error says, in all the envelopes that vendors use. Shared by all protocols; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from betterai.core.data import Data

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, OverflowError)
"""What decoding JSON raises for bytes that are none, or that are nested without end, or for numbers without measure."""

_STATUS = re.compile("[45][0-9]{2}")
_STATUS_WORDS = {
    "invalid_request_error": 400, "badrequesterror": 400, "tool_use_failed": 400, "json_validate_failed": 400,
    "context_length_exceeded": 400, "exceed_context_size_error": 400, "content_filter": 400,
    "authentication_error": 401, "invalid_api_key": 401, "permission_error": 403, "not_found_error": 404,
    "notfounderror": 404, "model_not_found": 404, "rate_limit_error": 429, "rate_limit_exceeded": 429,
    "insufficient_quota": 429, "overloaded_error": 503, "unavailable_error": 503, "timeout_error": 504,
}  # fmt: skip


class ErrorBody(Data, frozen=True, kw_only=True):
    """What a body says of its error. `code` is the vendor's word for it: its type where the code only repeats the HTTP
    status. `about` is the parameter it names; `status` a status that the body states.
    """

    code: str = ""
    type: str = ""
    message: str = ""
    about: str = ""
    status: int | None = None

    @property
    def likely_status(self) -> int:
        """The HTTP status that the error would have had, for one that came with status 200."""
        words = (self.code.lower(), self.type.lower())
        return self.status or next((_STATUS_WORDS[word] for word in words if word in _STATUS_WORDS), 500)


def read_error(body: bytes) -> ErrorBody:
    """What the body says, in any of the envelopes that vendors use; nothing where it is no JSON."""
    try:
        return read_error_value(msgspec.json.decode(body))
    except UNREADABLE:
        return ErrorBody()


def read_error_value(value: Any) -> ErrorBody:
    """The same for JSON that is decoded: an object with or without `error`, a list of one, or a text."""
    if isinstance(value, list) and value:
        value = value[0]
    if not isinstance(value, dict):
        return ErrorBody(message=value if isinstance(value, str) else "")
    inner = value.get("error")
    found = inner if isinstance(inner, dict) else value
    code, kind = _to_text(found.get("code")), _to_text(found.get("type"))
    return ErrorBody(
        code=kind if kind and _STATUS.fullmatch(code) else code or kind,
        type=kind,
        message=_find_message(inner, found),
        about=_to_text(found.get("param")),
        status=_find_status(found, value),
    )


def _find_message(inner: Any, found: Mapping[str, Any]) -> str:
    if isinstance(inner, str) and inner:
        return inner
    message = next((_read_message(found[name]) for name in ("message", "detail", "msg") if found.get(name)), "")
    metadata = found.get("metadata")
    raw = metadata.get("raw") if isinstance(metadata, dict) else None
    return f"{message}: {raw}" if isinstance(raw, str) and raw else message


def _read_message(value: Any) -> str:
    """A text; and the lists of faults that some servers give, each with its place in the request."""
    faults = value.get("detail") if isinstance(value, dict) else value
    if not isinstance(faults, list) or not all(isinstance(fault, dict) and fault.get("msg") for fault in faults):
        return _to_text(value)
    return "; ".join(f"{'.'.join(map(str, fault.get('loc') or ()))}: {fault['msg']}".lstrip(": ") for fault in faults)


def _find_status(*places: Mapping[str, Any]) -> int | None:
    for place in places:
        for name in ("status_code", "code", "status"):
            value = place.get(name)
            if isinstance(value, str | int) and _STATUS.fullmatch(str(value)):
                return int(value)
    return None


def _to_text(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return msgspec.json.encode(value).decode()


def is_bare_error(body: bytes) -> bool:
    """Whether an object without an `error` is one all the same: some servers put its fields at the top."""
    try:
        value = msgspec.json.decode(body)
    except UNREADABLE:
        return False
    named = isinstance(value, dict) and "message" in value and ("type" in value or "code" in value)
    return named or (isinstance(value, dict) and value.get("object") == "error")
