"""Sizes as their sides, aspect and resolution; what is no size is none."""

from __future__ import annotations

import pytest

from betterai.wire.sizes import aspect_of, resolution_of, sides_of


@pytest.mark.parametrize(
    ("size", "sides", "aspect", "resolution"),
    [
        ("1280x720", (1280, 720), "16:9", "720p"),
        ("2160X3840", (2160, 3840), "9:16", "4k"),
        ("0x720", (0, 0), "", ""),
        ("720", (0, 0), "", ""),
        ("1280x720x3", (0, 0), "", ""),
        ("٣x٤", (0, 0), "", ""),
        ("9" * 5000 + "x1", (0, 0), "", ""),
    ],
)
def test_a_size(size: str, sides: tuple[int, int], aspect: str, resolution: str) -> None:
    assert (sides_of(size), aspect_of(size), resolution_of(size)) == (sides, aspect, resolution)
