"""An answer in our types goes out by each surface and in by the client half, and loses what the protocol cannot say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from betterai.core.accumulate import Accumulator
from betterai.core.codec import TextCall
from betterai.core.message import AnyPart, MediaPart, Message, Reasoning, Refusal, Text, ToolCall
from betterai.core.response import ProviderResponse, TokenLogprob
from betterai.core.settings import GenerationSettings, StreamOptions
from betterai.core.tools import CustomTool
from betterai.core.usage import Usage
from betterai.core.wire import Call, WireRequest
from betterai.wire.framing import open_framer
from betterai.wire.surfaces import SURFACES
from together import each
from wire.replies import as_chunks, responses
from wire.test_any_to_any import CODECS, MODEL

FRAMING: Any = {"bedrock_converse": "event_stream"}
NO_PLACE = "the protocol has no place for it"
CANNOT: dict[str, dict[str, str]] = {
    "openai_chat": {
        "cache times": "what was written to a cache is one count",
        "units": NO_PLACE,
    },
    "openai_responses": {
        "alternatives": "there is one answer a call",
        "zeros": "the counts of reasoning and of cached tokens are required",
        "kinds of tokens": "text, sound and pictures are one count",
        "cache times": "what was written to a cache is one count",
        "units": NO_PLACE,
    },
    "anthropic_messages": {
        "alternatives": "there is one answer a call",
        "logprobs": NO_PLACE,
        "usage": "it is required: zeros where there is none",
        "cache times": "where one time is told, the other is as well, as 0",
        "kinds of tokens": "text, sound and pictures are one count",
        "media": "answers hold no pictures as bytes",
        "refusal text": "clients show no other place than text: there it stands too, beside `stop_details`, which comes last",
        "free text": "arguments are objects: a text is a field of one",
        "places of citations": "a source stands at the text that it is for, not at a part of it",
    },
    "gemini": {
        "logprob bytes": NO_PLACE,
        "cache writes": "what is written to a cache is not told",
        "units": "searches are told by what was searched for",
        "tier": NO_PLACE,
        "refusal": "a refusal is a text",
        "free text": "arguments are objects: a text is a field of one",
        "signature": "in a stream it comes after the thoughts, in a part of its own",
    },
    "bedrock_converse": {
        "names": "neither the answer nor its model is named",
        "alternatives": "there is one answer a call",
        "logprobs": NO_PLACE,
        "usage": "it is required: zeros where there is none",
        "kinds of tokens": "text, thoughts, sound and pictures are one count",
        "thoughts": "the tokens of thoughts are among the others",
        "units": NO_PLACE,
        "refusal": "a refusal is a text",
        "free text": "arguments are objects: a text is a field of one",
        "citations": "a text with sources is a block of another kind, which clients that asked for none do not read",
    },
}
"""What the answers of a protocol cannot say, and why."""
FINISH: dict[str, dict[str, str]] = {
    "openai_chat": {"pause": "length", "other": "length"},
    "openai_responses": {"pause": "other"},
    "anthropic_messages": {"content_filter": "refusal", "other": "length"},
    "gemini": {"pause": "other", "refusal": "stop"},
    "bedrock_converse": {"pause": "length", "other": "length", "refusal": "content_filter"},
}
"""How an answer ended, where the protocol has no word for it: what may be cut off is never shown as whole."""
CALL: TextCall = Call(
    model=MODEL,
    input=(Message.user("Hi"),),
    settings=GenerationSettings(tools=[CustomTool(name="write")], stream_options=StreamOptions(include_usage=True)),
    id="call-1",
    now=1.8e9,
)


def go_whole(protocol: str, response: ProviderResponse) -> ProviderResponse:
    reply = SURFACES[protocol]().build_response(CALL, response)
    read = CODECS[protocol].parse_response(CALL, reply)
    assert not isinstance(read, WireRequest)
    return read


def go_streamed(protocol: str, response: ProviderResponse) -> ProviderResponse:
    call = msgspec.structs.replace(CALL, stream=True)
    surface, told = SURFACES[protocol](), {}  # type: ignore[var-annotated]
    framer, state, gathered = (
        open_framer(FRAMING.get(protocol, "sse")),
        CODECS[protocol].open_stream(call),
        Accumulator(""),
    )
    written = [surface.build_event(call, item, told) for item in (*as_chunks(response), None)]
    events = [event for piece in written for event in framer.feed(piece)]
    for event in (*events, *framer.flush()):
        for chunk in state.parse_event(event):
            gathered.add(chunk)
    for chunk in state.finish():
        gathered.add(chunk)
    return gathered.response()


def describe(protocol: str, response: ProviderResponse) -> dict[str, Any]:
    """What of a response the protocol can say."""
    cannot = CANNOT[protocol]
    names = {} if "names" in cannot else {"id": response.id, "model": response.model}
    said: dict[str, Any] = {**names, "usage": describe_usage(response.usage, cannot)}
    others = () if "alternatives" in cannot else response.alternatives
    for index, item in enumerate((response, *others)):
        parts = item.message.parts if item.message else ()
        reason = item.finish_reason or ""
        said |= {
            f"finish/{index}": FINISH[protocol].get(reason, reason),
            f"logprobs/{index}": None if "logprobs" in cannot else describe_logprobs(item.logprobs, cannot),
            f"parts/{index}": list(describe_parts(parts, cannot)),
        }
    return said


def describe_logprobs(tokens: tuple[TokenLogprob, ...] | None, cannot: dict[str, str]) -> Any:
    keep_bytes = "logprob bytes" not in cannot
    return None if tokens is None else [(it.token, it.logprob, it.bytes if keep_bytes else None) for it in tokens]


def describe_usage(usage: Usage | None, cannot: dict[str, str]) -> dict[str, Any] | None:
    if usage is None and "usage" not in cannot:
        return None
    said = msgspec.structs.asdict(usage or Usage())
    if "kinds of tokens" in cannot:
        said["text_in"], said["audio_in"] = said["text_in"] + said["audio_in"], 0
        said["text_out"], said["audio_out"] = said["text_out"] + said["audio_out"], 0
    if "thoughts" in cannot:
        said["text_out"], said["reasoning"] = said["text_out"] + (said["reasoning"] or 0), None
    if "cache writes" in cannot:
        said["text_in"], said["cache_write"] = said["text_in"] + sum(said["cache_write"].values()), {}
    if "cache times" in cannot:
        said["cache_write"] = {"": sum(said["cache_write"].values())} if said["cache_write"] else {}
    if "zeros" in cannot:
        said |= {name: said[name] or zero for name, zero in _ZEROS.items()}
    for name in {"units", "tier"} & cannot.keys():
        del said[name]
    return said


_ZEROS: dict[str, Any] = {"reasoning": 0, "cached": {"text": 0}, "cache_write": {"": 0}}


def describe_parts(parts: Sequence[AnyPart], cannot: dict[str, str]) -> Iterator[tuple[Any, ...]]:
    refusals = [part.text for part in parts if isinstance(part, Refusal)]
    if "refusal text" in cannot:
        parts = sorted(parts, key=lambda part: isinstance(part, Refusal))
    for part in parts:
        if isinstance(part, Refusal):
            yield ("text" if "refusal" in cannot else "refusal", part.text)
        elif isinstance(part, Text) and not ("refusal text" in cannot and part.text in refusals):
            yield ("text", part.text, *describe_citations(part, cannot))
        elif isinstance(part, ToolCall) and part.kind == "custom" and "free text" in cannot:
            arguments = msgspec.json.encode({"input": part.arguments}).decode()
            yield ("call", part.id, part.name, arguments, "function", part.index)
        elif isinstance(part, ToolCall):
            yield ("call", part.id, part.name, part.arguments, part.kind, part.index)
        elif isinstance(part, MediaPart) and "media" not in cannot:
            yield ("media", part.media.kind, part.media.mime_type, part.media.to_base64())
        elif isinstance(part, Reasoning):
            yield from describe_thoughts(part, cannot)


def describe_citations(part: Text, cannot: dict[str, str]) -> list[tuple[Any, ...]]:
    placed = "places of citations" not in cannot
    said = [(item.url, item.title, item.text, *((item.start, item.end) if placed else ())) for item in part.citations]
    return [] if "citations" in cannot else said


def describe_thoughts(part: Reasoning, cannot: dict[str, str]) -> Iterator[tuple[Any, ...]]:
    """What is kept with thoughts, but an id that was made up for them, and an empty mark."""
    if part.text:
        yield ("thoughts", part.text)
    kept = part.opaque.value if part.opaque is not None else {}
    marks = {name: value for name, value in kept.items() if name not in ("id", "type", "summary", "text", "thought")}
    if marks:
        yield ("marks", marks)


@each("protocol", CODECS)
@each("go", [go_whole, go_streamed])
@settings(max_examples=40, suppress_health_check=list(HealthCheck), deadline=None, derandomize=True)
@given(data=st.data())
def test_an_answer_comes_back(protocol: str, go: Callable[..., ProviderResponse], data: st.DataObject) -> None:
    response = data.draw(responses(protocol))
    assert describe(protocol, go(protocol, response)) == describe(protocol, response)
