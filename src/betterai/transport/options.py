"""What a user may set for all connections."""

from __future__ import annotations

from collections.abc import Mapping

from betterai.core.data import Data


class SessionOptions(Data, frozen=True, kw_only=True):
    """What a user may set for all connections. `headers` go to providers only. `proxy` is an http or https URL; without
    it, the environment's proxies are used when `trust_env` is on. `ca_bundle` is a file with certificates. Replies from
    providers and from elsewhere are refused beyond these many bytes, and those that go into files. `heartbeat`: after
    so many seconds of silence a WebSocket is sent a ping, and is given up when no pong comes within half of that.
    """

    headers: Mapping[str, str] = {}
    proxy: str | None = None
    trust_env: bool = False
    ca_bundle: str | None = None
    keepalive: float = 60.0
    heartbeat: float = 5.0
    max_reply_bytes: int = 256 * 1024 * 1024
    max_foreign_bytes: int = 100 * 1024 * 1024
    max_file_bytes: int = 16 * 1024 * 1024 * 1024
