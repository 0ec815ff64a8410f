"""What an independent reading of a protocol is: plain dicts, and nothing of ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, eq=False)
class Reading:
    """`kinds` without "-stream". `is_own(exchange, path)` says whether it is in this protocol, whose URL's path may be "".

    `expect(exchange)` gives content, reasoning, tool_calls (name and text of the arguments), raw_finish_reason,
    finish_reason (ours) and usage (input, output, cache_read, cache_write, reasoning; None where the body gave none) of
    the first choice; or status and message of an error, in a stream too.
    """

    kinds: tuple[str, ...]
    providers: tuple[str, ...]
    is_own: Callable[[dict[str, Any], str], bool]
    expect: Callable[[dict[str, Any]], dict[str, Any]]
    sheet: frozenset[str]
    """The names that the protocol's facts sheet has: none of them may travel beside our types."""
    vendors_sheets: Mapping[str, frozenset[str]] = field(default_factory=dict)
    not_read: tuple[str, ...] = ()
    """Ends of places that may, as they say nothing."""
    added: tuple[str, ...] = ()
    """Beginnings of places that may be added without a word, as we document it."""
