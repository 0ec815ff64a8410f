"""Ollama: where it is, and its deviations from Chat Completions."""

from __future__ import annotations

from typing import Any

import pytest

import betterai
from betterai.core.exceptions import AuthenticationError, ModelNotFoundError, OverloadedError, UnsupportedParam
from betterai.core.media import Media
from betterai.core.message import MediaPart, Message, Reasoning, Text, ToolResult
from betterai.core.tools import JsonObject, JsonSchema, Tool
from betterai.core.usage import Usage
from betterai.core.wire import WireResponse
from betterai.providers.ollama import PROVIDER
from betterai.providers.ollama.chat import OllamaChat
from betterai.providers.ollama.host import read_base_url
from runtime.upstream import Upstream, answer, reply
from together import each
from wire.chats import body_of, build, chunk, dropped, make_call, messages_of, model, parse, stream, translated, whole

OLLAMA = OllamaChat()
ANY = model("ollama", "qwen3:0.6b")
NATIVE = {"model": "m-1", "message": {"role": "assistant", "content": "Hello"}, "done": True, "done_reason": "stop"}
PICTURE = Media(kind="image", mime_type="image/png", data=b"\x89PNG")


@each(
    ("written", "read"),
    [
        ("", "http://127.0.0.1:11434"),
        ("localhost", "http://localhost:11434"),
        ("example.com:56789", "http://example.com:56789"),
        ("example.com/some/path", "http://example.com:11434/some/path"),
        ("http://example.com", "http://example.com"),
        ("https://example.com/", "https://example.com"),
        ("https://example.com:8443/v1/", "https://example.com:8443"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("0.0.0.0:1234", "http://127.0.0.1:1234"),
        ("http://0.0.0.0:1234", "http://127.0.0.1:1234"),
        (":1234", "http://127.0.0.1:1234"),
        ("::1", "http://[::1]:11434"),
        ("[::1]:1234", "http://[::1]:1234"),
        ("[::]", "http://[::1]:11434"),
        (" ' 10.0.0.7 ' ", "http://10.0.0.7:11434"),
        ("10.0.0.7\n", "http://10.0.0.7:11434"),
        ("ollama.com", "https://ollama.com"),
        ("https://user:word@example.com/v1", "https://user:word@example.com"),
        ("https://ollama.com/api", "https://ollama.com"),
        ("http://example.com/some/v1", "http://example.com/some"),
    ],
)
def test_ollama_host_is_read_as_ollama_reads_it(written: str, read: str) -> None:
    assert read_base_url(written) == read
    assert read_base_url(read) == read


@pytest.mark.parametrize("variable", ["OLLAMA_HOST", "OLLAMA_BASE_URL"])
async def test_a_call_goes_to_the_host_without_a_key_and_without_a_warning(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OLLAMA_HOST", "OLLAMA_BASE_URL", "OLLAMA_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    with Upstream(reply(200, NATIVE)) as upstream:
        monkeypatch.setenv(variable, f"0.0.0.0:{upstream.port}")
        provider = betterai.get_text_provider("ollama/qwen3:0.6b")
        response = await provider.generate([Message.user("Hello")])
    assert (response.content, response.model, response.warnings) == ("Hello", "m-1", ())
    assert response.cost is not None
    assert response.cost.status == "unknown"
    [request] = upstream.requests
    assert (request.path, request.body["model"]) == ("/api/chat", "qwen3:0.6b")
    assert "Authorization" not in request.headers


@pytest.mark.parametrize("form", ["http://127.0.0.1:{}", "127.0.0.1:{}", "http://127.0.0.1:{}/v1"])
@pytest.mark.parametrize(("protocol", "path"), [("ollama_chat", "/api/chat"), ("openai_chat", "/v1/chat/completions")])
async def test_a_base_url_may_be_a_host_too(form: str, protocol: str, path: str) -> None:
    with Upstream(reply(200, NATIVE) if protocol == "ollama_chat" else answer()) as upstream:
        url = form.format(upstream.port)
        config = betterai.CoreConfig(model="ollama/x", protocol=protocol, base_url=url, api_key="cloud-key")
        await betterai.get_text_provider(config).generate([Message.user("Hello")])
    assert upstream.requests[0].path == path
    assert upstream.requests[0].headers["Authorization"] == "Bearer cloud-key"


def test_the_cloud_is_a_host_and_a_key() -> None:
    key = PROVIDER.setting("api_key")
    assert key is not None
    assert (key.env, key.required) == (("OLLAMA_API_KEY",), False)


def test_max_tokens_has_one_name() -> None:
    request = build(make_call(of=ANY, max_tokens=9, spelling=frozenset({"max_completion_tokens"})), OLLAMA)
    assert request.body["max_tokens"] == 9  # type: ignore[index, call-overload]
    assert translated(request) == ["max_completion_tokens"]


TOOLS = [Tool(name="f")]


@pytest.mark.parametrize(
    "setting",
    [{"n": 2}, {"tool_choice": "required"}, {"tool_choice": "none"}, {"tool_choice": "f"}, {"web_search": True},
     {"parallel_tool_calls": False}],
)  # fmt: skip
def test_what_it_would_pass_over_and_changes_the_meaning_raises(setting: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedParam) as caught:
        build(make_call(of=ANY, tools=TOOLS, **setting), OLLAMA)
    assert caught.value.param == next(iter(setting))


@pytest.mark.parametrize(
    "setting",
    [{"n": 1}, {"tool_choice": "auto"}, {"parallel_tool_calls": True}, {"logit_bias": {"1": 1}}, {"user": "ann"},
     {"top_k": 3}, {"min_p": 0.1}, {"service_tier": "flex"}],
)  # fmt: skip
def test_what_changes_nothing_or_tunes_is_reported(setting: dict[str, Any]) -> None:
    request = build(make_call(of=ANY, tools=TOOLS, **setting), OLLAMA)
    assert dropped(request) == list(setting)
    assert set(request.body) == {"model", "messages", "tools"}  # type: ignore[arg-type]


def test_structured_output() -> None:
    assert body_of(OLLAMA, response_format=JsonObject()) == {"response_format": {"type": "json_object"}}
    assert body_of(OLLAMA, response_format=JsonSchema(schema={}))["response_format"]["type"] == "json_schema"


@pytest.mark.parametrize(
    ("value", "effort", "said"),
    [("high", "high", []), (False, "none", []), ("minimal", "low", ["reasoning"]), ("xhigh", "high", ["reasoning"]),
     (True, "medium", ["reasoning"]), (0, "none", ["reasoning"])],
)  # fmt: skip
def test_reasoning(value: Any, effort: str, said: list[str]) -> None:
    request = build(make_call(of=ANY, reasoning=value), OLLAMA)
    assert request.body["reasoning_effort"] == effort  # type: ignore[index, call-overload]
    assert translated(request) == said


def test_thoughts_come_and_go_back_in_reasoning() -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14}
    response = parse(whole({"content": "A", "reasoning": "hm"}, usage=usage), OLLAMA)
    assert (response.reasoning, response.usage) == ("hm", Usage(text_in=9, text_out=5))
    events = [chunk({"role": "assistant", "content": "", "reasoning": "h"}), chunk({"content": "", "reasoning": "m"}),
              chunk({"content": "A"}), {**chunk(finish="stop")}, {"choices": [], "usage": usage}]  # fmt: skip
    assert stream(*events, codec=OLLAMA).message == response.message
    message = Message(role="assistant", parts=(Reasoning(text="hm"), Text(text="A")))
    assert messages_of(message, codec=OLLAMA, of=ANY) == [{"role": "assistant", "reasoning": "hm", "content": "A"}]


def test_pictures_go_as_bytes_only_and_into_tool_results_too() -> None:
    assert OLLAMA.accepts == {"image": frozenset({"bytes"})}
    result = ToolResult(id="c", parts=(Text(text="see"), MediaPart(media=PICTURE)))
    [message] = messages_of(Message(role="tool", parts=(result,)), codec=OLLAMA, of=ANY)
    assert [part["type"] for part in message["content"]] == ["text", "image_url"]


@pytest.mark.parametrize(
    ("status", "body", "kind", "said"),
    [
        (404, b'{"error":"model \'x\' not found"}', ModelNotFoundError, "model 'x' not found"),
        (404, b'{"error":{"message":"model \\"x\\" not found, try pulling it first","type":"api_error"}}',
         ModelNotFoundError, 'model "x" not found, try pulling it first'),
        (401, b'{"error":{"message":"Unauthorized","type":"api_error","param":null,"code":null}}', AuthenticationError,
         "Unauthorized"),
        (503, b'{"error":"server busy, please try again.  maximum pending requests exceeded"}', OverloadedError,
         "server busy, please try again.  maximum pending requests exceeded"),
    ],
)  # fmt: skip
def test_errors(status: int, body: bytes, kind: type[Exception], said: str) -> None:
    error = OLLAMA.parse_error(WireResponse(status=status, body=body))
    assert type(error) is kind
    assert error.provider_message == said
    assert error.retryable == (status == 503)
