"""vLLM: its deviations from Chat Completions. Nothing was recorded: what its documentation says, at a double."""

from __future__ import annotations

from typing import Any

import pytest

import betterai
from betterai.core.exceptions import BadRequestError, ModelNotFoundError, ProviderError
from betterai.core.message import Message, Reasoning, Text
from betterai.core.settings import ReasoningControl
from betterai.core.wire import WireResponse
from betterai.providers.vllm.chat import VLLMChat
from runtime.upstream import DONE, Upstream, completion, delta, event, reply, stream, usage_event
from wire.chats import body_of, build, dropped, make_call, messages_of, model, parse, translated, whole

VLLM = VLLMChat()
ANY = model("vllm", "org/any-model")


def connect(upstream: Upstream) -> betterai.BaseTextProvider:
    return betterai.get_text_provider(
        betterai.CoreConfig(model="vllm/org/any-model", base_url=upstream.url, retries=0, timeout=20)
    )


async def test_a_chat_with_its_own_fields() -> None:
    options = {"structured_outputs": {"regex": "a+"}, "stop_token_ids": [7], "repetition_penalty": 1.1}
    settings = betterai.GenerationSettings(top_k=5, min_p=0.1, options={"vllm": options})
    body = completion("aaa", kv_transfer_params=None, prompt_logprobs=None)
    body["choices"][0] |= {"stop_reason": 7, "token_ids": None}
    with Upstream(reply(200, body)) as upstream:
        response = await connect(upstream).generate([Message.user("Go")], "", settings)
    assert (response.content, response.finish_reason, response.warnings) == ("aaa", "stop", ())
    sent = {name: value for name, value in upstream.requests[0].body.items() if name not in ("model", "messages")}
    assert sent == {**options, "top_k": 5, "min_p": 0.1}
    assert "Authorization" not in upstream.requests[0].headers


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
async def test_a_stream_with_thoughts_in_the_new_field_and_in_the_old(field: str) -> None:
    events = [delta(role="assistant"), delta(**{field: "hm"}), delta("A", finish="stop"), usage_event(), DONE]
    with Upstream(stream(events)) as upstream:
        chunks = [chunk async for chunk in connect(upstream).generate_stream([Message.user("Go")])]
    response = chunks[-1].response
    assert response is not None
    assert (response.reasoning, response.content, response.tokens_used) == ("hm", "A", 9)
    assert upstream.requests[0].body["stream_options"] == {"include_usage": True}


async def test_an_error_within_a_stream() -> None:
    failed = event(error={"object": "error", "message": "engine died", "type": "InternalServerError", "code": 500})
    with Upstream(stream([delta("A"), failed, DONE])) as upstream, pytest.raises(ProviderError, match="engine died"):
        async for _ in connect(upstream).generate_stream([Message.user("Go")]):
            pass


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (404, b'{"error":{"message":"The model `x` does not exist.","type":"NotFoundError","param":null,"code":404}}',
         ModelNotFoundError),
        (404, b'{"object":"error","message":"The model `x` does not exist.","type":"NotFoundError","param":null,"code":404}',
         ModelNotFoundError),
        (400, b'{"object":"error","message":"top_k must be -1 (disable), or at least 1, got 0.","type":"BadRequestError","param":null,"code":400}',
         BadRequestError),
    ],
)  # fmt: skip
def test_errors_of_both_envelopes(status: int, body: bytes, kind: type[Exception]) -> None:
    error = VLLM.parse_error(WireResponse(status=status, body=body))
    assert type(error) is kind
    assert error.code in ("NotFoundError", "BadRequestError")


@pytest.mark.parametrize(
    ("value", "sent", "said"),
    [
        ("high", {"reasoning_effort": "high"}, []),
        (500, {"thinking_token_budget": 500}, []),
        (False, {"chat_template_kwargs": {"enable_thinking": False, "thinking": False}}, ["reasoning"]),
        (ReasoningControl(include=False), {"include_reasoning": False}, []),
    ],
)
def test_reasoning(value: Any, sent: dict[str, Any], said: list[str]) -> None:
    request = build(make_call(of=ANY, reasoning=value), VLLM)
    assert {name: item for name, item in request.body.items() if name not in ("model", "messages")} == sent  # type: ignore[union-attr]
    assert translated(request) == said


def test_on_or_off_does_not_take_the_template_fields_of_the_caller_away() -> None:
    options = {"vllm": {"chat_template_kwargs": {"thinking": True, "language": "de"}}}
    body = build(make_call(of=ANY, reasoning=False, options=options), VLLM).body
    assert body["chat_template_kwargs"] == {"enable_thinking": False, "thinking": True, "language": "de"}  # type: ignore[index, call-overload]


def test_thoughts_go_back_and_roles_are_plain() -> None:
    message = Message(role="assistant", parts=(Reasoning(text="hm"), Text(text="A")))
    assert messages_of(message, codec=VLLM, of=ANY) == [{"role": "assistant", "reasoning": "hm", "content": "A"}]
    request = build(make_call([Message(role="developer", parts=(Text(text="D"),))], of=ANY), VLLM)
    assert request.body["messages"] == [{"role": "system", "content": "D"}]  # type: ignore[index, call-overload]


def test_what_it_ignores_is_reported() -> None:
    assert dropped(build(make_call(of=ANY, user="ann", store=True), VLLM)) == ["user", "store"]
    assert body_of(VLLM, max_tokens=3) == {"max_completion_tokens": 3}
    assert parse(whole(finish="abort"), VLLM).finish_reason == "other"
