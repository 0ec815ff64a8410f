"""Replies are read strictly, and as aiohttp's llhttp reads them: whatever we accept, it accepts with the same meaning."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

import pytest
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http import HttpResponseParser
from hypothesis import example, given, settings
from hypothesis import strategies as some

from betterai.transport.client.parser import MAX_HEAD_BYTES, MAX_KNOWN_LINE, BadReply, ReplyParser
from together import each


class Read(NamedTuple):
    """What a reply was read as. `rest` is whether anything followed it."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    complete: bool
    keep: bool


def ours(pieces: list[bytes], *, bodiless: bool = False, end: bool = False) -> Read | None:
    """None where it is refused."""
    parser = ReplyParser(bodiless=bodiless)
    try:
        for piece in filter(None, pieces):
            parser.feed(piece)
        if end:
            parser.feed_end()
    except BadReply:
        return None
    return Read(parser.status, sorted(parser.headers.items()), b"".join(parser.pieces), parser.complete, parser.keep)


def llhttps(data: bytes, *, end: bool = False) -> Read | None:
    """The first final reply in the bytes, as aiohttp's client reads it."""
    loop = asyncio.new_event_loop()
    try:
        parser = HttpResponseParser(BaseProtocol(loop), loop, 2**16, read_until_eof=True, auto_decompress=False)
        messages, upgraded, _ = parser.feed_data(data)
        if end:
            parser.feed_eof()
        finals = [found for found in messages if found[0].code >= 200]
        if not finals or upgraded:
            return None
        message, content = finals[0]
        if content.exception() is not None:
            return None
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in message.raw_headers}
        body = b"".join(content._buffer)
        return Read(message.code, sorted(headers.items()), body, content.is_eof(), not message.should_close)
    except Exception:
        return None
    finally:
        loop.close()


