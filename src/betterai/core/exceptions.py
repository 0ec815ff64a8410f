"""Every error that BetterAI raises. Catch the branch you can handle:

BetterAIError
├── ProviderError                  the provider, or the way to it, failed
│   ├── RateLimitError             too many requests: wait `retry_after` seconds
│   │   └── QuotaExceededError     the account is out of money or quota: waiting does not help
│   ├── OverloadedError            the provider is overloaded or down
│   ├── ModelNotFoundError         no such model, or no access to it; a KeyError too
│   ├── ContentFilterError         refused by a content filter
│   ├── APITimeoutError            one of the four time limits was reached
│   │   ├── ConnectTimeout
│   │   ├── FirstByteTimeout
│   │   ├── IdleTimeout
│   │   └── TotalTimeout
│   ├── APIConnectionError         no connection, or it broke before the answer began
│   ├── StreamInterrupted          it broke after the answer began: `partial` holds what came
│   ├── OutputInvalidError         the answer is not what `response_format` or a tool asked for: see `response`
│   └── JobInDoubt                 a job may or may not have been submitted: only you can decide to repeat it
├── ValidationError                the request is wrong, and was not sent or was turned down
│   ├── UnsupportedParam           this provider or model cannot take this setting
│   ├── ConfigurationError         a key or a setting of the provider is missing or wrong
│   └── WebhookSignatureError      a webhook is not signed as it should be, or too old: do not believe it
├── LimitReached                   a limit that you set was reached, and nothing more was sent
│   ├── StepLimitReached           `run_tools` made its last step, and the model wants more: `run` holds all of them
│   └── SpendLimitReached          the conversation has spent what it may: see `spent` and `limit`
└── both at once
    ├── AuthenticationError        the key was not accepted
    ├── PermissionDeniedError      the key may not do this
    └── BadRequestError            the provider turned the request down
        └── ContextLengthError     the conversation is too long for the model
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from decimal import Decimal

    from betterai.core.response import Attempt, ProviderResponse
    from betterai.core.runs import ToolRun
    from betterai.core.usage import Cost

SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "api-key"})


class BetterAIError(Exception):
    """The root. `str(error)` says what happened and what to do next.

    `code` and `provider_message` are the provider's own, verbatim; `headers` are the reply's; `attempts` lists the
    tries; `retryable` says whether the same call may succeed later, `retry_after` in how many seconds at the earliest.
    """

    retryable = False
    lost: Cost | None = None
    """What answers cost that ran beside the one that failed, and that nobody got: hedges of a router."""

    def __init__(
        self,
        message: str = "",
        *,
        hint: str = "",
        provider: str = "",
        model: str = "",
        status: int | None = None,
        code: str = "",
        provider_message: str = "",
        request_id: str = "",
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        attempts: Sequence[Attempt] = (),
        retryable: bool | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.provider = provider
        self.model = model
        self.status = status
        self.code = code
        self.provider_message = provider_message
        self.request_id = request_id
        self.headers = {k: v for k, v in (headers or {}).items() if k.lower() not in SECRET_HEADERS}
        self.body = body
        self.attempts = tuple(attempts)
        self.retry_after = retry_after
        if retryable is not None:
            self.retryable = retryable

    def __str__(self) -> str:
        where = (
            self.model
            if self.model.startswith(f"{self.provider}/")
            else "/".join(filter(None, (self.provider, self.model)))
        )
        parts = [f"{where}: {self.message}" if where else self.message]
        if self.status is not None and str(self.status) not in self.message:
            parts.append(f"(HTTP {self.status})")
        if self.hint:
            parts.append(f"– {self.hint}")
        if self.request_id:
            parts.append(f"[request {self.request_id}]")
        if len(self.attempts) > 1:
            parts.append(f"[after {len(self.attempts)} attempts]")
        return " ".join(parts)

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.message, self.__dict__.copy()))

    def locate(self, provider: str, model: str) -> Self:
        """Say whom was asked, where that is not said yet."""
        self.provider = self.provider or provider
        self.model = self.model or model
        return self

    def redact(self, secrets: Sequence[str]) -> Self:
        """Take the caller's secrets out of every text that the error holds (providers echo keys in messages)."""
        for secret in secrets:
            if len(secret) >= 4:
                for name, value in self.__dict__.items():
                    self.__dict__[name] = _without(value, secret)
                self.args = (self.message,)
        return self


