"""aiohttp's failures as those of our own client, without what they hold of the request: URL and headers."""

from __future__ import annotations

import aiohttp

from betterai.transport.egress import EgressDenied
from betterai.transport.failures import ConnectError, ConnectLate, Silence, not_callable, too_many_redirects

_BAD_URLS = (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError, aiohttp.RedirectClientError)


def translate(error: Exception) -> Exception:
    """What is not aiohttp's is given back as it is."""
    if not isinstance(error, aiohttp.ClientError):
        return error
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return ConnectLate()
    if isinstance(error, aiohttp.SocketTimeoutError):
        return Silence()
    denied = next(
        (it for it in (error.__cause__, getattr(error, "os_error", None)) if isinstance(it, EgressDenied)), None
    )
    if isinstance(error, aiohttp.ClientConnectorError):
        return ConnectError(error.host, error.port or 0, denied or error.os_error)
    if denied is not None:
        return denied
    if isinstance(error, aiohttp.TooManyRedirects):
        return too_many_redirects()
    if isinstance(error, _BAD_URLS):
        return not_callable()
    return TimeoutError() if isinstance(error, TimeoutError) else ConnectionError(_describe(error))


def _describe(error: Exception) -> str:
    """In words: of the cause where there is one, for aiohttp's own may name the whole URL."""
    if isinstance(error, aiohttp.ClientResponseError):
        return error.message
    inner = error.__cause__ or error
    return str(inner) or type(inner).__name__
