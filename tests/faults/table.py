"""The faults as data: what the server does, and what a client must see of it."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from betterai.core.exceptions import (
    APIConnectionError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    ConnectTimeout,
    ContentFilterError,
    ContextLengthError,
    FirstByteTimeout,
    IdleTimeout,
    ModelNotFoundError,
    OverloadedError,
    PermissionDeniedError,
    ProviderError,
    QuotaExceededError,
    RateLimitError,
    StreamInterrupted,
    TotalTimeout,
)
from faults import acts, bodies, breaks, shapes
from faults.acts import Act
from faults.dialects import DIALECTS
from faults.server import Line

Place = Literal["plain", "own", "tls", "wrong-name", "tls-silent", "knock", "deaf", "closed", "no-name"]


@dataclass(frozen=True)
class Seen:
    """What a client must see: the answer, where there are no classes; else an error of one of these classes.

    `again` tells whether the same call may go well later: then all attempts are made, else one; None leaves it open.
    `shown` is how many pieces of text a stream shows before, after which nothing may be tried again; below 0 it is at
    most so many, for what came may be lost with what broke.
    `elsewhere` tells whether another target helps; None leaves it open.
    """

    classes: tuple[type[ProviderError], ...] = ()
    again: bool | None = False
    shown: int = 0
    elsewhere: bool | None = True


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong. `hits` is how many requests of a series meet it, None for all; `waited` is how long a
    client has to wait at least before it comes again; `only` are the protocols where there is such a thing.
    """

    name: str
    about: str
    act: Act
    whole: Seen
    stream: Seen
    section: str
    place: Place = "plain"
    hits: int | None = None
    waited: float = 0.0
    only: frozenset[str] = frozenset(DIALECTS)
    heavy: bool = False
    """It takes much memory: one at a time."""


ANSWER = Seen()
ENDLESS = -1000
BUDGET = 3
"""Attempts of one call."""


def fails(*classes: type[ProviderError], again: bool | None = False, elsewhere: bool | None = True) -> Seen:
    return Seen(classes, again, elsewhere=elsewhere)


def cuts_off(shown: int, *classes: type[ProviderError], elsewhere: bool = True) -> Seen:
    return Seen(classes, False, shown, elsewhere)


_FAULTS: list[Fault] = []


def _add(
    section: str, name: str, about: str, act: Act, whole: Seen, stream: Seen | None = None, **more: object
) -> None:
    _FAULTS.append(Fault(name, about, act, whole, stream or whole, section, **more))  # type: ignore[arg-type]


# ── refusals ──

_R = "Refusals"
_RATE = fails(RateLimitError, again=True)
_QUOTA = fails(QuotaExceededError)


def _vendors(table: Mapping[str, object]) -> frozenset[str]:
    return frozenset(table)


for _status, _class, _again in (
    (400, BadRequestError, False), (401, AuthenticationError, False), (403, PermissionDeniedError, False),
    (408, APITimeoutError, True), (413, BadRequestError, False), (422, BadRequestError, False),
    (500, ProviderError, True), (502, OverloadedError, True), (503, OverloadedError, True),
    (504, OverloadedError, True), (529, OverloadedError, True),
):  # fmt: skip
    _add(
        _R, f"status-{_status}", f"HTTP {_status} without words", acts.say(_status),
        fails(_class, again=_again, elsewhere=_status not in (400, 422)),
    )  # fmt: skip
_add(_R, "busy", "overloaded, in the vendor's words", acts.say_of(bodies.BUSY), fails(OverloadedError, again=True))
_add(_R, "busy-once", "overloaded once, then well", acts.say_of(bodies.BUSY), ANSWER, hits=1)
_add(_R, "rate", "a rate limit, in the vendor's words", acts.say_of(bodies.RATE), _RATE)
_add(_R, "quota", "no quota or credit left", acts.say_of(bodies.QUOTA), _QUOTA, only=_vendors(bodies.QUOTA))
_add(_R, "spend-limit", "the account's spending limit", acts.say_of(bodies.SPEND), _QUOTA, only=_vendors(bodies.SPEND))
_add(
    _R, "too-long", "the conversation is too long", acts.say_of(bodies.CONTEXT), fails(ContextLengthError),
    only=_vendors(bodies.CONTEXT),
)  # fmt: skip
_add(
    _R, "filtered", "a filter refused it", acts.say_of(bodies.FILTERED), fails(ContentFilterError, elsewhere=None),
    only=_vendors(bodies.FILTERED),
)  # fmt: skip
_add(_R, "no-model", "no such model", acts.say_of(bodies.NO_MODEL), fails(ModelNotFoundError))
_add(_R, "bad-key", "the key is not accepted", acts.say_of(bodies.KEY), fails(AuthenticationError))
_add(_R, "html-503", "a page of HTML from a proxy", acts.say(503, acts.HTML, Content_Type="text/html"),
     fails(OverloadedError, again=True))  # fmt: skip
