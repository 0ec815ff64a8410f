"""How long a provider asks to wait before the next try, in all the ways that it may say so. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
RETRY_WORDS = re.compile(
    r"(?:try again|retry)(?: your request)? (?:in|after) "
    r"(?:(?P<duration>(?:\d{1,9}(?:\.\d{1,9})?(?:ms|s|m|h))+)\b|(?P<count>\d{1,9}) (?P<unit>s|m)(?:ec|in))",
    re.IGNORECASE,
)
_MILLISECONDS = ("retry-after-ms", "x-amz-retry-after")
_RESETS = frozenset({"x-ratelimit-reset-requests", "x-ratelimit-reset-tokens"})
"""A bare number here is milliseconds at one vendor and seconds at others: it is not read."""
_EPOCH, _EPOCH_MS = 1e8, 1e11
"""From these on a number is a time, in seconds or milliseconds, and no wait: it would be one of three years."""


def parse_retry_after(headers: Mapping[str, str], message: str = "", now: float | None = None) -> float | None:
    """Seconds to wait, as the provider asks: `retry-after-ms`, `retry-after` (seconds or a date), the reset headers of
    an exhausted limit, or "try again in 1m2.5s" in the message. None where nothing sensible is said.

    Times are measured from `now` (Unix seconds), else from the reply's own `date`.
    """
    rough = _to_number(headers.get("retry-after", ""))
    for name in _MILLISECONDS:
        exact = _to_number(headers.get(name, ""))
        if exact is not None and (exact > 0 or rough is None):
            return max(0.0, exact * 0.001)
    if rough is not None:
        return max(0.0, rough)
    since = _to_time(headers.get("date", "")) if now is None else now
    if since is not None and (at := _to_time(headers.get("retry-after", ""))) is not None:
        return max(0.0, at - since)
    if (reset := _read_resets(headers, since)) is not None:
        return reset
    if (match := RETRY_WORDS.search(message[:2000])) is None:
        return None
    return parse_duration(match["duration"] or match["count"] + match["unit"])


def _read_resets(headers: Mapping[str, str], now: float | None) -> float | None:
    """The longest wait among the limits of which nothing remains: each has a header for either, spelt alike. The other
    form is that of draft-ietf-httpapi-ratelimit-headers: `"name";r=0;t=30`.
    """
    waits: list[float | None] = []
    for name, value in headers.items():
        if "ratelimit" not in name:
            continue
        if "remaining" in name and _to_number(value) == 0:
            other = name.replace("remaining", "reset")
            waits.append(_parse_reset(headers.get(other, ""), now, other not in _RESETS))
        elif name == "ratelimit":
            waits += [_read_policy(item) for item in value[:1000].split(",")]
    return max((wait for wait in waits if wait is not None), default=None)


def _parse_reset(text: str, now: float | None, counts: bool) -> float | None:
    """A duration, a number of seconds, or a time: as Unix seconds or milliseconds, or as RFC 3339 has it."""
    if (seconds := parse_duration(text)) is not None:
        return seconds
    at = number = _to_number(text)
    if number is None:
        try:
            read = datetime.fromisoformat(text)
        except ValueError:
            return None
        at = (read if read.tzinfo is not None else read.replace(tzinfo=UTC)).timestamp()
    elif number < _EPOCH:
        return max(0.0, number) if counts else None
    elif number >= _EPOCH_MS:
        at = number * 0.001
    return max(0.0, at - now) if now is not None and at is not None else None


def _read_policy(text: str) -> float | None:
    parameters = dict(part.strip().partition("=")[::2] for part in text.split(";"))
    seconds = _to_number(parameters.get("t", ""))
    return max(0.0, seconds) if seconds is not None and parameters.get("r") == "0" else None


def parse_duration(text: str) -> float | None:
    """Seconds from "1s", "6m0s", "450ms", "1h2m3.5s"; None for anything else."""
    if not re.fullmatch(r"(?:\d{1,9}(?:\.\d{1,9})?(?:ms|s|m|h))+", text, re.ASCII | re.IGNORECASE):
        return None
    pairs = re.findall(r"([\d.]+)(ms|s|m|h)", text.lower())
    return sum(float(number) * _UNITS[unit] for number, unit in pairs)


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
