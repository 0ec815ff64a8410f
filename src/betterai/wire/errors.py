"""From an HTTP error to our class: by status first, by body second. Shared by all protocols; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import ceil

import msgspec

from betterai.core.exceptions import (
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    ContentFilterError,
    ContextLengthError,
    ModelNotFoundError,
    OverloadedError,
    PermissionDeniedError,
    ProviderError,
    QuotaExceededError,
    RateLimitError,
)
from betterai.core.wire import REQUEST_ID_HEADERS, WireResponse
from betterai.wire.error_bodies import ErrorBody
from betterai.wire.waits import RETRY_WORDS, parse_retry_after


def read_request_id(headers: Mapping[str, str]) -> str:
    """The provider's own id of a request, which its support asks for."""
    for name in REQUEST_ID_HEADERS:
        if name in headers:
            return headers[name]
    return ""


# What follows are the vendors' own words, as recorded or documented (2026-11). Each phrase is long enough not to be met
# by chance: rate limit messages link to billing pages, and a limit on images is no limit of the context.
_QUOTA = re.compile(
    r"insufficient.?(quota|balance|credits?|funds)|exceeded.your.current.quota|exceeded_current_quota|plan and billing|"
    r"billing.?(hard.?limit|not.?active)|credit balance|(any|no|out of|enough|available) credits|spend(ing)?.?limit|"
    r"reached your specified.{0,20} usage limits|key limit exceeded|payment.?required",
    re.IGNORECASE,
)
_RATE_CODES = frozenset({"rate_limit_exceeded", "rate_limit_error", "ratelimitreached", "too_many_requests"})
_NOT_RATE = re.compile(r"request too large|tokens must be reduced|reduce your message size", re.IGNORECASE)
_KEY = re.compile(r"invalid.?api.?key|incorrect api key|api.?key.{0,10}(not valid|invalid)", re.IGNORECASE)
_CONTEXT = re.compile(
    r"(?<!search_)context.?(length|window|size|limit)|maximum (context|prompt|model) length|max_new_tokens. must be|"
    r"(prompt|input|messages) (is|are) too long|too.many.(\w+.)?tokens|reduce the length of the|"
    r"maximum number of (?!output|completion)(\w+ )?tokens",
    re.IGNORECASE,
)
_FILTER = re.compile(
    r"content management policy|content.?policy.?violation|safety (system|polic)|content exists risk|responsible.?ai|"
    r"(violat\w+|breach\w*|against) .{0,60}(content|usage) (polic|guideline)|requires moderation|"
    r"(prompt|input|content|message|image)s? (was|were|is|has been) flagged|content.?filter (triggered|blocked)|"
    r"(triggered|(blocked|filtered|rejected) by) .{0,40}(content.?filter|moderation)|nsfw content",
    re.IGNORECASE,
)
_FILTER_CODES = frozenset(
    {"content_filter", "content_policy_violation", "moderation_blocked", "responsibleaipolicyviolation",
     "data_inspection_failed", "datainspectionfailed"}
)  # fmt: skip
_NO_MODEL = re.compile(
    r"model.?not.?found|model_decommissioned|unknown_model|invalid_model\b|deploymentnotfound|invalid model( name|:)|"
    r"not a valid model|model identifier is invalid|unable to access model|no endpoints found for \S|"
    r"models?[ /](\S{1,200} )?(does not exist|not found|is not found|not exist)|"
    r"model \S{1,200} (has been|was|is) (decommissioned|deprecated|removed|retired)|model version has reached the end",
    re.IGNORECASE,
)
_MODEL = re.compile(r"\bmodels?\b", re.IGNORECASE)
_NOT_MODEL = re.compile(r"support|invalid url|no route|unknown (url|path|endpoint)", re.IGNORECASE)
_FAULTS = re.compile(
    r"(unknown|unsupported|missing_required)_(parameter|value)|invalid_(type|json\w*|value|function_parameters|image_\w+)|"
    r"\w+_(above_max|below_min)_\w+|empty_\w+|tool_use_failed|json_validate_failed",
    re.IGNORECASE,
)
"""Codes that name a fault of the request: its message may then speak of anything, a filter or a context among it."""

_SAME_AGAIN = frozenset({ContextLengthError, ContentFilterError})
"""What the same model says of the same conversation each time, whatever else is said."""

_HINTS: Mapping[type[ProviderError], str] = {
    AuthenticationError: "check the key",
    PermissionDeniedError: "the key is valid, but may not do this: check the account's permissions",
    QuotaExceededError: "the account is out of credit or quota: waiting does not help",
    ContextLengthError: "shorten the conversation, or take a model with a larger context window",
    ModelNotFoundError: "check the model's name, and that the account has access to it",
}


_READ = 4096
"""As much of a text is looked through for phrases: what is longer echoes the request."""


def classify_error(
    status: int, code: str, message: str, about: str = "", type: str = ""
) -> tuple[type[ProviderError], bool]:
    """Our class and whether the same call may succeed later. `about` is the parameter that the error names."""
    said = f"{code[:_READ]} {type[:_READ]} {message[:_READ]}"
    if status == 401:
        return AuthenticationError, False
    if status == 402:
        return QuotaExceededError, False
    if status == 403:
        return _classify_forbidden(code, type, said), False
    if status == 429:
        return _classify_limit(code, message, said)
    if status == 408:
        return APITimeoutError, True
    if status in (409, 425, 499):
        return ProviderError, True
    if status in (498, 529) or status > 501:
        return OverloadedError, True
    if status >= 500:
        return ProviderError, status == 500
    return _classify_bad_request(status, {code.lower(), type.lower()}, said, about)