_add(_R, "html-200", "a page of HTML with status 200", acts.say(200, acts.HTML, Content_Type="text/html"),
     fails(ProviderError, again=None))  # fmt: skip
_add(_R, "redirect", "a redirect to a private address", acts.redirect, fails(ProviderError))
_add(_R, "redirect-here", "a redirect to another port of loopback", acts.redirect_here, fails(ProviderError))

# ── how long to wait ──

_W = "Retry-After"
for _name, _about, _headers, _waited in (
    ("seconds", "in seconds", {"Retry-After": "0.1"}, 0.1),
    ("ms", "in milliseconds", {"retry-after-ms": "100"}, 0.1),
    ("both", "in milliseconds and seconds", {"retry-after-ms": "100", "Retry-After": "1"}, 0.1),
    ("reset", "as the reset of a spent limit", {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "100ms"}, 0.1),
    ("amz", "in milliseconds, as AWS spells it", {"x-amz-retry-after": "100"}, 0.1),
    ("draft", "as the draft of RateLimit has it", {"RateLimit": '"default";r=0;t=0'}, 0.0),
    ("zero", "0", {"Retry-After": "0"}, 0.0),
    ("negative", "below 0", {"Retry-After": "-5"}, 0.0),
    ("garbage", "no number and no date", {"Retry-After": "soon"}, 0.0),
    ("nan", "nan", {"Retry-After": "nan"}, 0.0),
):  # fmt: skip
    _add(
        _W, f"wait-{_name}", f"429 once, Retry-After {_about}", acts.say(429, b"{}", **{k.replace("-", "_"): v for k, v in _headers.items()}),
        ANSWER, hits=1, waited=_waited,
    )  # fmt: skip
_add(_W, "wait-words", "429 once, the wait in words only",
     acts.say(429, b'{"error": {"message": "Please try again in 100ms."}, "message": "Please try again in 100ms."}'),
     ANSWER, hits=1, waited=0.1)  # fmt: skip
_add(_W, "wait-until", "429 once, the time of a spent limit's reset", acts.until(0.2), ANSWER, hits=1, waited=0.1)
_add(_W, "wait-details", "429 once, the wait in Google's details", acts.say_of(bodies.DELAY), ANSWER, hits=1, waited=0.1,
     only=_vendors(bodies.DELAY))  # fmt: skip
_add(_W, "wait-date", "429 once, Retry-After as a date of now", acts.later(0), ANSWER, hits=1)
_add(_W, "wait-past", "429 once, Retry-After as a date long past", acts.later(-86400), ANSWER, hits=1)
_add(_W, "wait-long", "429, Retry-After of a day", acts.say(429, b"{}", Retry_After="86400"), fails(RateLimitError))
_add(
    _W,
    "wait-5",
    "429, Retry-After longer than a call may take",
    acts.say(429, b"{}", Retry_After="5"),
    fails(RateLimitError),
)
_add(
    _W,
    "wait-huge",
    "429, Retry-After of 10³⁰⁰ s",
    acts.say(429, b"{}", Retry_After="1" + "0" * 300),
    fails(RateLimitError),
)
_add(
    _W,
    "wait-503",
    "503 once, Retry-After in seconds",
    acts.say(503, b"{}", Retry_After="0.1"),
    ANSWER,
    hits=1,
    waited=0.1,
)

# ── the connection ──

