"""Packed bodies, unpacked as they are read: no more at a time than is asked for, however much a bomb would make."""

from __future__ import annotations

import zlib
from typing import Any

from betterai.transport.client.parser import BadReply

ENCODINGS = "gzip, deflate"
_PIECE = 256 * 1024
_MAX_MEMBERS = 1024


class Inflater:
    """Unpacks one body. `feed` it what came, `take` pieces until there are none, and `check_end` where it ends."""

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._packed = b""
        self._stream: Any = None
        self._members = 0

    def feed(self, data: bytes) -> None:
        self._packed += data

    def take(self) -> bytes:
        """The next piece; b"" when more must come first. Raises `BadReply`."""
        while self._packed:
            if self._stream is None and not self._open():
                return b""
            try:
                piece: bytes = self._stream.decompress(self._packed, _PIECE)
            except zlib.error as error:
                raise BadReply(f"the body is not {self._encoding}: {error}") from None
            self._packed = self._stream.unconsumed_tail
            if self._stream.eof:
                self._packed, self._stream = self._stream.unused_data, None
            if piece:
                return piece
        return b""

    def _open(self) -> bool:
        """A gzip body may have several members; what follows them, if it is no more than zeros, is padding."""
        if self._members and not self._packed.strip(b"\0"):
            self._packed = b""
            return False
        self._members += 1
        if self._members > (_MAX_MEMBERS if self._encoding == "gzip" else 1):
            raise BadReply(f"the {self._encoding} body goes on after its end")
        if self._encoding == "gzip":
            window = 16 + zlib.MAX_WBITS
        else:  # RFC 9110 means zlib's format; some servers send the bare one
            window = zlib.MAX_WBITS if self._packed[0] & 0x0F == 8 else -zlib.MAX_WBITS
        self._stream = zlib.decompressobj(wbits=window)
        return True

    def check_end(self) -> None:
        """Raises `BadReply` where the body ended before what is packed in it did."""
        if self._stream is not None:
            raise BadReply(f"the {self._encoding} body was cut off")


def choose_inflater(encoding: str) -> Inflater | None:
    """None for what is not packed, or packed in a way that was not asked for: it is passed on as it is."""
    name = encoding.strip().lower().removeprefix("x-")
    return Inflater(name) if name in ("gzip", "deflate") else None
