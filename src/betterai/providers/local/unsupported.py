"""Says which of the caller's settings have no effect on an embedded model, so that none is ignored in silence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sized
from typing import Any

from betterai.core.exceptions import ValidationError
from betterai.core.message import Message
from betterai.core.response import CallWarning
from betterai.core.settings import CallSettings, GenerationSettings, ReasoningControl
from betterai.core.tools import ServerTool

NO_REQUEST = {
    "extra_body": "there is no request to add it to",
    "extra_headers": "there is no request to add them to",
    "extra_query": "there is no request to add it to",
}
DROPPED = {
    **NO_REQUEST,
    "frequency_penalty": "nothing is drawn by chance",
    "presence_penalty": "nothing is drawn by chance",
    "logit_bias": "nothing is drawn by chance",
    "verbosity": "the answers have one length",
    "audio": "it does not speak",
    "prediction": "there is nothing to speed up",
    "cache": "there is no prompt cache",
    "web_search": "it has no network",
    "moderation": "there is no moderation",
    "service_tier": "there is one tier",
    "store": "nothing is stored",
    "metadata": "nothing is stored",
    "user": "nothing is recorded",
    "safety_identifier": "nothing is recorded",
}
"""Settings without effect. Not here: `temperature`, `top_p`, `top_k`, `min_p` and `seed`, which are kept by nature, for
the whole probability is on one word, and the same call gives the same answer."""


def list_warnings(
    settings: GenerationSettings, messages: tuple[Message, ...], more: Mapping[str, str]
) -> tuple[CallWarning, ...]:
    """One warning for each thing asked for and not done; `more` are settings that this model cannot honour either."""
    return (*_of_settings(settings, {**DROPPED, **more}), *_of_messages(messages))


def list_dropped(settings: CallSettings, reasons: Mapping[str, str]) -> tuple[CallWarning, ...]:
    """A warning for each setting that asks for something, and has no effect for one of these reasons."""
    given = settings.given().items()
    return tuple(drop(name, reasons[name]) for name, value in given if name in reasons and _asks(value))


def refuse_options(options: Mapping[str, Any] | None) -> None:
    """Raises `ValidationError` for options of ours, where an engine has none."""
    if given := (options or {}).get("local"):
        raise ValidationError(f"there is no option {next(iter(given))!r} for this model", provider="local")


def _of_settings(settings: GenerationSettings, dropped: Mapping[str, str]) -> Iterator[CallWarning]:
    yield from list_dropped(settings, dropped)
    extra = [kind for kind in settings.modalities or () if kind != "text"]
    if extra:
        yield drop("modalities", f"it answers in text, not in {', '.join(extra)}")
    if settings.stream_options is not None and settings.stream_options.include_obfuscation:
        yield drop("stream_options.include_obfuscation", "nothing travels over a network")
    control = settings.reasoning
    if isinstance(control, ReasoningControl) and "reasoning" not in dropped:
        if control.summary is not None:
            yield drop("reasoning.summary", "the reasoning comes whole")
        if control.format not in (None, "parsed", "hidden"):
            yield drop("reasoning.format", "the reasoning comes in parts of its own, or hidden")
    for tool in settings.tools or ():
        if not isinstance(tool, ServerTool) and (tool.opaque is not None or getattr(tool, "cache", None) is not None):
            yield drop("tools", f"cache marks and opaque fields of the tool {tool.name!r} mean nothing here")


def _of_messages(messages: tuple[Message, ...]) -> Iterator[CallWarning]:
    for place, message in enumerate(messages):
        if message.opaque is not None:
            yield drop(f"/messages/{place}/opaque", "it belongs to another protocol")
        for index, part in enumerate(message.parts):
            if part.opaque is not None:
                yield drop(f"/messages/{place}/parts/{index}/opaque", "it belongs to another protocol")
            if part.cache is not None:
                yield drop(f"/messages/{place}/parts/{index}/cache", "there is no prompt cache")


def _asks(value: Any) -> bool:
    return not (value is None or value is False or (isinstance(value, Sized) and len(value) == 0))


def drop(field: str, reason: str) -> CallWarning:
    """The warning of one setting."""
    return CallWarning(code="dropped", field=field, message=f"{field} has no effect on a local model: {reason}")
