"""Middleware that keeps from the provider what it need not know: addresses, numbers, keys."""

from __future__ import annotations

import re
from asyncio import to_thread
from collections.abc import AsyncGenerator, Iterable, Mapping
from typing import Any, Literal

from msgspec.structs import replace

from betterai.core.base import BaseTextProvider
from betterai.core.exceptions import OutputInvalidError, StreamInterrupted, UnsupportedParam, ValidationError
from betterai.core.message import Message, Messages
from betterai.core.response import TextChunk
from betterai.core.results import TokenCount
from betterai.core.settings import GenerationSettings
from betterai.runtime.media.loading import find_media
from betterai.runtime.messages import read_messages
from betterai.runtime.middleware.base import Middleware, ProviderCall
from betterai.runtime.middleware.patterns import PATTERNS, Pattern
from betterai.runtime.middleware.redaction import Redaction, text_size
from betterai.runtime.middleware.restoring import StreamRestorer
from betterai.runtime.schema import parse_output, prepare_settings

LARGE = 32_768
"""From how many characters on texts are looked through in a thread."""


class Redacted(Middleware):
    """Sends placeholders such as `[EMAIL_1]` in place of what its patterns find, and puts it back into the answer.

    `kinds` are names of `PATTERNS`, None for all of them; `patterns` are your own, by name: regular expressions. With
    `restore=False` the answer keeps the placeholders. It looks at the texts of messages, tool results, tool arguments
    and `prediction`, and at nothing else: with `media="refuse"`, a call that holds media raises `UnsupportedParam`.
    """

    def __init__(
        self,
        inner: BaseTextProvider | str,
        *,
        kinds: Iterable[str] | None = None,
        patterns: Mapping[str, str | re.Pattern[str]] | None = None,
        restore: bool = True,
        media: Literal["send", "refuse"] = "send",
    ) -> None:
        super().__init__(inner)
        if media not in ("send", "refuse"):
            raise ValidationError(f"Redacted: media must be 'send' or 'refuse', not {media!r}")
        if patterns is not None and not isinstance(patterns, Mapping):
            raise ValidationError(f"Redacted: patterns are named, not {patterns!r:.80}", hint='write {"NAME": r"…"}')
        self._patterns = {**_choose(kinds), **{name: _compile(name, text) for name, text in (patterns or {}).items()}}
        self._restores = restore
        self._refuses_media = media == "refuse"

    async def ask(self, call: ProviderCall) -> AsyncGenerator[TextChunk, None]:
        """The call with placeholders, and its answer without them."""
        redaction, messages, settings = await self._hide(call.messages, call.settings)
        if not redaction.originals or not self._restores:
            async for chunk in super().ask(replace(call, messages=messages, settings=settings)):
                yield chunk
            return
        settings, parse = prepare_settings(settings)
        restorer = StreamRestorer(redaction, in_json=parse is not None)
        hidden = replace(call, messages=messages, settings=settings)
        try:
            async for chunk in super().ask(hidden):
                if chunk.response is not None:
                    for held in restorer.flush():
                        yield held
                    response = redaction.show_response(chunk.response, in_json=parse is not None)
                    chunk = replace(chunk, response=response if parse is None else parse_output(response, parse))
                for shown in restorer.read(chunk):
                    yield shown
        except StreamInterrupted as error:
            if error.partial is not None:
                error.partial = redaction.show_response(error.partial, in_json=parse is not None)
            raise
        except OutputInvalidError as error:
            if error.response is None or parse is None:
                raise
            yield TextChunk(response=parse_output(redaction.show_response(error.response, in_json=True), parse))

    async def count_tokens(
        self, messages: Messages, model: str = "", settings: GenerationSettings | None = None
    ) -> TokenCount:
        """Of the call with its placeholders."""
        _, hidden, settings = await self._hide(read_messages(messages), settings or GenerationSettings())
        return await super().count_tokens(hidden, model, settings)

    async def _hide(
        self, messages: tuple[Message, ...], settings: GenerationSettings
    ) -> tuple[Redaction, tuple[Message, ...], GenerationSettings]:
        if self._refuses_media and find_media(messages):
            raise UnsupportedParam(
                "media: what is in it cannot be redacted, so it is not sent",
                hint='send texts, or allow it with Redacted(…, media="send")',
                param="media",
            )
        if text_size(messages) > LARGE:
            return await to_thread(self._hide_texts, messages, settings)
        return self._hide_texts(messages, settings)

    def _hide_texts(
        self, messages: tuple[Message, ...], settings: GenerationSettings
    ) -> tuple[Redaction, tuple[Message, ...], GenerationSettings]:
        redaction = Redaction(self._patterns, messages)
        hidden = tuple([redaction.hide_message(message) for message in messages])
        prediction = settings.prediction
        if prediction:
            settings = settings.replace(prediction=_hide_prediction(redaction, prediction))
        return redaction, hidden, settings


def _hide_prediction(redaction: Redaction, prediction: Any) -> Any:
    if isinstance(prediction, str):
        return redaction.hide(prediction)
    return [{**part, "text": redaction.hide(part["text"])} if "text" in part else part for part in prediction]


def _choose(kinds: Iterable[str] | None) -> dict[str, Pattern]:
    if kinds is None:
        return dict(PATTERNS)
    chosen = {kinds} if isinstance(kinds, str) else set(kinds)
    if unknown := chosen - set(PATTERNS):
        hint = f"there are {', '.join(PATTERNS)}; your own go into patterns={{…}}"
        raise ValidationError(f"Redacted knows no kind {sorted(unknown)[0]!r}", hint=hint)
    return {name: pattern for name, pattern in PATTERNS.items() if name in chosen}


def _compile(name: str, text: str | re.Pattern[str]) -> Pattern:
    if not (isinstance(name, str) and re.fullmatch("[A-Za-z][A-Za-z0-9_]*", name)):
        raise ValidationError(f"Redacted: the name of a pattern is made of letters, digits and _, not {name!r}")
    try:
        return Pattern(expression=re.compile(text))
    except (re.error, TypeError) as error:
        raise ValidationError(f"Redacted: the pattern {name} cannot be read: {error}") from error
