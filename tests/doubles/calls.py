"""Short ways to say which request goes where."""

from __future__ import annotations

from typing import Any

from betterai.core.config import Timeout
from betterai.core.wire import WireRequest
from betterai.transport.http import Endpoint

LIMITS = Timeout(connect=5, first_byte=5, idle=5, total=20)


def at(url: str, **fields: Any) -> Endpoint:
    """An endpoint on loopback, which the user has allowed."""
    return Endpoint(**{"base_url": url, "private": True, **fields})


def get(url: str = "/", **fields: Any) -> WireRequest:
    return WireRequest(url=url, method="GET", **fields)


def post(url: str = "/", body: Any = b"{}", **fields: Any) -> WireRequest:
    return WireRequest(url=url, body=body, **fields)


def foreign(url: str, **fields: Any) -> WireRequest:
    """A request for a user's media: to public addresses only, and without a key."""
    return get(url, trust="foreign", **fields)
