"""HTTP/1.1 replies, read strictly (RFC 9112): what could be read in two ways is refused. Bytes in, no sockets."""

from __future__ import annotations

import re
from functools import lru_cache

MAX_HEAD_BYTES = 64 * 1024
MAX_HEADERS = 256
MAX_INTERIM_REPLIES = 64
MAX_CHUNK_LINE = 1024
MAX_KNOWN_LINE = 256
MAX_KNOWN_LINES = 1024

_HEAD, _LENGTH, _CHUNKS, _TRAILERS, _UNTIL_CLOSE, _DONE = range(6)
_SIZE_LINE_DUE, _LINE_END_DUE = -1, 0
"""What comes next in a chunked body, where it is not a chunk's remaining bytes."""

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROLS = bytes({*range(32), 127} - {9, 10, 13})
_CONTROL = re.compile(r"[\0-\x08\n-\x1f\x7f]")
_SIZE_LINE = re.compile(
    rb"([0-9a-fA-F]{1,15})"
    rb"(?:;[!#$%&'*+.^_`|~0-9A-Za-z-]+(?:=(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+|\"[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]*\"))?)*"
)
_SIZE_LINE_BEGUN = re.compile(rb"(?:[0-9a-fA-F]{1,15}(?:;[\t\x20-\x7e\x80-\xff]*)?\r?)?")
_STATUS_LINE = re.compile(r"HTTP/1\.([01]) ([1-9][0-9]{2})(?: .*)?", re.DOTALL)
_BODILESS = (204, 304)
_MERGED = ("connection", "content-encoding")
"""Headers that a reply may give more than once, and whose meaning is that of all of them."""


class BadReply(ConnectionError):
    """What came is no HTTP reply, or one that could be read in two ways."""


class ReplyParser:
    """One reply. `feed` it bytes: `status` is set when its head stands, `pieces` are those of its body, `complete` says
    that it came whole, and `keep` then that the connection may carry another one. Raises `BadReply`.

    `bodiless` is for replies that never have a body, those to HEAD.
    """

    __slots__ = (
        *("_held", "_interim", "_left", "_state"),
        *("bodiless", "complete", "headers", "keep", "length", "pieces", "status"),
    )

    def __init__(self, *, bodiless: bool = False) -> None:
        self.bodiless = bodiless
        self.status = 0
        self.headers: dict[str, str] = {}
        self.length: int | None = None
        self.pieces: list[bytes] = []
        self.complete = False
        self.keep = False
        self._state = _HEAD
        self._left = 0
        self._held = b""
        self._interim = 0

    def feed(self, data: bytes) -> None:
        """The next bytes, which are not empty."""
        state = self._state
        if state == _CHUNKS:
            self._feed_chunks(data)
        elif state == _LENGTH:
            self._feed_counted(data)
        elif state == _HEAD:
            self._feed_head(data)
        elif state == _UNTIL_CLOSE:
            self.pieces.append(data)
        elif state == _TRAILERS:
            self._feed_trailers(data)
        else:
            self.keep = False

    def feed_end(self) -> None:
        """The other side closed its half, and said so."""
        if self._state == _UNTIL_CLOSE:
            self._end(b"")
        elif self._state != _DONE:
            raise BadReply("the connection was closed early" if self.status else "the server closed the connection")

    def _end(self, rest: bytes) -> None:
        """What follows the end was not asked for: no later request may take it for its reply."""
        self._state = _DONE
        self.complete = True
        if rest:
            self.keep = False

    def _feed_counted(self, data: bytes) -> None:
        left = self._left - len(data)
        if left > 0:
            self._left = left
            self.pieces.append(data)
        else:
            self.pieces.append(data[: self._left])
            self._end(data[self._left :])

    # ── the head ──

    def _feed_head(self, data: bytes) -> None:
        if self._held:
            data = self._held + data
        while True:
            head, blank, rest = data.partition(b"\r\n\r\n")
            if not blank or len(head) > MAX_HEAD_BYTES:
                _check_beginning(data)
                self._held = data
                return
            status, data = self._read_head(head), rest
            if status >= 200:
                break
            self._interim += 1
            if status == 101 or self._interim > MAX_INTERIM_REPLIES:
                raise BadReply("the server switched protocols unasked, or goes on with interim replies")
            if not data:
                self._held = b""
                return
        self._held = b""
        self.status = status
        if self._state == _DONE:
            self._end(data)
        elif data:
            self.feed(data)

    def _read_head(self, head: bytes) -> int:
        lines = head.decode("latin-1").split("\r\n")
        status, minor = _read_status_line(lines[0])
        headers = read_headers(lines)
        if status >= 200:
            self.headers = headers
            self._frame(status, headers, minor)
        elif not minor:
            raise BadReply("an interim reply of HTTP/1.0")
        return status

    def _frame(self, status: int, headers: dict[str, str], minor: bool) -> None:
        """How long the body is (RFC 9112, 6.3), and whether the connection outlives it."""
        self.keep = minor
        if (connection := headers.get("connection")) is not None:
            wishes = [wish.strip() for wish in connection.lower().split(",")]
            self.keep = "close" not in wishes and (minor or "keep-alive" in wishes)
        length, coding = headers.get("content-length"), headers.get("transfer-encoding")
        if length is not None:
            if coding is not None or not (length.isascii() and length.isdigit() and len(length) < 19):
                raise BadReply("the reply's length is told in two ways, or in none that is clear")
            self.length = int(length)
        if self.bodiless or status in _BODILESS:
            self.length = 0
            self._state = _DONE
        elif coding is not None:
            if coding.lower() != "chunked" or not minor:
                raise BadReply("a transfer encoding other than chunked")
            self._state, self._left = _CHUNKS, _SIZE_LINE_DUE
        elif self.length is None:
            self.keep = False
            self._state = _UNTIL_CLOSE
        elif self.length:
            self._state, self._left = _LENGTH, self.length
        else:
            self._state = _DONE

    # ── chunks ──

    def _feed_chunks(self, data: bytes) -> None:
        if self._held:
            data = self._held + data
            self._held = b""
        position, size, left, pieces = 0, len(data), self._left, self.pieces
        while True:
            if left > 0:
                end = position + left
                if end > size:
                    if position < size:
                        pieces.append(data[position:])
                    self._left = end - size
                    return
                pieces.append(data[position:end])
                position, left = end, _LINE_END_DUE
            if left == _LINE_END_DUE:
                if data[position : position + 2] != b"\r\n":
                    self._hold(data, position, left, b"\r")
                    return
                position, left = position + 2, _SIZE_LINE_DUE
            end = data.find(b"\r\n", position, position + MAX_CHUNK_LINE)
            if end < 0:
                self._hold(data, position, left, None)
                return
            left = _read_size(data[position:end])
            position = end + 2
            if left == 0:
                self._state = _TRAILERS
                self._feed_trailers(data[position:])
                return

    def _hold(self, data: bytes, position: int, left: int, due: bytes | None) -> None:
        """Keep the beginning of a line, unless it cannot become one."""
        held = data[position:]
        if due is not None:
            if held not in (b"", due):
                raise BadReply("a chunk is longer than it said to be")
        elif held and (len(held) > MAX_CHUNK_LINE or not _SIZE_LINE_BEGUN.fullmatch(held)):
            raise BadReply("not the size of a chunk")
        self._held, self._left = held, left

    def _feed_trailers(self, data: bytes) -> None:
        """Lines up to an empty one; they are checked, and tell nothing that we want to know."""
        data = self._held + data
        if data.startswith(b"\r\n"):
            self._end(data[2:])
            return
        end = data.find(b"\r\n\r\n", 0, MAX_HEAD_BYTES)
        if end >= 0:
            lines = data[:end].split(b"\r\n")
            if any(b"\r" in line or b"\n" in line or line.translate(None, _CONTROLS) != line for line in lines):
                raise BadReply("a control character in a trailer")
            read_headers(["", *(line.decode("latin-1") for line in lines)], strict=False)
            self._end(data[end + 4 :])
        elif len(data) > MAX_HEAD_BYTES or data.replace(b"\r\n", b"").count(b"\n"):
            raise BadReply("trailers that do not end")
        else:
            self._held = data


