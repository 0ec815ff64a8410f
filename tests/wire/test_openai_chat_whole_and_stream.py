"""A stream amounts to the reply that would have come whole: generated replies, taken to pieces in any way."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import json
from msgspec.structs import replace

from betterai.core.response import ProviderResponse
from betterai.wire.openai_chat import OpenAIChat
from wire.chats import CODECS, as_sse, gather, make_call, parse, read_bytes, stream

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
words = st.sampled_from(["stop", "length", "tool_calls", "content_filter", "error", "eos"])
counts = st.integers(0, 50)


def optional(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


functions = st.builds(
    lambda id, name, arguments: {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}},
    st.uuids().map(str), st.sampled_from(["f", "g"]), texts,
)  # fmt: skip
customs = st.builds(
    lambda id, text: {"id": id, "type": "custom", "custom": {"name": "c", "input": text}}, st.uuids().map(str), texts
)
citations = st.builds(
    lambda url, start: {"type": "url_citation", "url_citation": {"url": url, "title": "T", "start_index": start}},
    texts, st.none() | counts,
)  # fmt: skip
details = st.lists(st.fixed_dictionaries({"type": st.just("reasoning.text"), "text": texts}), max_size=3)
tokens = st.lists(
    st.fixed_dictionaries({"token": texts, "logprob": st.just(-0.5), "bytes": st.none() | st.lists(counts, max_size=2)}),
    min_size=1, max_size=3,
)  # fmt: skip
messages = st.builds(
    lambda thoughts, rest: {"role": "assistant", **thoughts, **rest},
    optional(reasoning=texts) | optional(reasoning_content=texts),
    optional(
        content=st.none() | texts, refusal=st.none() | texts, reasoning_details=details,
        annotations=st.lists(citations, max_size=2), tool_calls=st.lists(functions | customs, max_size=3),
    ),
)  # fmt: skip
choices = st.builds(
    lambda message, word, logprobs: {"message": message, "finish_reason": word, "logprobs": logprobs},
    messages, words, st.none() | tokens.map(lambda content: {"content": content}),
)  # fmt: skip
usages = st.none() | st.fixed_dictionaries(
    {"prompt_tokens": counts, "completion_tokens": counts},
    optional={"total_tokens": counts, "prompt_tokens_details": optional(cached_tokens=counts, audio_tokens=counts)},
)


@st.composite
def replies(draw: st.DrawFn) -> dict[str, Any]:
    several = draw(st.lists(choices, min_size=1, max_size=2))
    numbered = [{"index": index, **choice} for index, choice in enumerate(several)]
    return {"id": "chatcmpl-9", "object": "chat.completion", "model": "m-9", "choices": numbered, "usage": draw(usages)}


class Splitter:
    """Takes a whole reply to pieces, as a provider that streams would send it."""

    def __init__(self, reply: dict[str, Any], seed: int) -> None:
        self._random = random.Random(seed)
        self._reply = reply

    def events(self) -> list[dict[str, Any]]:
        queues = [list(self._split_choice(choice)) for choice in self._reply["choices"]]
        events = [self._event([choice]) for choice in self._interleave(queues)]
        usage = self._reply["usage"]
        if usage is not None and self._random.random() < 0.5:
            events[-1]["usage"] = usage
        elif usage is not None:
            events.append({**self._event([]), "usage": usage})
        return events

    def _event(self, choices: list[Any]) -> dict[str, Any]:
        return {
            "id": "chatcmpl-9",
            "object": "chat.completion.chunk",
            "model": "m-9",
            "choices": choices,
            "usage": None,
        }

    def _interleave(self, queues: list[list[Any]]) -> Iterator[Any]:
        while queues := [queue for queue in queues if queue]:
            yield self._random.choice(queues).pop(0)

    def _split_choice(self, choice: dict[str, Any]) -> Iterator[dict[str, Any]]:
        message, index = choice["message"], choice["index"]
        yield {"index": index, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}
        pieces = [{"delta": delta} for delta in self._split_message(message)]
        logprobs = choice["logprobs"]
        if logprobs is not None:
            shown = [piece for piece in pieces if piece["delta"].get("content")] or [{"delta": {"content": ""}}]
            pieces += [piece for piece in shown if piece not in pieces]
            self._spread(logprobs["content"], shown)
        last: dict[str, Any] = pieces.pop() if pieces and self._random.random() < 0.3 else {"delta": {}}
        for piece in pieces:
            yield {"index": index, **piece, "finish_reason": None}
        yield {"index": index, **last, "finish_reason": choice["finish_reason"]}

    def _spread(self, tokens: list[Any], pieces: list[dict[str, Any]]) -> None:
        """Tokens in order over the pieces; each piece has a list, maybe an empty one."""
        cuts = sorted(self._random.randint(0, len(tokens)) for _ in pieces[1:])
        for piece, start, end in zip(pieces, [0, *cuts], [*cuts, len(tokens)], strict=True):
            piece["logprobs"] = {"content": tokens[start:end]}

    def _split_message(self, message: dict[str, Any]) -> Iterator[dict[str, Any]]:
        for name in ("reasoning", "reasoning_content", "content", "refusal"):
            yield from ({name: piece} for piece in self._cut(message.get(name) or ""))
        for name in ("reasoning_details", "annotations"):
            yield from ({name: list(piece)} for piece in self._cut(message.get(name) or []))
        calls = message.get("tool_calls") or []
        heads = [{"index": i, **call} for i, call in enumerate(calls)]
        queues: list[list[Any]] = [[]]
        for head in heads:
            kind = head["type"]
            field = "arguments" if kind == "function" else "input"
            first, *rest = self._cut(head[kind][field]) or [""]
            queues[0].append({**head, kind: {**head[kind], field: first}})
            queues.append([{"index": head["index"], kind: {field: piece}} for piece in rest])
        yield from ({"tool_calls": [piece]} for piece in queues[0])
        yield from ({"tool_calls": [piece]} for piece in self._interleave(queues[1:]))

    def _cut(self, whole: Any) -> list[Any]:
        places = sorted(self._random.randint(0, len(whole)) for _ in range(self._random.randint(0, 3)))
        pieces = [whole[start:end] for start, end in zip([0, *places], [*places, len(whole)], strict=True)]
        return pieces if whole else []


def comparable(response: ProviderResponse) -> Any:
    """The response as JSON values: white space in what is kept verbatim may differ."""
    return json.decode(json.encode(replace(response, body=b"")))


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
@settings(max_examples=60)
@given(reply=replies(), seed=st.integers(0, 10**6))
def test_a_stream_is_its_whole(codec: OpenAIChat, reply: dict[str, Any], seed: int) -> None:
    call = make_call(n=len(reply["choices"]), stream=True)
    events = Splitter(reply, seed).events()
    assert comparable(stream(*events, codec=codec, call=call)) == comparable(parse(reply, codec, call))


@given(reply=replies(), seed=st.integers(0, 10**6), size=st.integers(1, 90), ascii=st.booleans())
def test_a_stream_is_its_whole_however_the_network_cuts_it(
    reply: dict[str, Any], seed: int, size: int, ascii: bool
) -> None:
    call = make_call(n=len(reply["choices"]), stream=True)
    body = as_sse(Splitter(reply, seed).events(), ascii=ascii)
    pieces = (body[start : start + size] for start in range(0, len(body), size))
    assert comparable(gather(read_bytes(pieces, call=call))) == comparable(parse(reply, call=call))