HEAD = b"HTTP/1.1 200 OK\r\n"
REFUSED = {
    "no http": b"hello\r\n\r\n",
    "http/2": b"HTTP/2 200 OK\r\n\r\n",
    "http/0.9": b"<html>",
    "version": b"HTTP/1.2 200 OK\r\n\r\n",
    "lower case": b"http/1.1 200 OK\r\n\r\n",
    "status of letters": b"HTTP/1.1 abc OK\r\n\r\n",
    "two digits": b"HTTP/1.1 20 OK\r\n\r\n",
    "four digits": b"HTTP/1.1 2000 OK\r\n\r\n",
    "status 099": b"HTTP/1.1 099 OK\r\n\r\n",
    "superscript": b"HTTP/1.1 20\xb2 OK\r\n\r\n",
    "no space": b"HTTP/1.1200 OK\r\n\r\n",
    "bare line feeds": b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    "one bare line feed": HEAD + b"A: 1\nContent-Length: 0\r\n\r\n",
    "bare carriage return": HEAD + b"A: 1\rContent-Length: 0\r\n\r\n",
    "null": HEAD + b"A: \x00\r\n\r\n",
    "escape": HEAD + b"A: \x1b\r\n\r\n",
    "folded": HEAD + b"A: 1\r\n 2\r\nContent-Length: 0\r\n\r\n",
    "folded with a tab": HEAD + b"A: 1\r\n\t2\r\nContent-Length: 0\r\n\r\n",
    "folded at once": HEAD + b" A: 1\r\n\r\n",
    "no colon": HEAD + b"A 1\r\n\r\n",
    "no name": HEAD + b": 1\r\n\r\n",
    "space before the colon": HEAD + b"Content-Length : 3\r\n\r\nabc",
    "name with a blank": HEAD + b"A b: 1\r\n\r\n",
    "length twice": HEAD + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    "two lengths": HEAD + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
    "list of lengths": HEAD + b"Content-Length: 3, 3\r\n\r\nabc",
    "length and chunks": HEAD + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "negative length": HEAD + b"Content-Length: -1\r\n\r\n",
    "signed length": HEAD + b"Content-Length: +3\r\n\r\nabc",
    "hexadecimal length": HEAD + b"Content-Length: 0x3\r\n\r\nabc",
    "underscore in a length": HEAD + b"Content-Length: 1_0\r\n\r\nabc",
    "superscript length": HEAD + b"Content-Length: \xb2\r\n\r\nabc",
    "empty length": HEAD + b"Content-Length:\r\n\r\n",
    "huge length": HEAD + b"Content-Length: 99999999999999999999\r\n\r\n",
    "gzip coding": HEAD + b"Transfer-Encoding: gzip\r\n\r\nabc",
    "gzip, chunked": HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunked, identity": HEAD + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "identity": HEAD + b"Transfer-Encoding: identity\r\n\r\nabc",
    "chunked twice": HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "vertical tab chunked": HEAD + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "chunks in 1.0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "switched protocols": b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n",
    "interim without end": b"HTTP/1.1 100 Continue\r\n\r\n" * 65,
    "large head": HEAD + b"A: " + b"x" * MAX_HEAD_BYTES,
    "many headers": HEAD + b"A: 1\r\n" * 300 + b"\r\n",
}
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
BAD_CHUNKS = {
    "no size": b"\r\nabc\r\n0\r\n\r\n",
    "no number": b"xyz\r\n",
    "signed": b"+3\r\nabc\r\n0\r\n\r\n",
    "negative": b"-3\r\nabc\r\n",
    "prefixed": b"0x3\r\nabc\r\n0\r\n\r\n",
    "underscore": b"1_0\r\n",
    "leading blank": b" 3\r\nabc\r\n0\r\n\r\n",
    "bare line feed": b"3\nabc\r\n0\r\n\r\n",
    "line feed in an extension": b"3;a\nb\r\nabc\r\n0\r\n\r\n",
    "carriage return in an extension": b"3;a\rb\r\nabc\r\n0\r\n\r\n",
    "trailing blank": b"3 \r\nabc\r\n0\r\n\r\n",
    "longer than said": b"3\r\nabcd\r\n0\r\n\r\n",
    "bare line feed after": b"3\r\nabc\n0\r\n\r\n",
    "huge": b"ffffffffffffffffff\r\n",
    "long extension": b"3;" + b"x" * 2000,
    "bad trailer": b"0\r\nno trailer\r\n\r\n",
    "folded trailer": b"0\r\nA: 1\r\n b\r\n\r\n",
    "bare line feed in trailers": b"0\r\nA: 1\nB: 2\r\n\r\n",
    "endless trailers": b"0\r\n" + b"A: 1\r\n" * 20_000,
}
EVERY_REFUSED = {**REFUSED, **{f"chunk: {name}": CHUNKED + rest for name, rest in BAD_CHUNKS.items()}}


@each("data", EVERY_REFUSED.values(), ids=EVERY_REFUSED)
def test_what_is_refused(data):
    """Whole, and byte by byte where that does not take long."""
    assert ours([data]) is None
    if len(data) < 1000:
        assert ours([bytes([byte]) for byte in data]) is None


def test_a_name_that_was_seen_before_is_no_header_by_itself():
    assert ours([HEAD + b"Server: x\r\nContent-Length: 0\r\n\r\n"]) is not None
    assert ours([HEAD + b"Server\r\nContent-Length: 0\r\n\r\n"]) is None


@pytest.mark.parametrize("size", [1, MAX_KNOWN_LINE + 1])
def test_a_line_is_checked_each_time_whether_lines_like_it_are_known_or_too_long_to_be(size):
    said = b"v" * size
    for _ in range(2):
        read = ours([HEAD + b"X-Line: \t" + said + b" \r\nContent-Length: 0\r\n\r\n"])
        assert read is not None
        assert ("x-line", said.decode()) in read.headers
        for bad in (b"\0", b"\r", b"\n", b"\x7f", b"\x0b"):
            assert ours([HEAD + b"X-Line: " + said + bad + b"\r\nContent-Length: 0\r\n\r\n"]) is None
            assert ours([b"HTTP/1.1 200 O" + bad + b"K\r\nContent-Length: 0\r\n\r\n"]) is None


