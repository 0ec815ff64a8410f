"""Takes secrets out of what is recorded: known values wherever they stand, and what by its name is one."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

from yarl import URL

HIDDEN = "***"
SHORTEST = 4
"""Values shorter than this occur by chance."""

_KEPT_OF_REQUEST = re.compile(r"content-type|accept|.*-version|.*-beta", re.IGNORECASE)
_KEPT_OF_REPLY = re.compile(
    r"content-type|retry-after(-ms)?|.*ratelimit.*|.*request-?id|.*processing-ms", re.IGNORECASE
)
_SECRET_NAME = re.compile(
    r"(.*[-_])?(authorization|credentials?|signature|sig|secret|password|token|key|cookie|session)|api_?key",
    re.IGNORECASE,
)
_SECRET_FIELD = re.compile(
    r"(x[-_])?api[-_]?key|(access|auth|session|refresh)[-_]?token|(client|api)[-_]?secret|password|authorization|"
    r"credentials?",
    re.IGNORECASE,
)
_IDENTITY = re.compile(r".*(organi[sz]ation|project|account|tenant|user[-_]?id|cookie).*", re.IGNORECASE)
_KNOWN_FORMS = r"(?<=Bearer )[\w.~+/=-]{8,}|\bsk-[\w-]{16,}|\bAIza[\w-]{35}|\borg[-_](?=\w*\d)\w{8,}"


def keep_headers(headers: Mapping[str, str], extra: Iterable[str], *, request: bool) -> dict[str, str]:
    """The headers that a recording is made of; all others are left out, for any of them may name an account."""
    kept, names = _KEPT_OF_REQUEST if request else _KEPT_OF_REPLY, {name.lower() for name in extra}
    found = {name.lower(): value for name, value in headers.items()}
    return {name: value for name, value in found.items() if kept.fullmatch(name) or name in names}


def find_secrets(headers: Mapping[str, str]) -> Iterator[str]:
    """Values of headers that are secrets, or say whose account it is: they may be repeated in a body."""
    for name, value in headers.items():
        if _SECRET_NAME.fullmatch(name):
            yield value
            yield value.partition(";")[0].rpartition(" ")[2]
        elif _IDENTITY.fullmatch(name) and len(value) >= 8:
            yield value


class Scrubber:
    """Knows the secrets of one exchange, in every spelling in which a text may hold them."""

    def __init__(self, secrets: Iterable[str]) -> None:
        spelled = {form for secret in secrets if len(secret) >= SHORTEST for form in _spellings(secret)}
        known = [re.escape(form) for form in sorted(spelled, key=len, reverse=True)]
        self._pattern = re.compile("|".join([*known, _KNOWN_FORMS]), re.IGNORECASE if known else 0)

    def text(self, text: str) -> str:
        return self._pattern.sub(HIDDEN, text)

    def raw(self, data: bytes) -> bytes:
        """Bytes of any kind: secrets in them are ASCII, or UTF-8."""
        return self.text(data.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")

    def value(self, value: Any) -> Any:
        """JSON values, with the names of their fields."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if isinstance(value, dict):
            return {
                self.text(name): HIDDEN if isinstance(item, str) and _SECRET_FIELD.fullmatch(name) else self.value(item)
                for name, item in value.items()
            }
        return value

    def url(self, url: URL, *, signed: bool) -> str:
        """A URL without its secrets; where it was `signed` for one use, without any value of its query."""
        query = [
            (name, HIDDEN if signed or _SECRET_NAME.fullmatch(name) else self.text(value))
            for name, value in url.query.items()
        ]
        return self.text(str(url.with_query(None).with_fragment(None).with_user(None))) + _write_query(query)


def _write_query(query: list[tuple[str, str]]) -> str:
    return "?" + "&".join(f"{quote(name)}={quote(value, safe='*')}" for name, value in query) if query else ""


def _spellings(secret: str) -> Iterator[str]:
    """As it is, in a URL, in JSON, in JSON inside JSON, and in base64."""
    yield from (secret, quote(secret, safe=""), quote(secret), quote_plus(secret))
    written = json.dumps(secret)[1:-1]
    yield from (written, json.dumps(secret, ensure_ascii=False)[1:-1], written.replace("/", "\\/"))
    yield json.dumps(written)[1:-1]
    yield b64encode(secret.encode()).decode()
