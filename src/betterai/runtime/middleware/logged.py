"""Middleware that writes one line a call to a log of yours, as the call looks from outside, routes and caches in it."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncGenerator

from betterai.core.base import BaseTextProvider
from betterai.core.exceptions import BetterAIError, ValidationError
from betterai.core.response import ProviderResponse, TextChunk
from betterai.runtime.connection import find_secrets
from betterai.runtime.middleware.base import Middleware, ProviderCall
from betterai.runtime.middleware.patterns import PATTERNS

LONGEST = 500
"""How many characters of a text are shown."""


class Logged(Middleware):
    """Writes who answered, how the answer ended, tokens, cost and seconds; of a failure its class, as a warning.

    What was said is written only with `content=True`: the last message and the answer, cut to 500 characters each, with
    what looks like a key, or was passed as one, masked. `logger` is a logger or its name.
    """

    def __init__(
        self,
        inner: BaseTextProvider | str,
        *,
        logger: logging.Logger | str = "betterai.logged",
        level: int = logging.INFO,
        content: bool = False,
    ) -> None:
        super().__init__(inner)
        if isinstance(level, bool) or not isinstance(level, int):
            raise ValidationError(f"Logged: level must be a number, not {level!r:.80}", hint="write logging.INFO")
        if not (isinstance(logger, str) or hasattr(logger, "isEnabledFor")):
            raise ValidationError(f"Logged: logger must be a logger or its name, not {logger!r:.80}")
        self._logger = logging.getLogger(logger) if isinstance(logger, str) else logger
        self._level = level
        self._content = content

    async def ask(self, call: ProviderCall) -> AsyncGenerator[TextChunk, None]:
        """The call as it is, and its line."""
        began, response = time.monotonic(), None
        try:
            async for chunk in super().ask(call):
                response = chunk.response or response
                yield chunk
        except BaseException as error:
            if response is None:
                self._write_failure(error, call, time.monotonic() - began)
                raise
            self._write(response, call, time.monotonic() - began)
            raise
        self._write(response, call, time.monotonic() - began)

    def _write(self, response: ProviderResponse | None, call: ProviderCall, seconds: float) -> None:
        if response is None or not self._logger.isEnabledFor(self._level):
            return
        usage, cost, timing = response.usage, response.cost, response.timing
        cached = timing is not None and timing.age is not None
        self._logger.log(
            self._level,
            "%s/%s answered%s: %s, tokens %s in, %s out, $%s, %.3f s%s",
            response.provider,
            response.model,
            " from a cache" if cached else "",
            response.finish_reason,
            usage.input_tokens if usage is not None else "?",
            usage.output_tokens if usage is not None else "?",
            cost.amount if cost is not None and cost.amount is not None else "?",
            seconds,
            self._quote(call, response.content) if self._content else "",
        )

    def _write_failure(self, error: BaseException, call: ProviderCall, seconds: float) -> None:
        level = max(self._level, logging.WARNING)
        if not self._logger.isEnabledFor(level):
            return
        ours = error if isinstance(error, BetterAIError) else BetterAIError()
        self._logger.log(
            level,
            "%s %s %s%s after %.3f s%s",
            self._name(ours),
            "failed with" if isinstance(error, Exception) else "was left with",
            type(error).__name__,
            f" ({ours.status})" if ours.status is not None else "",
            seconds,
            self._quote(call, None) if self._content else "",
        )

    def _name(self, error: BetterAIError) -> str:
        """Who failed; what is wrapped, where the error does not say."""
        if error.model:
            return f"{error.provider}/{error.model.removeprefix(f'{error.provider}/')}"
        if isinstance(self.inner, str):
            return self.inner
        model = self.model
        return model.key if model is not None else type(self.inner).__name__

    def _quote(self, call: ProviderCall, answer: str | None) -> str:
        secrets = find_secrets(call.settings)
        said = f", asked {_show(call.messages[-1].text, secrets)}"
        return said if answer is None else f"{said}, answered {_show(answer, secrets)}"


def _show(text: str, secrets: list[str]) -> str:
    """A text in one line, without secrets."""
    for secret in secrets:
        text = text.replace(secret, "***")
    shown, place = "", 0
    for start, end in PATTERNS["key"].find(text):
        shown, place = f"{shown}{text[place:start]}***", end
    shown += text[place:]
    return repr(shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}…")