def _no_body(status: int) -> bytes:
    return f"HTTP/1.1 {status} X\r\nContent-Length: 5\r\n\r\n".encode()


READ = {
    "counted": (HEAD + b"Content-Length: 3\r\n\r\nabc", b"abc", True),
    "empty": (HEAD + b"Content-Length: 0\r\n\r\n", b"", True),
    "leading zeros": (HEAD + b"Content-Length: 003\r\n\r\nabc", b"abc", True),
    "chunks": (CHUNKED + b"3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n", b"abc0123456789", True),
    "chunks with zeros": (CHUNKED + b"00003\r\nabc\r\n000\r\n\r\n", b"abc", True),
    "extensions": (CHUNKED + b'3;a="b"\r\nabc\r\n0;last\r\n\r\n', b"abc", True),
    "trailers": (CHUNKED + b"3\r\nabc\r\n0\r\nContent-Length: 9\r\nExpires: 0\r\n\r\n", b"abc", True),
    "capitals": (HEAD + b"TRANSFER-ENCODING: Chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", b"a", True),
    "interim": (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" + CHUNKED + b"0\r\n\r\n", b"", True),
    "no reason": (b"HTTP/1.1 200\r\nContent-Length: 1\r\n\r\na", b"a", True),
    "empty reason": (b"HTTP/1.1 200 \r\nContent-Length: 1\r\n\r\na", b"a", True),
    "wants to close": (HEAD + b"Connection: Close\r\nContent-Length: 1\r\n\r\na", b"a", False),
    "wants to close in a list": (HEAD + b"Connection: x, close\r\nContent-Length: 1\r\n\r\na", b"a", False),
    "wants to close later": (HEAD + b"Connection: x\r\nConnection: close\r\nContent-Length: 1\r\n\r\na", b"a", False),
    "1.0": (b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na", b"a", False),
    "1.0 that stays": (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\na", b"a", True),
    "more than was asked for": (HEAD + b"Content-Length: 1\r\n\r\naHTTP/1.1 200 OK\r\n\r\n", b"a", False),
    "more than chunks": (CHUNKED + b"0\r\n\r\nx", b"", False),
    "204": (_no_body(204), b"", True),
    "304": (_no_body(304), b"", True),
    "204 with a body": (_no_body(204) + b"12345", b"", False),
}  # fmt: skip


@each(("data", "body", "keep"), READ.values(), ids=READ)
def test_what_is_read(data, body, keep):
    read = ours([data])
    assert read is not None
    assert (read.body, read.complete, read.keep) == (body, True, keep)
    for cut in range(1, len(data)):
        again = ours([data[:cut], data[cut:]])
        assert again is not None
        assert (again.status, again.headers, again.body, again.complete) == (read.status, read.headers, body, True)


@pytest.mark.parametrize("data", [HEAD + b"\r\nabc", b"HTTP/1.0 200 OK\r\n\r\nabc"])
def test_until_the_connection_is_closed(data):
    open_, closed = ours([data]), ours([data], end=True)
    assert open_ is not None
    assert closed is not None
    assert (open_.body, open_.complete) == (b"abc", False)
    assert (closed.body, closed.complete, closed.keep) == (b"abc", True, False)


@each("data", [read[0] for read in READ.values()], ids=READ)
def test_an_early_end_is_none(data):
    for cut in range(len(data)):
        before = ours([data[:cut]])
        assert before is not None
        assert before.complete or ours([data[:cut]], end=True) is None


def test_a_reply_to_head_has_no_body():
    read = ours([HEAD + b"Content-Length: 100\r\n\r\n"], bodiless=True)
    assert read is not None
    assert (read.complete, read.keep, read.body) == (True, True, b"")


def test_what_follows_a_reply_without_a_body_is_not_kept_for_the_next():
    read = ours([HEAD + b"Content-Length: 3\r\n\r\n", b"abc"], bodiless=True)
    assert read is not None
    assert not read.keep


NAMES = some.from_regex(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}", fullmatch=True)
VALUES = some.text(some.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=12).map(str.strip)
OURS = ("content-length", "transfer-encoding", "connection", "upgrade", "content-encoding", "proxy-connection")
HEADERS = some.lists(some.tuples(NAMES, VALUES), max_size=5, unique_by=lambda header: header[0].lower()).map(
    lambda headers: [header for header in headers if header[0].lower() not in OURS]
)
CHUNKS = some.lists(some.binary(min_size=1, max_size=20), max_size=4)


@some.composite
def replies(draw: some.DrawFn) -> tuple[bytes, bytes]:
    """A reply, and its body."""
    chunks, headers = draw(CHUNKS), draw(HEADERS)
    status = draw(some.sampled_from([200, 201, 302, 400, 429, 500, 529]))
    lines = [f"HTTP/1.1 {status} Said", *(f"{name}: {value}" for name, value in headers)]
    body = b"".join(chunks)
    if draw(some.booleans()):
        lines.append("Transfer-Encoding: chunked")
        extension = draw(some.sampled_from([b"", b";a", b';a="b c";d=e']))
        written = b"".join(b"%x%b\r\n%b\r\n" % (len(chunk), extension, chunk) for chunk in chunks) + b"0\r\n"
        written += draw(some.sampled_from([b"\r\n", b"T: 1\r\n\r\n"]))
    else:
        lines.append(f"Content-Length: {len(body)}")
        written = body
    head = "\r\n".join([*lines, "", ""]).encode("latin-1")
    interim = draw(some.sampled_from([b"", b"HTTP/1.1 100 Continue\r\n\r\n"]))
    return interim + head + written, body


@given(replies())
@settings(max_examples=60, deadline=None)
def test_every_reply_is_read_alike_wherever_it_is_cut(reply):
    data, body = reply
    read = ours([data])
    assert read is not None
    assert (read.body, read.complete, read.keep) == (body, True, True)
    theirs = llhttps(data)
    assert theirs is not None
    assert read == theirs
    assert ours([bytes([byte]) for byte in data]) == read
    for cut in range(1, len(data)):
        assert ours([data[:cut], data[cut:]]) == read


MUTATIONS = some.lists(
    some.tuples(
        some.sampled_from(["insert", "replace", "delete", "copy"]),
        some.integers(0, 400),
        some.sampled_from([*b"\r\n :;,0139abfx\t\x00\x0b\xff", *b"\r\n\r\n"]),
    ),
    min_size=1,
    max_size=3,
)


def _mutate(data: bytes, mutations: list[tuple[str, int, int]]) -> bytes:
    changed = bytearray(data)
    for kind, place, byte in mutations:
        at = place % (len(changed) + 1)
        if kind == "insert":
            changed.insert(at, byte)
        elif kind == "copy":
            changed[at:at] = changed[at : at + 1 + byte % 9]
        elif at < len(changed):
            changed[at : at + 1] = b"" if kind == "delete" else bytes([byte])
    return bytes(changed)


@given(replies(), MUTATIONS, some.integers(0, 400))
@settings(max_examples=400, deadline=None)
@example((HEAD + b"Content-Length: 3\r\n\r\nabc", b"abc"), [("insert", 17, 10)], 5)
def test_what_we_accept_of_damaged_replies_llhttp_reads_alike(reply, mutations, place):
    """Strict is a subset: nothing is read here that another one would read otherwise, or as two replies."""
    data = _mutate(reply[0], mutations)
    read = ours([data])
    cut = place % (len(data) + 1)
    assert ours([data[:cut], data[cut:]]) == read or (read is not None and not read.keep)
    if read is None or not read.complete:
        return
    theirs = llhttps(data)
    if theirs is None:  # what follows the reply is no business of ours: the connection is closed
        assert not read.keep
        return
    assert (read.status, read.body) == (theirs.status, theirs.body)
    assert theirs.headers == read.headers
    assert theirs.keep or not read.keep or theirs.complete


@given(some.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_bytes_of_all_kinds_raise_nothing_else(data):
    ours([data])
    ours([CHUNKED, data], end=True)
    ours([HEAD, data], end=True)
