"""What the body of an error says: `err_code` and `err_msg`, or `category`, `message` and `details`, or a text.

From deepgram-sdk 7.17.0, types/error_response*.py.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from betterai.core.exceptions import ModelNotFoundError, ProviderError
from betterai.core.wire import WireResponse
from betterai.wire.error_bodies import UNREADABLE, ErrorBody, read_error_value
from betterai.wire.errors import make_stated_error

_NO_MODEL = re.compile(r"no such model", re.IGNORECASE)
"""UNVERIFIED: how a 400 for an unknown model begins."""


def make_deepgram_error(reply: WireResponse) -> ProviderError:
    """The error that a reply is; the body's id is the request's."""
    try:
        value: Any = msgspec.json.decode(reply.content)
    except UNREADABLE:
        return make_stated_error(_read_text(reply.content), reply)
    words = {name: text for name, text in value.items() if isinstance(text, str)} if isinstance(value, dict) else {}
    found = _read_words(words) or read_error_value(value)
    unknown = reply.status in (400, 404) and _NO_MODEL.search(found.message)
    error = make_stated_error(found, reply, kind=ModelNotFoundError if unknown else None)
    error.request_id = error.request_id or words.get("request_id", "")
    return error


def _read_words(words: dict[str, str]) -> ErrorBody | None:
    if "err_msg" in words or "err_code" in words:
        return ErrorBody(code=words.get("err_code", ""), message=words.get("err_msg", ""))
    if "category" in words:
        said = (words.get("message"), words.get("details"))
        return ErrorBody(code=words["category"], message=": ".join(text for text in said if text))
    return None


def _read_text(body: bytes) -> ErrorBody:
    """Some errors are plain text. A page of HTML, which a gateway wrote, is left to those who describe bodies."""
    text = body[:2000].decode("utf-8", "replace").strip()
    return ErrorBody() if text.startswith("<") else ErrorBody(message=text)
