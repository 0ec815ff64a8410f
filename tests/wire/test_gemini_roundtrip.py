"""T2: what the provider answered goes back as it came; to others it goes without what only this protocol understands."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from betterai.core.accumulate import Accumulator
from betterai.core.message import Message, Reasoning, ToolCall
from betterai.providers.groq import PROVIDER as GROQ
from together import each
from wire.geminis import CODEC, build, events, fields, make_call, model, parse, reply, sent

SIGNATURE = "CiQBVKhc7+x/y==" * 40
CODE = {"executableCode": {"language": "PYTHON", "code": "print(1)"}, "thoughtSignature": SIGNATURE}
RESULT = {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1\n"}}
PARTS: dict[str, list[dict[str, Any]]] = {
    "text": [{"text": "Hi"}],
    "two texts": [{"text": "A"}, {"text": "B"}],
    "a signed text": [{"text": "Hi", "thoughtSignature": SIGNATURE}],
    "a signature on an empty text": [{"text": "Hi"}, {"text": "", "thoughtSignature": SIGNATURE}],
    "a signature alone": [{"text": "Hi"}, {"thoughtSignature": SIGNATURE}],
    "thoughts": [{"text": "Hm.", "thought": True}, {"text": "Hi"}],
    "signed thoughts": [{"text": "Hm.", "thought": True, "thoughtSignature": SIGNATURE}, {"text": "Hi"}],
    "an empty signed thought": [{"text": "", "thought": True, "thoughtSignature": SIGNATURE}],
    "no thought": [{"text": "Hi", "thought": False}],
    "a call": [{"functionCall": {"name": "f", "args": {"b": 1.50, "a": "é\u2028"}}}],
    "a call with an id": [{"functionCall": {"id": "x", "name": "f", "args": {}}, "thoughtSignature": SIGNATURE}],
    "a call without arguments": [{"functionCall": {"name": "f"}}],
    "a call with a new field": [{"functionCall": {"id": "x", "name": "f", "args": {}, "brandNew": [1]}}],
    "parallel calls": [
        {"functionCall": {"name": "f", "args": {"a": 1}}, "thoughtSignature": SIGNATURE},
        {"functionCall": {"name": "f", "args": {"a": 2}}},
    ],
    "code": [CODE, RESULT, {"text": "It is 1."}],
    "code with ids": [
        {"executableCode": {"id": "c", "language": "PYTHON", "code": "1"}},
        {"codeExecutionResult": {"id": "c", "outcome": "OUTCOME_FAILED", "output": "no"}},
    ],
    "a tool of the provider": [
        {"toolCall": {"id": "t", "toolType": "GOOGLE_SEARCH_WEB", "args": {"queries": ["a"]}}, "thoughtSignature": "s"},
        {"toolResponse": {"id": "t", "toolType": "GOOGLE_SEARCH_WEB", "response": {"search_suggestions": "x"}}},
        {"text": "Found."},
    ],
    "a picture": [{"inlineData": {"mimeType": "image/png", "data": "iVBORw=="}, "thoughtSignature": SIGNATURE}],
    "a picture in thought": [{"inlineData": {"mimeType": "image/png", "data": "iVBORw=="}, "thought": True}, {"text": "Hi"}],
    "a file": [{"fileData": {"mimeType": "video/mp4", "fileUri": "gs://b/o"}, "videoMetadata": {"fps": 2}}],
    "metadata": [{"text": "Hi", "partMetadata": {"k": {"v": [1, None]}}}],
    "a kind still to come": [{"hologram": {"depth": 3}}, {"text": "Hi"}],
}  # fmt: skip


def back(message: Message) -> Any:
    """What the message is sent as, after it was stored as JSON."""
    stored = msgspec.json.decode(msgspec.json.encode(message), type=Message)
    assert stored == message
    body, warnings = build(make_call([Message.user("Hello"), stored]))
    assert warnings == ()
    return body["contents"][1]


@each("name", PARTS)
def test_t2_a_whole_answer_goes_back_as_it_came(name: str) -> None:
    message = parse(reply(*PARTS[name])).message
    assert message is not None
    assert back(message) == {"role": "model", "parts": PARTS[name]}


def stream(*bodies: dict[str, Any]) -> Any:
    state, gathered = CODEC.open_stream(make_call(stream=True)), Accumulator("m")
    for event in events(*bodies):
        for chunk in state.parse_event(event):
            gathered.add(chunk)
    for chunk in state.finish():
        gathered.add(chunk)
    return gathered.response()


@each("name", [name for name in PARTS if name != "no thought"])
def test_t2_a_streamed_answer_goes_back_as_the_whole_one(name: str) -> None:
    whole = parse(reply(*PARTS[name]))
    single = stream(reply(*PARTS[name]))
    assert single.message == whole.message
    if name != "two texts":  # they are the pieces of one, where they come one by one
        pieces = [reply(part, finish=None) for part in PARTS[name]]
        assert stream(*pieces, reply(finish="STOP")).message == whole.message


def test_pieces_of_a_text_are_one_part_and_a_signature_stays_where_it_came() -> None:
    response = stream(
        reply({"text": "H", "thought": True}, finish=None),
        reply({"text": "m.", "thought": True}, finish=None),
        reply({"text": "Hel"}, finish=None),
        reply({"text": "lo"}, finish=None),
        reply({"text": "", "thoughtSignature": SIGNATURE}),
    )
    assert response.content == "Hello"
    assert back(response.message)["parts"] == [
        {"text": "Hm.", "thought": True}, {"text": "Hello"}, {"text": "", "thoughtSignature": SIGNATURE},
    ]  # fmt: skip


def test_the_result_of_a_call_without_an_id_goes_back_by_its_name() -> None:
    message = parse(reply(*PARTS["parallel calls"])).message
    assert message is not None
    first, second = message.tool_calls
    assert (first.id, second.id, second.index) == ("call_c1_0_0", "call_c1_0_1", 1)
    answers = [Message.tool(second.id, "two"), Message.tool(first.id, '{"one": 1}')]
    contents = sent(make_call([Message.user("Hello"), message, *answers]))["contents"]
    assert contents[2] == {
        "role": "user",
        "parts": [
            {"functionResponse": {"name": "f", "response": {"output": "two"}}},
            {"functionResponse": {"name": "f", "response": {"one": 1}}},
        ],
    }


@each("name", PARTS)
def test_t2_another_protocol_gets_it_without_what_it_cannot_know(name: str) -> None:
    message = parse(reply(*PARTS[name])).message
    assert message is not None
    codec = GROQ.protocols["text"]["openai_chat"]
    if message.parts and any(part.__class__.__name__ == "MediaPart" for part in message.parts):
        return
    request = codec.build_request(make_call([Message.user("Hello"), message], of=model("groq")))
    assert SIGNATURE not in json.dumps(msgspec.to_builtins(request.body))
    kept = any(part.opaque is not None for part in message.parts)
    assert not kept or request.warnings


def test_t2_another_provider_of_the_protocol_gets_no_signatures() -> None:
    message = parse(reply(*PARTS["a call with an id"], *PARTS["signed thoughts"])).message
    assert message is not None
    body, warnings = build(make_call([message], of=model("vertex")))
    assert "thoughtSignature" not in json.dumps(body)
    assert set(fields(warnings)) == {"messages.opaque"}
    assert body["contents"][0]["parts"][0] == {"functionCall": {"id": "x", "name": "f", "args": {}}}


def test_a_model_that_wants_signatures_gets_a_mark_for_foreign_calls() -> None:
    calls = (ToolCall(id="a", name="f", arguments="{}"), ToolCall(id="b", name="f", arguments="{}"))
    history = [Message.user("Hello"), Message(role="assistant", parts=(Reasoning(text="Hm."), *calls))]
    body, warnings = build(make_call(history, of=model(replay_reasoning="required")))
    marks = [part.get("thoughtSignature") for part in body["contents"][1]["parts"]]
    assert marks == [None, "skip_thought_signature_validator", None]
    assert fields(warnings) == ["messages.signature"]
    own = parse(reply(*PARTS["parallel calls"])).message
    assert own is not None
    body, warnings = build(make_call([Message.user("Hello"), own], of=model(replay_reasoning="required")))
    assert (body["contents"][1]["parts"], warnings) == (PARTS["parallel calls"], ())


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | TEXTS, lambda inner: st.lists(inner, max_size=2), max_leaves=4
)
PART = st.one_of(
    st.builds(lambda text: {"text": text}, TEXTS),
    st.builds(lambda text: {"text": text, "thought": True}, TEXTS),
    st.builds(lambda text, mark: {"text": text, "thoughtSignature": mark}, TEXTS, TEXTS),
    st.builds(lambda name, args: {"functionCall": {"name": name, "args": args}}, TEXTS, st.dictionaries(TEXTS, JSON, max_size=2)),
    st.builds(lambda id, name: {"functionCall": {"id": id, "name": name, "args": {}}}, TEXTS, TEXTS),
    st.builds(lambda code: {"executableCode": {"language": "PYTHON", "code": code}}, TEXTS),
    st.just({"inlineData": {"mimeType": "image/png", "data": "iVBORw=="}}),
)  # fmt: skip


@given(st.lists(PART, min_size=1, max_size=5))
def test_any_answer_goes_back_as_it_came_whole_or_streamed(parts: list[dict[str, Any]]) -> None:
    message = parse(reply(*parts)).message
    assert message is not None
    assert back(message) == {"role": "model", "parts": parts}
    assert stream(reply(*parts)).message == message
