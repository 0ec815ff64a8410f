"""What speech and transcription of the protocol have alike: a call of theirs as one for an answer, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from betterai.core.codec import TextCall
from betterai.core.message import Message
from betterai.core.response import CallWarning, ProviderResponse
from betterai.core.settings import CallSettings, GenerationSettings
from betterai.core.wire import Call

_BESIDE = ("extra_body", "extra_headers", "extra_query")


def ask_beside(
    call: Call[Any, Any], messages: tuple[Message, ...] = (), options: Mapping[str, Any] | None = None, **given: Any
) -> TextCall:
    """The call for the answer that holds what `call` asks for. `options` are the vendor's own."""
    settings: CallSettings = call.settings
    given |= {name: value for name, value in settings.given().items() if name in _BESIDE}
    if options:
        given["options"] = {call.model.provider: options}
    return Call(
        model=call.model,
        input=messages,
        settings=GenerationSettings(**given),
        stream=call.stream,
        id=call.id,
        now=call.now,
        warnings=call.warnings,
        provider_settings=call.provider_settings,
    )


def warn_cut(what: str, answer: ProviderResponse) -> tuple[CallWarning, ...]:
    """Where an answer broke off, but is one: that the sound, or the text, may not be whole."""
    if answer.finish_reason in ("stop", None):
        return ()
    word = answer.raw_finish_reason
    return (CallWarning(code="provider", field=word, message=f"the {what} may not be whole: it ended with {word}"),)
