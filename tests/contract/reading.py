"""How the contract tests read what a double wrote, with a provider's own codec."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from betterai.core.accumulate import Accumulator
from betterai.core.message import Message
from betterai.core.response import ProviderResponse, TextChunk
from betterai.core.settings import GenerationSettings
from betterai.core.wire import Call, WireResponse
from betterai.wire.framing import open_framer
from contract.cases import Case
from contract.doubles import DOUBLES, Double, Said


def double_of(case: Case) -> Double:
    assert case.protocol in DOUBLES, f"a server of {case.protocol} is missing in contract/doubles.py"
    return DOUBLES[case.protocol]


def call_of(case: Case, *, stream: bool = False, messages: tuple[Message, ...] = (), **settings: Any) -> Any:
    return Call(
        model=case.model,
        input=messages or (Message.user("Hello"),),
        settings=GenerationSettings(**settings),
        stream=stream,
        id="0" * 32,
        now=1_800_000_000.0,
    )


def read_whole(case: Case, body: Any) -> ProviderResponse:
    content = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    response = case.codec.parse_response(call_of(case), WireResponse(status=200, body=content))
    assert isinstance(response, ProviderResponse)
    return response


def read_steps(case: Case, events: Iterable[bytes]) -> Iterator[list[TextChunk]]:
    """What each piece of a stream gives, and then its end."""
    call = call_of(case, stream=True)
    framer, state = open_framer(case.codec.build_request(call).reply), case.codec.open_stream(call)
    for piece in events:
        yield [chunk for event in framer.feed(piece) for chunk in state.parse_event(event)]
    yield [*(chunk for event in framer.flush() for chunk in state.parse_event(event)), *state.finish()]


def read_stream(case: Case, events: Iterable[bytes]) -> tuple[list[TextChunk], ProviderResponse]:
    """All chunks, and what they amount to."""
    chunks = [chunk for step in read_steps(case, events) for chunk in step]
    gathered = Accumulator("neutral-model")
    for chunk in chunks:
        gathered.add(chunk)
    return chunks, gathered.response()


def whole_of(case: Case, said: Said) -> ProviderResponse:
    return read_whole(case, double_of(case).whole(said))


def stream_of(case: Case, said: Said) -> tuple[list[TextChunk], ProviderResponse]:
    return read_stream(case, double_of(case).events(said))
