"""A step of a run: one measurement to come."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Step(NamedTuple):
    """What is asked, in words, and of whom ("" where no worker is asked)."""

    heading: str
    what: str
    peer: str
    take: Callable[[], object]