@lru_cache(maxsize=64)
def _read_status_line(line: str) -> tuple[int, bool]:
    """The status, and whether it is HTTP/1.1."""
    _refuse_controls(line)
    matched = _STATUS_LINE.fullmatch(line)
    if matched is None:
        raise BadReply("not an HTTP/1 reply")
    return int(matched[2]), matched[1] == "1"


def _check_beginning(data: bytes) -> None:
    """What has come of a head that is not whole: so that nobody waits for the end of what is none."""
    if len(data) > MAX_HEAD_BYTES:
        raise BadReply(f"the reply's head is larger than {MAX_HEAD_BYTES} bytes")
    if not (data.startswith(b"HTTP/1.") if len(data) >= 7 else b"HTTP/1.".startswith(data)):
        raise BadReply("not an HTTP/1 reply")
    if data.count(b"\n") != data.count(b"\r\n"):
        raise BadReply("a bare line break in the reply's head")


def read_headers(lines: list[str], *, strict: bool = True) -> dict[str, str]:
    """The headers of a head's lines, of which the first is not one. Of those given twice the last counts; where that
    could be misread it is refused if `strict`.
    """
    if len(lines) > MAX_HEADERS:
        raise BadReply(f"more than {MAX_HEADERS} headers")
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, value = _known_lines.get(line) or _learn_line(line)
        if strict and name in headers:
            value = _merge(name, headers[name], value)
        headers[name] = value
    return headers


def _read_line(line: str) -> tuple[str, str]:
    """Name and value. Folded lines begin with a blank, and so are none."""
    _refuse_controls(line)
    name, colon, value = line.partition(":")
    if not colon or not _TOKEN.fullmatch(name):
        raise BadReply("a line in the reply's head is not a header")
    return name.lower(), value.strip(" \t")


_known_lines: dict[str, tuple[str, str]] = {}
"""Most lines are the same in each reply of a server: they are checked and cut once."""


def _learn_line(line: str) -> tuple[str, str]:
    read = _read_line(line)
    if len(line) < MAX_KNOWN_LINE:
        if len(_known_lines) >= MAX_KNOWN_LINES:
            _known_lines.clear()
        _known_lines[line] = read
    return read


def _refuse_controls(line: str) -> None:
    if found := _CONTROL.search(line):
        what = "bare line break" if found[0] in "\r\n" else "control character"
        raise BadReply(f"a {what} in the reply's head")


def _merge(name: str, before: str, value: str) -> str:
    if name in ("content-length", "transfer-encoding"):
        raise BadReply(f"two headers {name}")
    return f"{before}, {value}" if name in _MERGED else value


@lru_cache(maxsize=4096)
def _read_size(line: bytes) -> int:
    matched = _SIZE_LINE.fullmatch(line)
    if matched is None:
        raise BadReply("not the size of a chunk")
    return int(matched[1], 16)
