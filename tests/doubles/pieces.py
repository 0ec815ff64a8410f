"""Streams as networks deliver them: cut anywhere."""

from __future__ import annotations

from itertools import pairwise


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    """The stream cut at these places, each taken modulo its length."""
    edges = [0, *sorted(place % (len(stream) + 1) for place in places), len(stream)]
    return [stream[start:end] for start, end in pairwise(edges)]


def bytewise(stream: bytes) -> list[bytes]:
    return [stream[place : place + 1] for place in range(len(stream))]
