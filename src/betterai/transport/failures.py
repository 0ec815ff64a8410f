"""What connecting, sending and reading raised, as our errors, without what it holds of the request: keys, perhaps."""

from __future__ import annotations

import ssl
import sys

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


class ConnectError(OSError):
    """No connection came about; nothing of the request was sent. `os_error` says why."""

    def __init__(self, host: str, port: int, os_error: OSError) -> None:
        super().__init__(str(os_error))
        self.host = host
        self.port = port
        self.os_error = os_error


class ConnectLate(TimeoutError):
    """No connection within its time."""


class Silence(TimeoutError):
    """Nothing came for as long as it may: neither a reply nor more of one."""


class Stuck(TimeoutError):
    """Nothing more of a request was taken for as long as that may be."""


def read_failure(error: BaseException, limits: Timeout, *, began: bool = False) -> BaseException:
    """Our error for what was raised, to be raised where `error` is no longer being handled: so that it is not chained.

    Only an error of connecting keeps its cause, which holds no more than host and port. `began` tells that the reply's
    headers stood. What is ours already, and what ends tasks, is given back as it is.
    """
    if isinstance(error, BetterAIError) or not isinstance(error, Exception):
        return error
    if "aiohttp" in sys.modules:
        from betterai.transport.aiohttp_client.failures import translate

        error = translate(error)
    if isinstance(error, ConnectError):
        return _read_connecting(error)
    if isinstance(error, EgressDenied):
        return _read_denied("")
    if isinstance(error, TimeoutError):
        return _read_timeout(error, limits, began)
    if isinstance(error, OSError | RuntimeError):
        what = "the connection broke before the answer was complete" if began else "the connection broke"
        return APIConnectionError(f"{what}: {error or type(error).__name__}", hint="try again")
    if isinstance(error, ValueError | TypeError):
        return ValidationError(f"the request cannot be sent as it is: {error}", hint="check headers and URL")
    return error


def not_callable() -> ValidationError:
    return ValidationError("this is not a URL that can be called", hint="check it, and where it redirects")


def too_many_redirects() -> ValidationError:
    return ValidationError("the URL redirects too often", hint="give the URL that it leads to")


def _read_timeout(error: TimeoutError, limits: Timeout, began: bool) -> BaseException:
    if isinstance(error, ConnectLate):
        return ConnectTimeout(f"no connection within {limits.connect:g} s", hint=_LONGER)
    if isinstance(error, Stuck):
        return IdleTimeout(f"nothing more of the request was taken for {limits.idle:g} s", hint=_LONGER)
    if not isinstance(error, Silence):
        return TotalTimeout(f"the call took longer than {limits.total:g} s", hint=_LONGER)
    if began:
        return IdleTimeout(f"the answer began, then nothing came for {limits.idle:g} s", hint=_LONGER)
    return FirstByteTimeout(f"no answer began within {limits.first_byte:g} s", hint=_LONGER)


def _read_denied(where: str) -> ValidationError:
    return ValidationError(
        f"{where}this request may go to public addresses only", hint="only a base URL that you set may be private"
    )


def _read_connecting(error: ConnectError) -> BetterAIError:
    if isinstance(error.os_error, EgressDenied):
        return _read_denied(f"{error.host}: ")
    untrusted = isinstance(error.os_error, ssl.SSLCertVerificationError)
    failure = APIConnectionError(
        f"no connection to {error.host}:{error.port}: {error.os_error}",
        hint="if the certificate is your network's own, name it with ca_bundle"
        if untrusted
        else "check that the server runs, the network and the base URL",
        retryable=not untrusted,
    )
    failure.__cause__ = error
    return failure
