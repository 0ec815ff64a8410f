"""A step of a run: one measurement to come."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Step(NamedTuple):
    """What is asked, in words, and of whom ("" where no worker is asked). What is optional is left out when the run
    takes too long.
    """

    heading: str
    what: str
    peer: str
    take: Callable[[], object]
    optional: bool = False
