"""What a client's own connections are made of: its transport, and the secrets that its headers hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from betterai.core.events import Listener
from betterai.core.exceptions import ConfigurationError
from betterai.runtime.connection import Connection, find_named_secrets
from betterai.transport.options import SessionOptions

if TYPE_CHECKING:
    import aiohttp

    from betterai.transport.http import HTTPTransport


def make_transport_source(
    headers: Mapping[str, str] | None,
    proxy: str | None,
    ca_bundle: str | None,
    trust_env: bool,
    session: aiohttp.ClientSession | None,
    on_event: Listener | None,
) -> Callable[[], HTTPTransport]:
    """Checked now, made at the first call. Raises `ConfigurationError`."""
    given = headers if headers is not None else {}
    options = SessionOptions(headers=given, proxy=proxy, ca_bundle=ca_bundle, trust_env=trust_env)
    if session is not None and not (hasattr(session, "headers") and hasattr(session, "ws_connect")):
        raise ConfigurationError(f"session is an aiohttp.ClientSession, not {type(session).__name__}")

    def make() -> HTTPTransport:
        from betterai.transport.http import HTTPTransport

        return HTTPTransport(options, session=session, on_event=on_event)

    return make


def make_guard(headers: Mapping[str, str]) -> Callable[[Connection], None]:
    """What tells a connection of the secrets among these headers; it shows none itself."""
    secrets = find_named_secrets(headers)
    return lambda connection: connection.guard(secrets)