def _without(value: Any, secret: str) -> Any:
    if isinstance(value, str):
        return value.replace(secret, "***")
    if isinstance(value, bytes):
        return value.replace(secret.encode(), b"***")
    if isinstance(value, dict):
        return {key: _without(item, secret) for key, item in value.items()}
    return value


def _rebuild(kind: type[BetterAIError], message: str, state: dict[str, Any]) -> BetterAIError:
    error = kind.__new__(kind)
    Exception.__init__(error, message)
    error.__dict__.update(state)
    return error


class ProviderError(BetterAIError):
    """The provider, or the way to it, failed."""


class ValidationError(BetterAIError, ValueError):
    """The request is wrong: nothing was sent, or the provider turned it down."""


class RateLimitError(ProviderError):
    """Too many requests, or too many tokens, in too short a time."""

    retryable = True


class QuotaExceededError(RateLimitError):
    """The account is out of credit or quota: waiting does not help."""

    retryable = False


class OverloadedError(ProviderError):
    """The provider is overloaded, starting up or down (5xx)."""

    retryable = True


class ModelNotFoundError(ProviderError, KeyError):
    """No such model, or this account has no access to it. `ALL_MODELS["no such model"]` raises it too."""


class ContentFilterError(ProviderError):
    """A content filter refused the prompt or the answer."""


class APITimeoutError(ProviderError):
    """A time limit was reached."""

    retryable = True


class ConnectTimeout(APITimeoutError):
    """No connection within `timeout.connect` seconds."""


class FirstByteTimeout(APITimeoutError):
    """Connected, but no answer began within `timeout.first_byte` seconds."""


class IdleTimeout(APITimeoutError):
    """The answer began, then nothing came for `timeout.idle` seconds."""


class TotalTimeout(APITimeoutError):
    """The whole call, with its retries, took longer than `timeout.total` seconds."""

    retryable = False


class APIConnectionError(ProviderError):
    """No connection, or it broke before the answer began."""

    retryable = True


class StreamInterrupted(ProviderError):
    """The stream ended before the answer did. `partial` is what came: a response without a finish reason; of a session
    of speech or transcription a `Speech` or `Transcript`.
    """

    def __init__(self, message: str = "", *, partial: Any = None, **details: Any) -> None:
        super().__init__(message, **details)
        self.partial: Any = partial


class OutputInvalidError(ProviderError):
    """The answer is not what was asked for. `response` holds it, usage and cost too."""

    def __init__(self, message: str = "", *, response: ProviderResponse | None = None, **details: Any) -> None:
        super().__init__(message, **details)
        self.response = response


class JobInDoubt(ProviderError):
    """A job may or may not have been submitted, and the provider cannot tell. Only you can decide to repeat it."""


class UnsupportedParam(ValidationError):
    """This provider or model cannot take this setting. `param` names it."""

    def __init__(self, message: str = "", *, param: str = "", **details: Any) -> None:
        super().__init__(message, **details)
        self.param = param


class ConfigurationError(ValidationError):
    """A key or a setting is missing or wrong. The message names the variable that sets it."""


class WebhookSignatureError(ValidationError):
    """A webhook is not signed as it should be, or too old: somebody else may have sent it."""


class AuthenticationError(ValidationError, ProviderError):
    """The key was not accepted (401)."""


class PermissionDeniedError(ValidationError, ProviderError):
    """The key is valid but may not do this (403)."""


class BadRequestError(ValidationError, ProviderError):
    """The provider turned the request down (400, 422 …)."""


class ContextLengthError(BadRequestError):
    """The conversation is too long for the model: shorten it, or take a model with a larger context window."""


class LimitReached(BetterAIError):
    """A limit that you set was reached, and nothing more was sent."""


class StepLimitReached(LimitReached):
    """A run of tools made its last step, and the model has not finished. `run` holds all that was said and done."""

    def __init__(self, message: str = "", *, run: ToolRun | None = None, **details: Any) -> None:
        super().__init__(message, **details)
        self.run = run


class SpendLimitReached(LimitReached):
    """No call may be paid any more: `spent` of `limit` US dollars are, or what was spent is not known (None)."""

    def __init__(
        self, message: str = "", *, spent: Decimal | None = None, limit: Decimal | None = None, **details: Any
    ) -> None:
        super().__init__(message, **details)
        self.spent = spent
        self.limit = limit