_C = "The connection"
_LOST = fails(APIConnectionError, again=True)
_SILENT = fails(FirstByteTimeout, again=True)
_add(_C, "refused", "nothing listens there", acts.well, _LOST, place="closed")
_add(
    _C,
    "no-name",
    "the name is unknown to DNS",
    acts.well,
    fails(APIConnectionError, ConnectTimeout, again=True),
    place="no-name",
)
_add(
    _C, "no-connection", "the queue of connections is full", acts.well, fails(ConnectTimeout, again=True), place="deaf"
)
_add(_C, "tls-unknown", "a certificate of nobody known", acts.well, fails(APIConnectionError), place="tls")
_add(_C, "tls-name", "a certificate of another name", acts.well, fails(APIConnectionError), place="wrong-name")
_add(
    _C,
    "tls-silent",
    "the TLS handshake is not answered",
    acts.well,
    fails(ConnectTimeout, again=True),
    place="tls-silent",
)
_add(_C, "reset-at-once", "accepted and reset", acts.well, _LOST, place="knock")
_add(_C, "reset", "reset instead of an answer", acts.reset, _LOST)
_add(_C, "reset-once", "reset once, then well", acts.reset, ANSWER, hits=1)
_add(_C, "hang-up", "closed instead of an answer", acts.hang_up, _LOST)
_add(_C, "half-open", "accepted, never answered", acts.hold, _SILENT)
_add(_C, "half-open-once", "not answered once, then well", acts.hold, ANSWER, hits=1)
_add(_C, "slow-headers", "headers byte by byte, never whole", acts.drip_headers, _SILENT)
_add(_C, "late-headers", "headers after a while", acts.late(0.1), ANSWER)
_add(_C, "no-http", "bytes that are no HTTP", acts.write(b"\x16\x03\x01 hello\r\n\r\n"), _LOST)
_add(_C, "many-headers", "200 KB of headers", acts.many_headers, _LOST)
_add(_C, "early-hints", "103 before the answer", acts.hint_first, ANSWER)
_add(_C, "hints-for-ever", "103 again and again, and never an answer", acts.hint_for_ever,
     fails(FirstByteTimeout, APIConnectionError, again=True))  # fmt: skip
_add(_C, "unasked-upgrade", "101, and bytes of another protocol", acts.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nhello"),
     fails(ProviderError, again=None))  # fmt: skip
