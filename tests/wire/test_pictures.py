"""Pictures in replies: short ones stay as they were written, long ones become bytes."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import msgspec
import pytest

from betterai.wire.pictures import PictureShape, read_picture

PNG = b"\x89PNG\r\n\x1a\n"


def read(value: Any, **more: Any) -> Any:
    body = json.dumps({"b64_json": value, **more}).encode()
    return read_picture(msgspec.json.decode(body, type=PictureShape))


def test_short_and_long_pictures_hold_the_same() -> None:
    for size in (10, 2_000_000):
        data = PNG + bytes(range(256)) * (size // 256 + 1)
        picture = read(b64encode(data).decode())
        assert (picture.to_bytes(), picture.mime_type) == (data, "image/png")
        assert (picture.data is not None) == (size > 1_000_000)
    escaped = json.dumps({"b64_json": b64encode(b"\xff" * 2_000_000).decode()}).replace("/", "\\/").encode()
    picture = read_picture(msgspec.json.decode(escaped, type=PictureShape), "image/webp")
    assert (picture.to_bytes(), picture.mime_type) == (b"\xff" * 2_000_000, "image/webp")


def test_what_is_no_picture() -> None:
    for value in (None, ""):
        assert read(value, url="https://a.example/b.png").url == "https://a.example/b.png"
        with pytest.raises(msgspec.ValidationError):
            read(value)
    for value in (3, [1], {"a": 1}, ["a"] * 500_000):
        with pytest.raises(msgspec.ValidationError):
            read(value)
    damaged = read("A" * 2_000_001)
    with pytest.raises(ValueError):
        damaged.to_bytes()
