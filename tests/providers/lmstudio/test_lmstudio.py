"""LM Studio: its deviations from Chat Completions. No chat was recorded: what its documentation says, at a double."""

from __future__ import annotations

import json
from typing import Any

import pytest

import betterai
from betterai.core.exceptions import BadRequestError, ProviderError, UnsupportedParam
from betterai.core.message import Message, Reasoning, Text
from betterai.core.tools import JsonObject, JsonSchema, Tool, ToolChoice
from betterai.core.wire import WireResponse
from betterai.providers.lmstudio.chat import LMStudioChat
from runtime.upstream import DONE, Upstream, completion, delta, reply, stream, usage_event
from wire.chats import body_of, build, dropped, make_call, messages_of, model, parse, translated, whole

STUDIO = LMStudioChat()
ANY = model("lmstudio")
TWO = [Tool(name="f"), Tool(name="g")]


def connect(upstream: Upstream) -> betterai.BaseTextProvider:
    return betterai.get_text_provider(
        betterai.CoreConfig(model="lmstudio/org/any-model", base_url=upstream.url, retries=0, timeout=20)
    )


async def test_a_chat_with_its_own_fields() -> None:
    settings = betterai.GenerationSettings(top_k=5, options={"lmstudio": {"ttl": 60, "draft_model": "small"}})
    with Upstream(reply(200, completion("Hi", stats={}, system_fingerprint="any-model"))) as upstream:
        response = await connect(upstream).generate([Message.user("Go")], "", settings)
    assert (response.content, response.warnings) == ("Hi", ())
    sent = {name: value for name, value in upstream.requests[0].body.items() if name not in ("model", "messages")}
    assert sent == {"ttl": 60, "draft_model": "small", "top_k": 5}


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
async def test_a_stream_with_thoughts(field: str) -> None:
    events = [delta(role="assistant", **{field: "hm"}), delta("A"), delta(finish="stop"), usage_event(), DONE]
    with Upstream(stream(events)) as upstream:
        chunks = [chunk async for chunk in connect(upstream).generate_stream([Message.user("Go")])]
    response = chunks[-1].response
    assert response is not None
    assert (response.reasoning, response.content, response.tokens_used) == ("hm", "A", 9)


@pytest.mark.parametrize("error", ["Model unloaded.", {"message": "Model unloaded."}])
async def test_an_error_within_a_stream_is_a_text_or_an_object(error: Any) -> None:
    failed = b"event: error\ndata: " + json.dumps({"error": error}).encode() + b"\n\n"
    with Upstream(stream([delta("A"), failed])) as upstream, pytest.raises(ProviderError, match="Model unloaded"):
        async for _ in connect(upstream).generate_stream([Message.user("Go")]):
            pass


@pytest.mark.parametrize("body", [b'{"error":"No models loaded."}', b'{"error":{"message":"No models loaded."}}'])
def test_an_error_is_a_text_or_an_object(body: bytes) -> None:
    error = STUDIO.parse_error(WireResponse(status=400, body=body))
    assert type(error) is BadRequestError
    assert error.provider_message == "No models loaded."


@pytest.mark.parametrize(
    ("choice", "tools", "sent", "said"),
    [
        ("auto", TWO, "auto", []),
        ("none", TWO, "none", []),
        ("required", TWO, "required", []),
        ("f", TWO[:1], "required", ["tool_choice"]),
    ],
)
def test_a_tool_choice_is_a_word(choice: Any, tools: list[Tool], sent: str, said: list[str]) -> None:
    request = build(make_call(of=ANY, tools=tools, tool_choice=choice), STUDIO)
    assert request.body["tool_choice"] == sent  # type: ignore[index, call-overload]
    assert translated(request) == said


@pytest.mark.parametrize(
    "setting",
    [{"tool_choice": "f", "tools": TWO}, {"tool_choice": "f", "tools": TWO[1:]},
     {"tool_choice": ToolChoice(names=("f", "g")), "tools": TWO},
     {"response_format": JsonObject()}, {"n": 2}],
)  # fmt: skip
def test_what_it_turns_down_is_refused_before(setting: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedParam) as caught:
        build(make_call(of=ANY, **setting), STUDIO)
    assert caught.value.param == next(iter(setting))


def test_a_schema_is_taken() -> None:
    assert body_of(STUDIO, response_format=JsonSchema(schema={}))["response_format"]["type"] == "json_schema"
    assert STUDIO.accepts == {"image": frozenset({"bytes"})}


def test_earlier_thoughts_stay_here() -> None:
    message = Message(role="assistant", parts=(Reasoning(text="hm"), Text(text="A")))
    assert messages_of(message, codec=STUDIO, of=ANY) == [{"role": "assistant", "content": "A"}]
    assert dropped(build(make_call([message], of=ANY), STUDIO)) == ["messages.reasoning"]
    assert parse(whole(), STUDIO).finish_reason == "stop"
