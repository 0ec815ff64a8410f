"""OpenAI speaks Responses first, and Chat where it is asked for or where nothing else serves the model."""

from __future__ import annotations

from typing import Any

import pytest

import betterai
from betterai.core.config import CoreConfig
from betterai.core.exceptions import BadRequestError, UnsupportedParam
from betterai.core.message import Message
from runtime.upstream import Upstream, answer, reply
from wire.responses import said, whole

HELLO = "Hello"


def connect(url: str, **given: Any) -> CoreConfig:
    return CoreConfig(base_url=url, api_key="key-0123", retries=0, **given)


@pytest.mark.parametrize(
    ("model", "protocol"),
    [
        ("gpt-6-luna", "openai_responses"),
        ("gpt-5-pro", "openai_responses"),
        ("a-new-model", "openai_responses"),
        ("gpt-audio", "openai_chat"),
        ("gpt-audio-mini-2025-12-15", "openai_chat"),
        ("gpt-4o-audio-preview-2025-06-03", "openai_chat"),
        ("gpt-4o-mini-search-preview", "openai_chat"),
        ("gpt-5-search-api", "openai_chat"),
    ],
)
def test_the_model_says_which_protocol_serves_it(model: str, protocol: str) -> None:
    provider: Any = betterai.get_text_provider(connect("http://127.0.0.1:9/v1", model=f"openai/{model}"))
    assert provider.codec.protocol == protocol


async def test_the_default_and_the_choice() -> None:
    with Upstream(reply(200, whole(said("Hello"))), answer()) as upstream:
        first = await betterai.generate("openai/gpt-6-luna", HELLO, config=connect(upstream.url))
        second = await betterai.generate(
            "openai/gpt-6-luna", HELLO, config=connect(upstream.url, protocol="openai_chat"), reasoning="none"
        )
    assert (first.content, second.content) == ("Hello", "Hello")
    assert [request.path for request in upstream.requests] == ["/v1/responses", "/v1/chat/completions"]


async def test_an_answer_goes_back_with_the_next_question() -> None:
    thought = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "xyz"}
    body = whole(said("Hello"))
    body["output"] = [thought, *body["output"]]
    with Upstream(reply(200, body), reply(200, whole(said("Hello")))) as upstream:
        config = connect(upstream.url)
        first = await betterai.generate("openai/gpt-6-luna", HELLO, config=config, store=False)
        assert first.message is not None
        history = [Message.user(HELLO), first.message, Message.user("And then?")]
        await betterai.generate("openai/gpt-6-luna", history, config=config, store=False)
    sent = upstream.requests[1].body
    assert sent["include"] == ["reasoning.encrypted_content"]
    assert sent["input"][1:3] == [
        thought,
        {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant", "content": [
            {"type": "output_text", "text": "Hello"}]},
    ]  # fmt: skip


async def test_a_server_that_has_only_chat_is_told_of() -> None:
    with Upstream(reply(404, {"detail": "Not Found"})) as upstream, pytest.raises(BadRequestError, match="openai_chat"):
        await betterai.generate("openai/some-model", HELLO, config=connect(upstream.url))


async def test_a_search_before_it_does_not_keep_an_answer_from_being_read() -> None:
    search = {
        "type": "web_search_call",
        "id": "ws_1",
        "status": "completed",
        "action": {"type": "search", "query": "q"},
    }
    content = [{"type": "output_text", "text": '{"a":1}', "annotations": []}]
    message = {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant", "content": content}
    with Upstream(reply(200, whole(search, message))) as upstream:
        answered = await betterai.generate(
            "openai/gpt-6-luna",
            HELLO,
            config=connect(upstream.url),
            web_search=True,
            response_format={"type": "object"},
        )
    assert answered.parsed == {"a": 1}


async def test_what_only_chat_carries_is_asked_for_over_chat() -> None:
    with Upstream(answer()) as upstream:
        response = await betterai.generate("openai/gpt-4o-mini", HELLO, config=connect(upstream.url), stop=["END"])
    assert upstream.requests[0].path == "/v1/chat/completions"
    assert upstream.requests[0].body["stop"] == ["END"]
    assert {warning.code for warning in response.warnings} == {"deprecated"}


async def test_a_protocol_that_the_caller_chose_is_kept_to() -> None:
    config = connect("http://127.0.0.1:9/v1", protocol="openai_responses")
    with pytest.raises(UnsupportedParam, match="openai_chat"):
        await betterai.generate("openai/gpt-4o-mini", HELLO, config=config, stop=["END"])


async def test_where_neither_carries_it_the_first_refusal_stands() -> None:
    with pytest.raises(UnsupportedParam) as caught:
        await betterai.generate("openai/gpt-6-luna", HELLO, config=connect("http://127.0.0.1:9/v1"), stop=["END"])
    assert caught.value.param == "stop"


async def test_an_answer_in_the_background_is_waited_for() -> None:
    begun, done = whole(status="queued"), whole(said("Hello"))
    with Upstream(reply(200, begun), reply(200, done)) as upstream:
        response = await betterai.generate(
            "openai/gpt-6-luna", HELLO, config=connect(upstream.url), options={"openai": {"background": True}}
        )
    assert response.content == "Hello"
    assert [(request.method, request.path) for request in upstream.requests] == [
        ("POST", "/v1/responses"),
        ("GET", "/v1/responses/resp_1"),
    ]
    assert upstream.requests[0].body["background"] is True
