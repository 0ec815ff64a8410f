"""Messages, the server half: chunks of whatever provider as events, which our client half reads as the same answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from betterai.core.exceptions import RateLimitError
from betterai.core.message import Citation, Message, Opaque, Reasoning, Refusal, Text, ToolCall
from betterai.core.response import TextChunk, ToolCallDelta
from betterai.core.usage import Usage
from betterai.wire.openai_chat import OpenAIChat
from betterai.wire.sse import SSEFramer
from recordings.store import body_of, exchange_files, load, name_of, needs_recordings, streamed
from wire.messages import BEGIN, CODEC, END, SURFACE, chunks_of, ended, gather, make_call, model, parse, reply, text
from wire.test_anthropic_messages_replies import BLOCKS, CONTAINER
from wire.test_anthropic_messages_stream import as_events

CALL = make_call(stream=True)


def written(chunks: Iterable[TextChunk | Exception]) -> bytes:
    """All that a client is sent."""
    state: dict[str, Any] = {}
    body = [SURFACE.build_event(CALL, chunk, state) for chunk in chunks]
    return b"".join([*body, SURFACE.build_event(CALL, None, state)])


def events_of(body: bytes) -> list[bytes]:
    framer = SSEFramer()
    events = [*framer.feed(body), *framer.flush()]
    assert all(event.name == msgspec.json.decode(event.data)["type"] for event in events)
    return [event.data for event in events]


def told(*chunks: TextChunk | Exception) -> Any:
    """What a client makes of them."""
    return gather(events_of(written(chunks)))


def kinds(*chunks: TextChunk | Exception) -> list[str]:
    return [msgspec.json.decode(data)["type"] for data in events_of(written(chunks))]


def piece(index: int, arguments: str = "", id: str = "", name: str = "") -> TextChunk:
    return TextChunk(tool_call=ToolCallDelta(index=index, id=id, name=name, arguments=arguments))


def test_an_answer_that_says_nothing_is_whole() -> None:
    assert kinds() == ["message_start", "message_delta", "message_stop"]
    assert told().finish_reason == "stop"


def test_thoughts_then_text_then_the_parts_at_the_end() -> None:
    response = told(
        TextChunk(reasoning="Hm.", model="m", id="i"),
        TextChunk(content="A"),
        piece(0, id="a", name="n"),
        piece(0, '{"x":1}'),
        TextChunk(part=Reasoning(text="Hm.")),
        TextChunk(part=Text(text="A")),
        TextChunk(part=ToolCall(id="a", name="n", arguments='{"x":1}')),
        TextChunk(finish_reason="tool_calls", usage=Usage(text_in=3, text_out=4)),
    )
    thought, said, call = response.message.parts
    assert (thought.text, said, call.arguments) == ("Hm.", Text(text="A"), '{"x":1}')
    assert (response.model, response.id, response.finish_reason) == ("m", "i", "tool_calls")
    assert (response.usage.input_tokens, response.usage.output_tokens) == (3, 4)


def test_parts_that_were_not_shown_in_pieces_are_shown_whole() -> None:
    response = told(
        TextChunk(part=Text(text="A")),
        TextChunk(part=Reasoning(text="Hm.")),
        TextChunk(part=ToolCall(id="a", name="n", arguments="no json")),
        TextChunk(part=ToolCall(id="b", name="n", arguments='{"x":1}', index=1)),
    )
    said, thought, first, second = response.message.parts
    assert (said.text, thought.text) == ("A", "Hm.")
    assert (first.arguments, second.arguments) == ('{"input":"no json"}', '{"x":1}')
    assert response.finish_reason == "tool_calls"


def test_calls_whose_pieces_come_mixed_are_kept_apart() -> None:
    response = told(
        piece(0, id="a", name="n"), piece(0, '{"x"'), piece(1, "{", id="b", name="m"), piece(0, ":1}"), piece(1, "}"),
    )  # fmt: skip
    assert [(call.id, call.arguments) for call in response.tool_calls] == [("a", '{"x":1}'), ("b", "{}")]


def test_calls_that_follow_each_other_are_blocks_that_do() -> None:
    found = kinds(piece(0, "{}", id="a", name="n"), piece(1, "{}", id="b", name="n"))
    assert found[1:-2] == ["content_block_start", "content_block_delta", "content_block_stop"] * 2


def test_sources_are_told_with_their_text() -> None:
    cited = Citation(url="https://e.com", title="E", text="c")
    response = told(
        TextChunk(content="A"), TextChunk(citation=cited), TextChunk(part=Text(text="A", citations=(cited,)))
    )
    (part,) = response.message.parts
    (found,) = part.citations
    assert (found.url, found.title, found.text) == ("https://e.com", "E", "c")


def test_a_refusal_is_text_and_a_reason() -> None:
    body = written([TextChunk(part=Refusal(text="No.")), TextChunk(finish_reason="refusal")])
    last = msgspec.json.decode(events_of(body)[-2])
    assert last["delta"]["stop_details"] == {"type": "refusal", "category": None, "explanation": "No."}
    assert gather(events_of(body)).content == "No."


def test_other_choices_have_no_place() -> None:
    assert told(TextChunk(content="A"), TextChunk(content="B", choice=1)).content == "A"


def test_what_begins_again_begins_again() -> None:
    chunks = list(chunks_of([BEGIN, *text(0, "Hel"), BEGIN, *text(0, "Hi"), ended(), END]))
    assert told(*chunks).content == "Hi"


def test_an_error_is_told_in_band_and_is_the_end() -> None:
    body = written([TextChunk(content="A"), RateLimitError("slow down", code="x")])
    assert msgspec.json.decode(events_of(body)[-1]) == {
        "type": "error",
        "error": {"type": "rate_limit_error", "message": "slow down", "details": {"error_code": "x"}},
        "request_id": None,
    }


def test_of_an_error_that_is_not_ours_nothing_is_told() -> None:
    reply = SURFACE.build_error(KeyError("secret"))
    assert (reply.status, b"secret" in reply.content) == (500, False)


def test_what_a_provider_of_the_protocol_streams_comes_out_as_it_went_in() -> None:
    """But for who called a tool: a call is begun before its part says that."""
    blocks = [{name: value for name, value in block.items() if name != "caller"} for block in BLOCKS]
    body = reply(*blocks, stop="tool_use", container=CONTAINER)
    chunks = list(chunks_of(as_events(body)))
    assert told(*chunks).message == parse(body).message


def test_whole_answers_come_out_as_they_went_in() -> None:
    body = reply(*BLOCKS, stop="tool_use", container=CONTAINER)
    built = SURFACE.build_response(make_call(), parse(body))
    assert parse(built.content).message == parse(body).message
    assert msgspec.json.decode(built.content)["content"] == BLOCKS_AS_REPLIED


BLOCKS_AS_REPLIED = [
    {**block, "citations": None} if block["type"] == "text" and "citations" not in block else block for block in BLOCKS
]


def test_marks_of_other_protocols_are_kept_from_clients() -> None:
    foreign = Opaque(protocol="gemini", data=msgspec.Raw(b'{"type":"x","secret":1}'))
    built = SURFACE.build_response(
        make_call(),
        msgspec.structs.replace(
            parse(reply()), message=Message(role="assistant", parts=(Text(text="A", opaque=foreign),))
        ),
    )
    assert b"secret" not in built.content


# ── recorded streams ──

OWN = [file for file in exchange_files("anthropic_messages") if streamed(load(file))]
CHATS = [
    file for file in exchange_files("openai_chat") if streamed(load(file)) and load(file)["response"]["status"] == 200
]


def replayed(codec: Any, file: Path) -> Iterator[TextChunk]:
    call = make_call(stream=True, of=model(provider=load(file)["provider"]))
    state, framer = codec.open_stream(call), SSEFramer()
    for event in [*framer.feed(body_of(load(file))), *framer.flush()]:
        yield from state.parse_event(event)
        if state.done:
            break
    yield from state.finish()


def compare(codec: Any, file: Path) -> None:
    try:
        chunks = list(replayed(codec, file))
    except Exception:
        pytest.skip("it is no answer in this protocol")
    first = [chunk for chunk in chunks if chunk.choice == 0]
    begins = max((at for at, chunk in enumerate(first) if chunk.reset), default=0)
    parts = [chunk.part for chunk in first[begins:] if chunk.part is not None]
    response = told(*chunks)
    assert response.content == "".join(part.text for part in parts if isinstance(part, Text))
    assert response.reasoning == "".join(part.text for part in parts if isinstance(part, Reasoning))
    calls = [part for part in parts if isinstance(part, ToolCall)]
    assert [(call.id, call.name) for call in response.tool_calls] == [(call.id, call.name) for call in calls]


@needs_recordings
@pytest.mark.recordings
@pytest.mark.parametrize("file", OWN, ids=[name_of(file) for file in OWN])
def test_a_recorded_stream_comes_out_as_it_went_in(file: Path) -> None:
    compare(CODEC, file)


@needs_recordings
@pytest.mark.recordings
@pytest.mark.parametrize("file", CHATS[::5], ids=[name_of(file) for file in CHATS[::5]])
def test_a_recorded_stream_of_chat_comes_out_in_this_protocol(file: Path) -> None:
    compare(OpenAIChat(), file)
