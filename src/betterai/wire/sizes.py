"""Sizes of pictures and films such as "1280x720": their sides, their aspect and their resolution."""

from __future__ import annotations

import re
from math import gcd

AREA = 1024 * 1024
"""Pixels of a picture whose aspect alone is given."""
_SIZE = re.compile(r"([0-9]{1,6})x([0-9]{1,6})", re.IGNORECASE)
_ASPECT = re.compile(r"([0-9]{1,6}):([0-9]{1,6})")


def sides_of(size: str) -> tuple[int, int]:
    """Width and height; zeros for what is no size."""
    found = _SIZE.fullmatch(size)
    width, height = (int(found[1]), int(found[2])) if found is not None else (0, 0)
    return (width, height) if width and height else (0, 0)


def aspect_of(size: str) -> str:
    """ "16:9" for "1280x720"; "" where it is no size."""
    width, height = sides_of(size)
    shared = gcd(width, height)
    return f"{width // shared}:{height // shared}" if shared else ""


def resolution_of(size: str) -> str:
    """ "720p" for "1280x720", "4k" for 2160 lines; "" where it is no size."""
    lines = min(sides_of(size))
    return {0: "", 2160: "4k"}.get(lines, f"{lines}p")


def size_of(aspect: str, multiple: int) -> tuple[int, int] | None:
    """Width and height of an aspect such as "16:9", about a megapixel; None for what is no aspect."""
    found = _ASPECT.fullmatch(aspect)
    left, right = (int(found[1]), int(found[2])) if found is not None else (0, 0)
    if not left or not right:
        return None
    width, height = (AREA * left / right) ** 0.5, (AREA * right / left) ** 0.5
    return max(1, round(width / multiple)) * multiple, max(1, round(height / multiple)) * multiple
