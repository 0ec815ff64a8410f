"""Events of the server half for chunks in any order: always in the documented order, and readable by the client half."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from betterai.core.exceptions import RateLimitError
from betterai.core.message import AnyPart, Message, Reasoning, Refusal, Text, ToolCall
from betterai.core.response import ProviderResponse, TextChunk, ToolCallDelta
from betterai.core.wire import WireResponse
from betterai.wire.openai_responses import OpenAIResponses
from betterai.wire.sse import SSEFramer
from wire.responses import OPENAI, SURFACE, make_call, read

CALL = make_call(stream=True)
WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6)
PARTS = st.lists(
    st.one_of(
        st.builds(Text, text=WORDS),
        st.builds(Reasoning, text=WORDS),
        st.builds(Refusal, text=WORDS),
        st.builds(ToolCall, id=WORDS, name=st.just("add"), arguments=st.sampled_from(["{}", '{"a": 1}', ""])),
    ),
    max_size=5,
)


def numbered(parts: list[Any]) -> list[AnyPart]:
    """Tool calls count from 0, as providers give them."""
    made: list[AnyPart] = []
    for part in parts:
        count = sum(isinstance(known, ToolCall) for known in made)
        made.append(ToolCall(id=f"{count}{part.id}", name="add", arguments=part.arguments, index=count)
                    if isinstance(part, ToolCall) else part)  # fmt: skip
    return made


def pieces_of(part: AnyPart) -> list[TextChunk]:
    """What shows a part before it comes."""
    if isinstance(part, Text):
        return [TextChunk(content=letter) for letter in part.text]
    if isinstance(part, Reasoning):
        return [TextChunk(reasoning=part.text)]
    if isinstance(part, ToolCall):
        head = TextChunk(tool_call=ToolCallDelta(index=part.index, id=part.id, name=part.name))
        return [head, TextChunk(tool_call=ToolCallDelta(index=part.index, arguments=part.arguments))]
    return []


def write(chunks: list[TextChunk | Exception | None]) -> list[dict[str, Any]]:
    state: dict[str, Any] = {}
    body = b"".join(SURFACE.build_event(CALL, chunk, state) for chunk in chunks)
    events = [*SSEFramer().feed(body)]
    assert all(json.loads(event.data)["type"] == event.name for event in events)
    return [json.loads(event.data) for event in events]


def check_order(events: list[dict[str, Any]]) -> None:
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    opened: dict[int, str] = {}
    closed: set[int] = set()
    for event in events[2:-1]:
        index = event["output_index"]
        assert index not in closed
        if event["type"] == "response.output_item.added":
            assert index == len(opened)
            opened[index] = event["item"]["id"]
        elif event["type"] == "response.output_item.done":
            closed.add(index)
            assert event["item"]["id"] == opened[index]
        else:
            assert event["item_id"] == opened[index]
    assert closed == set(opened)
    assert [item["id"] for item in events[-1]["response"]["output"]] == list(opened.values())


@settings(max_examples=150, deadline=None)
@given(parts=PARTS, shown=st.booleans(), late=st.booleans())
def test_whatever_is_written_is_read_again(parts: list[Any], shown: bool, late: bool) -> None:
    made = numbered(parts)
    chunks: list[TextChunk | Exception | None] = []
    for part in made:
        chunks += [*(pieces_of(part) if shown or late else ()), *(() if late else (TextChunk(part=part),))]
    if late:
        chunks += [TextChunk(part=part) for part in made]
    events = write([*chunks, TextChunk(finish_reason="stop"), None])
    check_order(events)
    _, response = read([json.dumps(event).encode() for event in events])
    assert said_by(response) == said_by_parts(made)
    if not late:
        whole = SURFACE.build_response(
            CALL, ProviderResponse(content="", message=Message(role="assistant", parts=tuple(made)))
        )
        assert said_by(OPENAI.parse_response(CALL, WireResponse(status=200, body=whole.content))) == said_by(response)


def said_by(response: ProviderResponse) -> Any:
    assert response.message is not None
    return said_by_parts(response.message.parts)


def said_by_parts(parts: Any) -> Any:
    """What was said, thought and called: texts that follow each other may be one or several."""
    return (
        "".join(part.text for part in parts if isinstance(part, Text)),
        "".join(part.text for part in parts if isinstance(part, Reasoning)),
        [part.text for part in parts if isinstance(part, Refusal)],
        [(part.id, part.arguments) for part in parts if isinstance(part, ToolCall)],
    )


def test_an_error_ends_the_stream_twice_over_and_nothing_follows() -> None:
    events = write([TextChunk(content="Hi"), RateLimitError("slow down", retry_after=2), None, TextChunk(content="x")])
    assert [event["type"] for event in events[-2:]] == ["error", "response.failed"]
    assert events[-2]["error"]["type"] == "rate_limit_error"
    assert events[-1]["response"]["status"] == "failed"


def test_nothing_of_an_unknown_error_is_told() -> None:
    events = write([RuntimeError("secret"), None])
    assert "secret" not in json.dumps(events)


def test_an_empty_stream_is_an_empty_answer() -> None:
    events = write([None])
    assert [event["type"] for event in events] == ["response.created", "response.in_progress", "response.completed"]


def test_only_the_first_choice_has_a_place() -> None:
    events = write([TextChunk(content="a"), TextChunk(content="b", choice=1), TextChunk(finish_reason="stop"), None])
    assert events[-1]["response"]["output"][0]["content"][0]["text"] == "a"


def test_the_bytes_of_an_upstream_of_this_protocol_come_out_the_same() -> None:
    """An answer through the client half and the server half has the items that it had. In a stream, what is shown in
    pieces begins before its id is known.
    """
    thought = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "xyz"}
    search = {
        "type": "web_search_call",
        "id": "ws_1",
        "status": "completed",
        "action": {"type": "search", "query": "q"},
    }
    content = [{"type": "output_text", "text": "Hi", "annotations": [], "logprobs": []}]
    message = {
        "id": "msg_9",
        "type": "message",
        "status": "completed",
        "phase": "final_answer",
        "role": "assistant",
        "content": content,
    }
    call = {
        "type": "function_call",
        "id": "fc_1",
        "call_id": "c",
        "name": "add",
        "arguments": "{}",
        "status": "completed",
    }
    output = [thought, search, message, call]
    upstream = [
        {"type": "response.created", "response": {"id": "resp_1", "model": "m"}},
        *[
            {"type": "response.output_item.done", "output_index": index, "item": item}
            for index, item in enumerate(output)
        ],
        {
            "type": "response.completed",
            "response": {"id": "resp_1", "model": "m", "status": "completed", "output": output},
        },
    ]
    chunks, response = read([json.dumps(event).encode() for event in upstream], OpenAIResponses())
    written = write([*chunks, None])[-1]["response"]["output"]
    assert written == [thought, search, {**message, "id": written[2]["id"]}, {**call, "id": written[3]["id"]}]
    built = json.loads(SURFACE.build_response(CALL, response).content)
    assert (built["output"], built["id"]) == (output, "resp_1")