_add(
    _C,
    "two-lengths",
    "two lengths that differ",
    acts.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"),
    _LOST,
)
_add(
    _C, "negative-length", "a length below 0", acts.write(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello"), _LOST
)
_add(_C, "no-status", "a status that is no number", acts.write(b"HTTP/1.1 abc OK\r\nContent-Length: 0\r\n\r\n"), _LOST)
_add(_C, "too-much", "bytes after the answer that belong to no request", acts.say_too_much, ANSWER, place="own")
_add(_C, "close-when-done", "closed after an answer without saying so", acts.close_when_done, ANSWER, place="own")

# ── the body breaks ──

_B = "The body breaks"
_EMPTY = fails(APIConnectionError, StreamInterrupted, again=True)
_add(_B, "cut-after-head", "closed behind HTTP's headers", breaks.after_head(breaks.cut), _LOST, _EMPTY)
for _count in (0, 1, 3):
    _words = "before any text" if not _count else f"after {_count} of 4 pieces of text"
    _add(_B, f"cut-{_count}", f"closed {_words}", breaks.after(_count, breaks.cut), _LOST,
         cuts_off(_count, StreamInterrupted) if _count else _EMPTY)  # fmt: skip
    _add(_B, f"stop-{_count}", f"a clean end {_words}", breaks.after(_count, breaks.stop), fails(ProviderError, again=None),
         cuts_off(_count, StreamInterrupted) if _count else _EMPTY)  # fmt: skip
    _add(_B, f"stall-{_count}", f"silence {_words}", breaks.after(_count, acts.hold), fails(IdleTimeout, again=True),
         cuts_off(_count, IdleTimeout, StreamInterrupted) if _count else fails(IdleTimeout, again=True))  # fmt: skip
_add(
    _B,
    "reset-2",
    "reset after 2 of 4 pieces of text",
    breaks.after(2, acts.reset),
    _LOST,
    Seen((APIConnectionError, StreamInterrupted), None, shown=-2),
)
_add(
    _B,
    "stall-after-head",
    "silence behind HTTP's headers",
    breaks.after_head(acts.hold),
    fails(IdleTimeout, again=True),
)
_add(_B, "cut-once", "closed before any text once, then well", breaks.after(0, breaks.cut), ANSWER, hits=1)
_add(_B, "cut-in-a-letter", "closed within a letter of two bytes", breaks.cut_in_a_letter, _LOST,
     fails(APIConnectionError, StreamInterrupted, again=True))  # fmt: skip
_add(_B, "no-content", "204", acts.say(204), fails(ProviderError, again=None))
_add(
    _B,
    "odd-encoding",
    "an encoding that was not asked for",
    shapes.encoded("made-up", lambda body: body[::-1]),
    fails(ProviderError, again=None),
)
_add(_B, "empty", "a 200 without a body", acts.say_nothing, fails(ProviderError, again=None), _EMPTY)
_add(_B, "length-too-long", "less than Content-Length says", breaks.promise_more, _LOST, cuts_off(2, StreamInterrupted))
_add(_B, "length-too-short", "Content-Length cuts the answer", breaks.promise_less, fails(ProviderError, again=None),
     cuts_off(2, StreamInterrupted))  # fmt: skip
_add(
    _B,
    "bad-chunk",
    "a chunk whose size is no number",
    breaks.bad_chunk,
    _LOST,
    Seen((APIConnectionError, StreamInterrupted), None, shown=-2),
)
_add(_B, "zipped-and-cut", "compressed, and cut", shapes.zipped_and_cut, fails(ProviderError, again=None),
     Seen((ProviderError,), None, shown=-4))  # fmt: skip
_add(_B, "zipped-garbage", "said to be compressed, and is not", shapes.zipped_garbage, fails(ProviderError, again=None))
_add(_B, "bomb", "100 KB that unpack to 128 MiB", shapes.bomb(200), fails(ProviderError, again=None), heavy=True)
_add(
    _B,
    "bomb-500",
    "an error of 100 KB that unpacks to 128 MiB",
    shapes.bomb(500),
    fails(ProviderError, again=None),
    heavy=True,
)
_add(_B, "endless-line", "a line of 128 MiB", shapes.endless_line, fails(ProviderError, again=None), heavy=True)
for _status, _body, _named in (
    ("null", b"null", "null"),
    ("list", b"[]", "[]"),
    ("object", b"{}", "{}"),
    ("text", b'"Hello"', "a text"),
):
    _add(
        _B,
        f"json-{_status}",
        f"200 with {_named} for an answer",
        acts.say(200, _body),
        fails(ProviderError, again=None),
    )

# ── within a stream ──

_S = "Within the stream"
_BUSY = OverloadedError("busy", status=503)


def _interrupt(line: Line) -> bytes:
    return line.dialect.interrupt(_BUSY)


def _broken(line: Line) -> bytes:
    return line.dialect.broken


def _stray(line: Line) -> bytes:
    return line.dialect.stray


_ALIVE = frozenset(name for name, dialect in DIALECTS.items() if dialect.alive)
_STRAY = frozenset(name for name, dialect in DIALECTS.items() if dialect.stray)
_IN_BAND = fails(ProviderError, again=None)
_add(_S, "error-0", "an error in a stream that had begun, before any text", breaks.instead(0, _interrupt), _IN_BAND)
_add(
    _S,
    "error-2",
    "an error after 2 of 4 pieces of text",
    breaks.instead(2, _interrupt),
    _IN_BAND,
    cuts_off(2, ProviderError),
)
_add(_S, "broken-0", "an event that cannot be read, before any text", breaks.between(0, _broken), _IN_BAND)
_add(_S, "broken-2", "an event that cannot be read after 2 of 4 pieces of text", breaks.between(2, _broken), _IN_BAND,
     cuts_off(2, ProviderError))  # fmt: skip
_add(
    _S,
    "alive-for-ever",
    "signs of life for ever, no text",
    breaks.beat_after(0),
    fails(TotalTimeout),
    only=_ALIVE,
)
_add(_S, "alive-after-2", "signs of life for ever after 2 of 4 pieces", breaks.beat_after(2), fails(TotalTimeout),
     cuts_off(2, TotalTimeout, StreamInterrupted, elsewhere=False), only=_ALIVE)  # fmt: skip
_add(_S, "drip-for-ever", "text without an end", breaks.drip_for_ever, fails(TotalTimeout),
     cuts_off(ENDLESS, TotalTimeout, StreamInterrupted, elsewhere=False))  # fmt: skip

# ── after the finish ──

_F = "After the finish"
_add(_F, "no-terminator", "the answer is complete, its terminator is missing", breaks.finish_and(breaks.stop), ANSWER)
_add(
    _F,
    "cut-after-finish",
    "closed behind the complete answer",
    breaks.finish_and(breaks.cut),
    fails(APIConnectionError, again=True),
    ANSWER,
)
_add(_F, "hold-after-finish", "the complete answer, and the stream stays open", breaks.finish_and(acts.hold),
     fails(IdleTimeout, again=True), ANSWER)  # fmt: skip
_add(_F, "alive-after-finish", "the complete answer, and signs of life for ever", breaks.finish_and(breaks.beat),
     fails(TotalTimeout), ANSWER, only=_ALIVE)  # fmt: skip

_add(
    _F,
    "end-twice",
    "the complete answer, and its end again",
    breaks.end_twice,
    fails(ProviderError, again=None),
    ANSWER,
)

# ── odd, and well ──

_O = "Odd, and well"
_add(_O, "well", "nothing goes wrong", acts.well, ANSWER)
_add(_O, "slow-drip", "all of it, slowly", breaks.drip, ANSWER)
_add(_O, "bytes", "each byte in a chunk of its own", breaks.drip_bytes, ANSWER)
_add(_O, "alive-first", "signs of life, then the answer", breaks.beat_then_answer, ANSWER, only=_ALIVE)
_add(
    _O,
    "unheard-of",
    "an event that nobody knows",
    breaks.between(2, _stray),
    fails(ProviderError, again=None),
    ANSWER,
    only=_STRAY,
)
_add(_O, "plain-type", "the answer as text/plain", shapes.typed("text/plain"), ANSWER)
_add(_O, "no-type", "the answer as application/octet-stream", shapes.typed("application/octet-stream"), ANSWER)
_add(_O, "whole-for-stream", "a whole answer for a stream", shapes.whole_for_stream, ANSWER)
_add(_O, "zipped", "the answer compressed", shapes.zipped, ANSWER)
_add(_O, "deflated", "the answer in deflate", shapes.encoded("deflate", zlib.compress), ANSWER)
_add(_O, "until-close", "no length: the answer ends with the connection", acts.bare("1.1"), ANSWER)
_add(_O, "http-1.0", "HTTP/1.0, with a length", acts.bare("1.0", length=True), ANSWER)
_add(_O, "no-reason", "a status line without a reason", acts.bare("1.1", "200", length=True), ANSWER)
_add(
    _O,
    "odd-headers",
    "headers beyond ASCII, cookies, an empty one",
    acts.bare("1.1", headers="X-Odd: \xe4\xf6\r\nSet-Cookie: a=b\r\nX-Empty:\r\n", length=True),
    ANSWER,
)
_add(_O, "close-told", "Connection: close", acts.bare("1.1", headers="Connection: close\r\n", length=True), ANSWER)
_add(_O, "chunks", "chunks with extensions and trailers", acts.decorated_chunks, ANSWER)
_add(_O, "head-by-byte", "the head byte by byte, quickly", acts.head_byte_by_byte, ANSWER)
_add(_O, "marked", "a byte order mark before the answer", shapes.marked, fails(ProviderError, again=None), ANSWER,
     only=frozenset(DIALECTS) - {"bedrock_converse"})  # fmt: skip

FAULTS: Mapping[str, Fault] = {fault.name: fault for fault in _FAULTS}

KNOWN: Mapping[str, str] = {
    "close-when-done": "a server's goodbye may cross with the next request, which it may then have read or not.",
}
"""What is not as it must be, and why: these are run and shown, and are no reason to fail."""
