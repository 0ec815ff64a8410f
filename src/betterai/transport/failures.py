"""aiohttp's failures as ours, without what they hold of the request: its URL and headers may carry keys."""

from __future__ import annotations

import aiohttp

from betterai.core.config import Timeout
from betterai.core.exceptions import (
    APIConnectionError,
    BetterAIError,
    ConnectTimeout,
    FirstByteTimeout,
    IdleTimeout,
    TotalTimeout,
    ValidationError,
)
from betterai.transport.egress import EgressDenied

_LONGER = "raise the limit with CoreConfig(timeout=betterai.Timeout(…)), or try again"
_BAD_URLS = (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError, aiohttp.RedirectClientError)


def read_failure(error: BaseException, limits: Timeout, *, began: bool = False) -> BaseException:
    """Our error for what was raised, to be raised where `error` is no longer being handled: so that it is not chained.

    Only an error of connecting keeps its cause, which holds no more than host and port. `began` tells that the reply's
    headers stood. What is ours already, and what ends tasks, is given back as it is.
    """
    if isinstance(error, BetterAIError) or not isinstance(error, Exception):
        return error
    if isinstance(error, TimeoutError):
        return _read_timeout(error, limits, began)
    if any(isinstance(it, EgressDenied) for it in (error, error.__cause__, getattr(error, "os_error", None))):
        where = f"{error.host}: " if isinstance(error, aiohttp.ClientConnectorError) else ""
        return ValidationError(
            f"{where}this request may go to public addresses only", hint="only a base URL that you set may be private"
        )
    if isinstance(error, _BAD_URLS):
        return ValidationError("this is not a URL that can be called", hint="check it, and where it redirects")
    if isinstance(error, aiohttp.TooManyRedirects):
        return ValidationError("the URL redirects too often", hint="give the URL that it leads to")
    if isinstance(error, aiohttp.ClientConnectorError):
        return _read_connecting(error)
    if isinstance(error, aiohttp.ClientError | OSError | RuntimeError):
        what = "the connection broke before the answer was complete" if began else "the connection broke"
        return APIConnectionError(f"{what}: {_describe(error)}", hint="try again")
    if isinstance(error, ValueError | TypeError):
        return ValidationError(f"the request cannot be sent as it is: {error}", hint="check headers and URL")
    return error


def _read_timeout(error: TimeoutError, limits: Timeout, began: bool) -> BaseException:
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return ConnectTimeout(f"no connection within {limits.connect:g} s", hint=_LONGER)
    if not isinstance(error, aiohttp.SocketTimeoutError):
        return TotalTimeout(f"the call took longer than {limits.total:g} s", hint=_LONGER)
    if began:
        return IdleTimeout(f"the answer began, then nothing came for {limits.idle:g} s", hint=_LONGER)
    return FirstByteTimeout(f"no answer began within {limits.first_byte:g} s", hint=_LONGER)


def _read_connecting(error: aiohttp.ClientConnectorError) -> APIConnectionError:
    untrusted = isinstance(error, aiohttp.ClientConnectorCertificateError)
    failure = APIConnectionError(
        f"no connection to {error.host}:{error.port}: {error.os_error}",
        hint="if the certificate is your network's own, name it with ca_bundle"
        if untrusted
        else "check that the server runs, the network and the base URL",
        retryable=not untrusted,
    )
    failure.__cause__ = error
    return failure


def _describe(error: Exception) -> str:
    """In words: of the cause where there is one, for aiohttp's own may name the whole URL."""
    if isinstance(error, aiohttp.ClientResponseError):
        return error.message
    inner = error.__cause__ or error
    return str(inner) or type(inner).__name__