def _classify_forbidden(code: str, type: str, said: str) -> type[ProviderError]:
    if code == "model_not_found":
        return ModelNotFoundError
    if _is_filtered({code.lower(), type.lower()}, said):
        return ContentFilterError
    return QuotaExceededError if _QUOTA.search(said) else PermissionDeniedError


def _classify_limit(code: str, message: str, said: str) -> tuple[type[ProviderError], bool]:
    """Some speak of a quota, and say when it is filled again: that is a rate."""
    if code.lower() not in _RATE_CODES and _QUOTA.search(said) and not RETRY_WORDS.search(message[:2000]):
        return QuotaExceededError, False
    return RateLimitError, not _NOT_RATE.search(said)


def _classify_bad_request(status: int, codes: set[str], said: str, about: str) -> tuple[type[ProviderError], bool]:
    if codes & {"invalid_api_key", "authentication_error"}:
        return AuthenticationError, False
    if codes & _RATE_CODES:
        return RateLimitError, not _NOT_RATE.search(said)
    if codes & {"context_length_exceeded", "exceed_context_size_error"}:
        return ContextLengthError, False
    no_model = _NO_MODEL.search(said) or (status == 404 and (about == "model" or _speaks_of_model(said)))
    if any(_FAULTS.fullmatch(code) for code in codes):
        return (ModelNotFoundError if no_model and about == "model" else BadRequestError), False
    return _classify_phrases(codes, said, bool(no_model)), False


def _classify_phrases(codes: set[str], said: str, no_model: bool) -> type[ProviderError]:
    if _KEY.search(said):
        return AuthenticationError
    if no_model:
        return ModelNotFoundError
    if _is_filtered(codes, said):
        return ContentFilterError
    if _QUOTA.search(said):
        return QuotaExceededError
    return ContextLengthError if _CONTEXT.search(said) else BadRequestError


def _is_filtered(codes: set[str], said: str) -> bool:
    return bool(codes & _FILTER_CODES or _FILTER.search(said))


def _speaks_of_model(said: str) -> bool:
    return bool(_MODEL.search(said)) and not _NOT_MODEL.search(said)


def make_error(
    status: int,
    headers: Mapping[str, str],
    *,
    code: str = "",
    message: str = "",
    about: str = "",
    type: str = "",
    body: bytes = b"",
    kind: type[ProviderError] | None = None,
) -> ProviderError:
    """The error for a reply, with all that it says. `kind` overrides the class where a vendor's word is known."""
    found, retryable = classify_error(status, code, message, about, type)
    if kind is not None:
        found, retryable = kind, kind.retryable
    if (should := headers.get("x-should-retry")) in ("true", "false"):
        retryable = should == "true" and found not in _SAME_AGAIN
    retry_after = parse_retry_after(headers, message)
    hint = _HINTS.get(found, "")
    if found is RateLimitError and retry_after:
        hint = f"it asks to wait {ceil(retry_after)} s"
    if status == 404 and found is BadRequestError and not message:
        hint = "check the base URL: nothing answers at this path"
    elif 300 <= status < 400:
        hint = "a redirect is never followed with a key: set the base URL to where it points"
    return found(
        message or _describe(status, body),
        hint=hint,
        status=status,
        code=code,
        provider_message=message,
        request_id=read_request_id(headers),
        headers=headers,
        body=body[:65536],
        retryable=retryable,
        retry_after=retry_after,
    )


def make_stated_error(
    found: ErrorBody, reply: WireResponse, *, status: int | None = None, kind: type[ProviderError] | None = None
) -> ProviderError:
    """The error that the body of a reply states. `status` is what it would have had, where it came inside a 200."""
    return make_error(
        reply.status if status is None else status,
        reply.headers,
        code=found.code,
        message=found.message,
        about=found.about,
        type=found.type,
        body=reply.content,
        kind=kind,
    )


def make_unreadable(reply: WireResponse, code: str = "unreadable_reply") -> ProviderError:
    """The error for a reply that is well by its status, and holds no answer: what was cut may be asked for again."""
    error = make_error(reply.status, reply.headers, code=code, body=reply.content, kind=ProviderError)
    error.hint = "this is no answer of the protocol that was spoken: check the base URL, and what serves it"
    if is_cut(reply.content) and reply.headers.get("x-should-retry") != "false":
        error.retryable = True
    return error


_WITHIN = re.compile(r"invalid (?:number|character) \(byte (\d+)\)")
"""How the decoder speaks of a number that ends too early."""


def is_cut(body: bytes) -> bool:
    """Whether JSON begins and does not end, or is not there: the connection broke in a way that did not show."""
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except msgspec.DecodeError as error:
        within_number = _WITHIN.search(str(error))
        return "truncated" in str(error) or (within_number is not None and int(within_number[1]) >= len(body))
    except RecursionError:
        return False
    return False


def make_unreadable_event(data: bytes, why: object) -> ProviderError:
    """The error for an event of a stream that says nothing readable. The next try of the call may say more."""
    said = f"the stream holds an event that is not readable: {why}"
    return ProviderError(said, code="unreadable_event", body=data[:65536], retryable=True)


def _describe(status: int, body: bytes) -> str:
    text = re.sub(
        r"<(script|style)\b.*?</\1>|<[^<>]{0,1000}>", " ", body[:8192].decode("utf-8", "replace"), flags=re.S | re.I
    )
    text = " ".join(text.split())
    return f"HTTP {status}: {text[:300]}" if text else f"HTTP {status} with an empty body"
