"""What a user may set for all connections."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from betterai.core.data import Data
from betterai.core.exceptions import ConfigurationError

HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
CONTROL = re.compile(r"[\0-\x08\n-\x1f\x7f]")
"""What no header may hold."""


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

    def __post_init__(self) -> None:
        """Raises `ConfigurationError` for what no connection can be made with."""
        _check_headers(self.headers)
        if self.proxy is not None:
            _check_proxy(self.proxy)
        if not isinstance(self.ca_bundle, str | None):
            raise ConfigurationError(f"ca_bundle must be str, the path of a file, not {type(self.ca_bundle).__name__}")
        if self.ca_bundle is not None and not os.path.isfile(self.ca_bundle):
            raise ConfigurationError(
                f"ca_bundle {self.ca_bundle!r:.200} is no file", hint="name one of PEM certificates"
            )
        if not isinstance(self.trust_env, bool):
            raise ConfigurationError(f"trust_env must be True or False, not {self.trust_env!r:.60}")


def _check_headers(headers: Mapping[str, str]) -> None:
    """Values are never shown."""
    if not isinstance(headers, Mapping):
        raise ConfigurationError(f"headers are a dict, not {type(headers).__name__}", hint='write headers={"X-…": "…"}')
    for name, value in headers.items():
        if not (isinstance(name, str) and HEADER_NAME.fullmatch(name)):
            raise ConfigurationError(f"{name!r:.80} is not the name of a header", hint="letters, digits and - make one")
        if not isinstance(value, str):
            raise ConfigurationError(f"the header {name} must be str, not {type(value).__name__}")
        if CONTROL.search(value):
            raise ConfigurationError(f"the header {name} holds a line break or another control character")


def _check_proxy(proxy: str) -> None:
    """A user and a password are never shown."""
    try:
        parts = urlsplit(proxy if isinstance(proxy, str) else "")
        right = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        right = False
    if not right:
        shown = proxy.rpartition("@")[2] if isinstance(proxy, str) else type(proxy).__name__
        raise ConfigurationError(
            f"{shown!r:.200} is not the URL of a proxy", hint='it is http or https: proxy="http://host:3128"'
        )
