"""Sizes as their sides, aspect and resolution; what is no size is none."""

from __future__ import annotations

import pytest

from betterai.wire.sizes import AREA, aspect_of, resolution_of, sides_of, size_of


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


@pytest.mark.parametrize("aspect", ["1:1", "16:9", "9:21", "4:3"])
def test_sizes_of_aspects_are_about_a_megapixel(aspect: str) -> None:
    size = size_of(aspect, 32)
    assert size is not None
    width, height = size
    assert width % 32 == height % 32 == 0
    assert 0.95 < width * height / AREA < 1.05
    assert size_of("16:0", 32) is None
