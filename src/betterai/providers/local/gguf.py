"""`local/gguf:PATH`: a GGUF file as a model. llama.cpp runs it in this process, and is asked as its server is."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from pathlib import Path
from secrets import token_hex
from typing import Any, ClassVar

import msgspec
from msgspec import UNSET

from betterai.core.accumulate import Accumulator
from betterai.core.codec import TextCall
from betterai.core.exceptions import UnsupportedParam, ValidationError
from betterai.core.model import ModelConfig
from betterai.core.price import price_usage
from betterai.core.response import TextChunk
from betterai.core.settings import GenerationSettings, ReasoningControl
from betterai.core.tools import JsonObject, JsonSchema, PlainText
from betterai.core.wire import Call, Event, WireResponse
from betterai.providers.local.conversation import read_messages
from betterai.providers.local.gguf_engine import ask_engine
from betterai.providers.local.models import FREE
from betterai.providers.local.options import FILE_PREFIX, GGUF_ONLY, LocalOptions
from betterai.providers.local.unsupported import DROPPED
from betterai.wire.openai_chat import OpenAIChat
from betterai.wire.reasoning import EFFORTS, effort_for
from betterai.wire.report import Report

DEFAULT_CONTEXT = 8192
_DRAWN = ("frequency_penalty", "presence_penalty", "logit_bias", "extra_body")


class GGUFChat(OpenAIChat):
    """Chat Completions as llama.cpp's server takes them (github.com/ggml-org/llama.cpp, tools/server/README.md)."""

    accepts: ClassVar[Mapping[str, frozenset[str]]] = {}
    max_tokens_fields = ("max_tokens",)
    unsupported: ClassVar[Mapping[str, str]] = {
        **{name: why for name, why in DROPPED.items() if name not in _DRAWN},
        "n": "one answer is made at a time",
        "modalities": "it answers in text",
    }
    extra_fields = frozenset({"top_k", "min_p"})
    developer_role = False
    cache_marks = False
    allowed_tools = False
    reasoning_field = "reasoning_content"

    def write_reasoning_control(
        self, body: dict[str, Any], control: ReasoningControl, call: TextCall, report: Report
    ) -> None:
        """For the model's own template: most look at `enable_thinking`, some at `reasoning_effort`."""
        effort = control.effort or (effort_for(control.budget) if control.budget is not None else None)
        if effort is not None and effort not in EFFORTS:
            raise ValidationError(f"there is no effort {effort!r}", hint=f"there are {', '.join(EFFORTS)}")
        if control.budget is not None:
            report.translate("reasoning", f"a budget of {control.budget} tokens was sent as effort {effort}")
        thinks = control.enabled is not False and effort != "none"
        body["chat_template_kwargs"] = {"enable_thinking": thinks}
        if thinks and effort is not None:
            body["chat_template_kwargs"]["reasoning_effort"] = effort
        for name in ("include", "format", "summary"):
            if getattr(control, name) is not None:
                report.drop(f"reasoning.{name}", "the thoughts come as parts of their own")


_CODEC = GGUFChat()


def read_path(model: str) -> Path:
    """The file that a model's name names: relative to the current folder, or beginning with ~."""
    return Path(model.removeprefix("local/").removeprefix(FILE_PREFIX)).expanduser().absolute()


async def stream_answer(
    path: Path, model: str, messages: Any, settings: GenerationSettings, options: LocalOptions, user: object
) -> AsyncGenerator[TextChunk, None]:
    """The answer in pieces, the last with the whole `response`. `user` keeps the loaded model until it lets go of it.

    Raises `ModelNotFoundError` where there is no such file, `ConfigurationError` without the extra, and what llama.cpp
    turns down as `BadRequestError`.
    """
    call, body, warnings = _build(model.removeprefix("local/"), messages, settings, options)
    state, gathered = _CODEC.open_stream(call), Accumulator(call.model.id)
    async with aclosing(ask_engine(path, options.get("context", DEFAULT_CONTEXT), body, user)) as events:
        async for event in events:
            if isinstance(event, Exception):
                said = msgspec.json.encode({"error": {"message": str(event)}})
                raise _CODEC.parse_error(WireResponse(status=400, body=said)) from event
            for chunk in state.parse_event(Event(data=event)):
                gathered.add(chunk)
                yield chunk
    final = list(state.finish())
    for chunk in final:
        gathered.add(chunk)
        yield chunk
    response = gathered.response()
    cost = price_usage(response.usage, FREE)
    yield TextChunk(response=msgspec.structs.replace(response, model=call.model.id, warnings=warnings, cost=cost))


def _build(
    model: str, messages: Any, settings: GenerationSettings, options: LocalOptions
) -> tuple[TextCall, bytes, tuple[Any, ...]]:
    """The call, the request's body, and what of the call is not in it."""
    strays = [name for name in options if name not in GGUF_ONLY]
    if strays:
        raise ValidationError(f"the option {strays[0]!r} is for local/echo: this is a real model", provider="local")
    if settings.max_tokens is not None and settings.max_tokens < 1:
        raise ValidationError(f"max_tokens must be at least 1, not {settings.max_tokens}", provider="local")
    shape = settings.response_format
    if shape is not None and not isinstance(shape, JsonSchema | JsonObject | PlainText):
        if not isinstance(shape, Mapping):
            raise UnsupportedParam(
                f"response_format must be a JsonSchema or a JSON Schema here, not {shape!r:.60}",
                hint="types are made into schemas by betterai.generate()",
                param="response_format",
                provider="local",
            )
        settings = settings.replace(response_format=JsonSchema(schema=shape))
    call: TextCall = Call(
        model=ModelConfig(id=model, provider="local"),
        input=read_messages(messages),
        settings=settings.replace(options=UNSET),
        stream=True,
        id=token_hex(16),
        now=time.time(),
    )
    request = _CODEC.build_request(call)
    report = Report(call.model)
    for name in ("extra_headers", "extra_query"):
        if getattr(settings, name):
            report.drop(name, DROPPED[name])
    try:
        body = msgspec.json.encode({**request.body, **(settings.extra_body or {})})  # type: ignore[dict-item]
    except TypeError as error:
        raise ValidationError(f"the request cannot be written as JSON: {error}", provider="local") from error
    return call, body, (*request.warnings, *report.warnings)
