"""What a server of a codec's protocol answers, as its server half writes it."""

from __future__ import annotations

import re
from typing import Any

from betterai.core.codec import TextSurface
from betterai.core.message import Message, Text
from betterai.core.response import ProviderResponse, TextChunk
from betterai.core.settings import GenerationSettings, StreamOptions
from betterai.core.usage import Usage
from betterai.core.wire import Call
from betterai.wire.surfaces import SURFACES
from contract.cases import Case
from runtime.upstream import Behaviour, Ending, reply, stream

USAGE = Usage(text_in=7, text_out=2)
WHOLE = ProviderResponse(
    content="Hello", model="m-1", id="answer-1", message=Message.assistant("Hello"), usage=USAGE, finish_reason="stop"
)
CHUNKS = (
    TextChunk(content="Hel", model="m-1", id="answer-1"),
    TextChunk(content="lo"),
    TextChunk(part=Text(text="Hello")),
    TextChunk(finish_reason="stop", raw_finish_reason="stop"),
    TextChunk(usage=USAGE),
)
TERMINATED = frozenset({"openai_chat", "anthropic_messages"})
"""Protocols whose last event only says that it is the last."""


def surface_of(case: Case) -> TextSurface:
    return SURFACES[case.protocol]()


def call_of(case: Case) -> Any:
    settings = GenerationSettings(stream_options=StreamOptions(include_usage=True))
    return Call(model=case.model, input=(), settings=settings, stream=True, id="answer-1", now=1_800_000_000.0)


def whole_answer(case: Case) -> Behaviour:
    built = surface_of(case).build_response(call_of(case), WHOLE)
    return reply(built.status, built.content, built.headers)


def events_of(case: Case, *items: TextChunk | Exception | None) -> list[bytes]:
    """The events of a stream, one by one; by default of a whole one."""
    surface, call, state = surface_of(case), call_of(case), dict[str, Any]()
    said = b"".join(surface.build_event(call, item, state) for item in items or (*CHUNKS, None))
    return re.findall(rb".*?\r?\n\r?\n", said, re.DOTALL)


def streamed_answer(case: Case, *items: TextChunk | Exception | None, ending: Ending = "clean") -> Behaviour:
    return stream(events_of(case, *items), ending)
