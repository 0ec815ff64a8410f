"""Errors of the protocol: HTTP replies with their kind in a header, and exceptions inside a stream."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from betterai.core.exceptions import AuthenticationError, OverloadedError, ProviderError, QuotaExceededError
from betterai.core.wire import Event, WireResponse
from betterai.wire.error_bodies import UNREADABLE, ErrorBody, read_error
from betterai.wire.errors import make_error

KIND_HEADER = "x-amzn-errortype"

_STATUS = {
    "accessdenied": 403, "throttling": 429, "toomanyrequests": 429, "servicequotaexceeded": 400,
    "resourcenotfound": 404, "modeltimeout": 408, "modelerror": 424, "modelstreamerror": 424, "modelnotready": 429,
    "internalserver": 500, "internalfailure": 500, "serviceunavailable": 503, "validation": 400,
}  # fmt: skip
"""The status of an error that comes inside a stream, by its kind (botocore 1.44, bedrock-runtime)."""

_KINDS: Mapping[str, type[ProviderError]] = {
    "servicequotaexceeded": QuotaExceededError,
    "modelnotready": OverloadedError,
    "modelerror": ProviderError,
    "modelstreamerror": ProviderError,
    "unrecognizedclient": AuthenticationError,
    "invalidclienttokenid": AuthenticationError,
    "expiredtoken": AuthenticationError,
    "invalidsignature": AuthenticationError,
    "signaturedoesnotmatch": AuthenticationError,
    "incompletesignature": AuthenticationError,
    "missingauthenticationtoken": AuthenticationError,
}
"""Kinds that say more than their status: signatures that are not accepted are a 403,
and a model that failed is a 424, which is no fault of the request."""


def parse_failure(reply: WireResponse) -> ProviderError:
    """The error that a reply with an error status is. Its kind stands in a header, before a colon."""
    said = reply.headers.get(KIND_HEADER, "")
    return make_failure(reply.status, reply.headers, said.partition(":")[0], reply.content)


def parse_exception(kind: str, event: Event) -> ProviderError:
    """The error that a frame of a stream is, the same as if it had come with its own status."""
    return make_failure(_STATUS.get(_shorten(kind), 500), {}, kind, event.data)


def make_failure(status: int, headers: Mapping[str, str], kind: str, body: bytes) -> ProviderError:
    found = _read_body(body)
    code = kind.rpartition("#")[2] or found.code
    return make_error(
        status,
        headers,
        code=code,
        message=found.message,
        about=found.about,
        type=found.type,
        body=body,
        kind=_KINDS.get(_shorten(code)),
    )


def _read_body(body: bytes) -> ErrorBody:
    """`message` or `Message`, and what the model behind the service said where that is more."""
    try:
        fields = msgspec.json.decode(body)
    except UNREADABLE:
        return ErrorBody()
    if not isinstance(fields, dict) or "error" in fields:
        return read_error(body)
    found = read_error(body)
    message = found.message or str(fields.get("Message") or "")
    code = str(fields.get("__type") or found.code).rpartition("#")[2]
    original = fields.get("originalMessage")
    if isinstance(original, str) and original and original not in message:
        message = f"{message}: {original}" if message else original
    return msgspec.structs.replace(found, message=message, code=code)


def _shorten(kind: str) -> str:
    """ "ThrottlingException" in headers is "throttlingException" in streams; some old kinds leave the ending out."""
    return re.sub(r"(Exception|Error)$", "", kind.rpartition("#")[2]).lower()
