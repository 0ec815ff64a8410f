"""From an HTTP error to our class: by status first, by body second. Shared by all protocols; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from math import isfinite

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

REQUEST_ID_HEADERS = ("x-request-id", "request-id", "x-amzn-requestid", "apim-request-id", "cf-ray")

_QUOTA = re.compile(
    r"insufficient.?(quota|balance|credit|funds)|exceeded your current quota|billing|out of credits|"
    r"credit balance|spend(ing)?.?limit|payment.?required",
    re.IGNORECASE,
)
_CONTEXT = re.compile(
    r"context.?length|context.?window|context.?size|maximum context|prompt is too long|input is too long|"
    r"too many (input )?tokens|reduce the length of the (messages|prompt|input)|exceeds? the (maximum|available|model)",
    re.IGNORECASE,
)
_FILTER = re.compile(
    r"content.?(filter|policy|management)|safety.?(system|policy)|moderation_blocked|responsibleai", re.I
)
_NO_MODEL = re.compile(
    r"model.?not.?found|model_decommissioned|unknown_model|invalid_model\b|"
    r"model [^ ]{1,200} (does not exist|not found|is not found|has been decommissioned)",
    re.IGNORECASE,
)
_NOT_RATE = re.compile(r"request too large", re.IGNORECASE)

_HINTS: Mapping[type[ProviderError], str] = {
    AuthenticationError: "check the key",
    PermissionDeniedError: "the key is valid, but may not do this: check the account's permissions",
    QuotaExceededError: "the account is out of credit or quota: waiting does not help",
    ContextLengthError: "shorten the conversation, or take a model with a larger context window",
    ModelNotFoundError: "check the model's name, and that the account has access to it",
}


def classify_error(status: int, code: str, message: str, about: str = "") -> tuple[type[ProviderError], bool]:
    """Our class and whether the same call may succeed later. `about` is the parameter that the error names."""
    said = f"{code} {message}"
    if status == 401:
        return AuthenticationError, False
    if status == 402:
        return QuotaExceededError, False
    if status == 403:
        return (ContentFilterError if _FILTER.search(said) else PermissionDeniedError), False
    if status == 429:
        return (QuotaExceededError, False) if _QUOTA.search(said) else (RateLimitError, True)
    if status == 408:
        return APITimeoutError, True
    if status == 409 or status == 425:
        return ProviderError, True
    if status in (498, 529) or status > 501:
        return OverloadedError, True
    if status >= 500:
        return ProviderError, status == 500
    return _classify_bad_request(status, code, said, about)


def _classify_bad_request(status: int, code: str, said: str, about: str) -> tuple[type[ProviderError], bool]:
    if code in ("invalid_api_key", "authentication_error"):
        return AuthenticationError, False
    if code in ("rate_limit_exceeded", "rate_limit_error"):
        return RateLimitError, not _NOT_RATE.search(said)
    if code == "context_length_exceeded":
        return ContextLengthError, False
    if _NO_MODEL.search(said) or (status == 404 and about == "model"):
        return ModelNotFoundError, False
    if _FILTER.search(said):
        return ContentFilterError, False
    if _CONTEXT.search(said):
        return ContextLengthError, False
    if status == 404 and re.search(r"\bmodels?\b", said, re.IGNORECASE):
        return ModelNotFoundError, False
    return BadRequestError, False


def make_error(
    status: int,
    headers: Mapping[str, str],
    *,
    code: str = "",
    message: str = "",
    about: str = "",
    body: bytes = b"",
    kind: type[ProviderError] | None = None,
) -> ProviderError:
    """The error for a reply, with all that it says. `kind` overrides the class where a vendor's word is known."""
    found, retryable = classify_error(status, code, message, about)
    if kind is not None:
        found, retryable = kind, kind.retryable
    if (should := headers.get("x-should-retry")) in ("true", "false"):
        retryable = should == "true"
    hint = _HINTS.get(found, "")
    if status == 404 and found is BadRequestError:
        hint = "check the base URL: nothing answers at this path"
    elif 300 <= status < 400:
        hint = "a redirect is never followed with a key: set the base URL to where it points"
    return found(
        message or _describe(status, body),
        hint=hint,
        status=status,
        code=code,
        provider_message=message,
        request_id=next((headers[name] for name in REQUEST_ID_HEADERS if name in headers), ""),
        headers=headers,
        body=body[:65536],
        retryable=retryable,
        retry_after=parse_retry_after(headers, message),
    )


def _describe(status: int, body: bytes) -> str:
    text = re.sub(
        r"<(script|style)\b.*?</\1>|<[^>]{0,1000}>", " ", body[:20000].decode("utf-8", "replace"), flags=re.S | re.I
    )
    text = " ".join(text.split())
    return f"HTTP {status}: {text[:300]}" if text else f"HTTP {status} with an empty body"


def parse_retry_after(headers: Mapping[str, str], message: str = "", now: float | None = None) -> float | None:
    """Seconds to wait, as the provider asks: `retry-after-ms`, `retry-after` (seconds or a date), the reset headers of
    an exhausted limit, or "try again in 1m2.5s" in the message. None where nothing sensible is said.
    """
    for header, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        if (seconds := _to_number(headers.get(header, ""))) is not None:
            return max(0.0, seconds * scale)
    if (date := headers.get("retry-after")) and (at := _to_time(date)) is not None:
        since = _to_time(headers.get("date", "")) if now is None else now
        if since is not None:
            return max(0.0, at - since)
    resets = [
        parse_duration(headers.get(f"x-ratelimit-reset-{what}", ""))
        for what in ("requests", "tokens")
        if headers.get(f"x-ratelimit-remaining-{what}") == "0"
    ]
    if known := [reset for reset in resets if reset is not None]:
        return max(known)
    if match := re.search(
        r"(?:try again|retry) (?:in|after) ((?:\d+(?:\.\d+)?(?:ms|s|m|h))+)", message[:2000], re.IGNORECASE
    ):
        return parse_duration(match[1])
    return None


def parse_duration(text: str) -> float | None:
    """Seconds from "1s", "6m0s", "450ms", "1h2m3.5s"; None for anything else."""
    if not re.fullmatch(r"(?:\d{1,9}(?:\.\d{1,9})?(?:ms|s|m|h))+", text):
        return None
    scale = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
    return sum(float(number) * scale[unit] for number, unit in re.findall(r"([\d.]+)(ms|s|m|h)", text))


def _to_number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if isfinite(number) else None


def _to_time(date: str) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
