"""Spans and metrics by the GenAI semantic conventions: their names, what nests in what, and that content is private."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import aclosing, suppress
from contextvars import ContextVar
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import SpanKind, StatusCode

import betterai
from betterai import GenerationSettings, Media, Message, ProviderResponse
from betterai.core.exceptions import BetterAIError
from betterai.runtime.opentelemetry.attributes import find_name
from betterai.testing import scripted
from runtime.listening import PRICED, Telemetry, Wrapper, parent_of
from runtime.providers import HELLO, PROVIDER, ask, connect
from runtime.subprocesses import check_python
from runtime.upstream import Upstream, answer, completion, delta, hold, reply, stream, streamed
from together import each


@pytest.fixture(autouse=True, scope="module")
def _neutral() -> None:
    betterai.register_text_provider("neutral", PROVIDER)


async def test_a_whole_answer(telemetry: Telemetry) -> None:
    usage = {
        "prompt_tokens": 70, "completion_tokens": 20, "prompt_tokens_details": {"cached_tokens": 30},
        "completion_tokens_details": {"reasoning_tokens": 12},
    }  # fmt: skip
    with Upstream(answer("{}", headers={"X-Request-Id": "req-1"}, usage=usage)) as upstream:
        settings = {
            "temperature": 0.0,
            "max_tokens": 9,
            "stop": "\n",
            "seed": 7,
            "response_format": {"type": "json_object"},
        }
        await ask(connect(upstream.url), **settings)
        port = upstream.port
    call, request = telemetry.spans
    assert (call.name, call.kind, call.status.status_code) == ("chat m-1", SpanKind.CLIENT, StatusCode.UNSET)
    assert dict(call.attributes or {}) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "neutral",
        "gen_ai.request.model": "m-1",
        "gen_ai.request.temperature": 0.0,
        "gen_ai.request.max_tokens": 9,
        "gen_ai.request.seed": 7,
        "gen_ai.request.stop_sequences": ("\n",),
        "gen_ai.output.type": "json",
        "gen_ai.response.model": "m-1",
        "gen_ai.response.id": "chat-1",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 70,
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.cache_read.input_tokens": 30,
        "gen_ai.usage.reasoning.output_tokens": 12,
        "server.address": "127.0.0.1",
        "server.port": port,
        "betterai.protocol": "openai_chat",
        "betterai.attempts": 1,
        "betterai.request_id": "req-1",
    }
    assert call.instrumentation_scope is not None
    assert call.instrumentation_scope.name == "betterai"
    assert call.instrumentation_scope.schema_url == "https://opentelemetry.io/schemas/1.41.0"
    assert parent_of(request) == call.context.span_id
    assert (request.name, request.kind) == ("POST", SpanKind.CLIENT)
    said = dict(request.attributes or {})
    assert said.pop("http.response.body.size", 0) > 0  # type: ignore[operator]
    assert said == {
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "url.full": f"http://127.0.0.1:{port}/v1/chat/completions",
        "server.address": "127.0.0.1",
        "server.port": port,
        "betterai.request_id": "req-1",
    }
    assert call.start_time <= request.start_time <= request.end_time <= call.end_time  # type: ignore[operator]


async def test_metrics(telemetry: Telemetry) -> None:
    with Upstream(answer(), stream(streamed()), reply(400)) as upstream:
        provider = connect(upstream.url, model=PRICED)
        await ask(provider)
        await ask(provider, streaming=True)
        with pytest.raises(BetterAIError):
            await ask(provider)
        place = {"server.address": "127.0.0.1", "server.port": upstream.port}
    asked = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "neutral", "gen_ai.request.model": "m-1", **place}
    answered = {**asked, "gen_ai.response.model": "m-1"}
    points = telemetry.points()
    duration = points["gen_ai.client.operation.duration"]
    assert [(point.attributes, point.count) for point in duration] == [
        (answered, 2),
        ({**asked, "error.type": "BadRequestError"}, 1),
    ]
    assert duration[0].explicit_bounds[:3] == (0.01, 0.02, 0.04)
    tokens = points["gen_ai.client.token.usage"]
    assert [(point.attributes, point.count, point.sum) for point in tokens] == [
        ({**answered, "gen_ai.token.type": "input"}, 2, 14),
        ({**answered, "gen_ai.token.type": "output"}, 2, 4),
    ]
    assert tokens[0].explicit_bounds[-1] == 67108864
    (first,) = points["gen_ai.client.operation.time_to_first_chunk"]
    assert (first.attributes, first.count) == (asked, 1)
    (cost,) = points["betterai.client.cost"]
    assert cost.value == pytest.approx(0.000054)


async def test_a_stream(telemetry: Telemetry) -> None:
    with Upstream(stream(streamed())) as upstream:
        await ask(connect(upstream.url), streaming=True, n=2)
    said = telemetry.span("chat m-1").attributes
    assert said is not None
    assert said["gen_ai.request.stream"] is True
    assert said["gen_ai.request.choice.count"] == 2
    assert 0 < said["gen_ai.response.time_to_first_chunk"] < 5  # type: ignore[operator]
    assert said["gen_ai.usage.input_tokens"] == 7


@pytest.mark.parametrize("streaming", [False, True])
async def test_retries_are_requests_of_one_call(telemetry: Telemetry, streaming: bool) -> None:
    good = stream(streamed()) if streaming else answer()
    with Upstream(reply(503), reply(429), good) as upstream:
        await ask(connect(upstream.url, retries=2), streaming=streaming)
    call, *requests = telemetry.spans
    assert call.status.status_code is StatusCode.UNSET
    assert {parent_of(request) for request in requests} == {call.context.span_id}
    said = [dict(request.attributes or {}) for request in requests]
    assert [item.get("http.request.resend_count") for item in said] == [None, 1, 2]
    assert [item.get("error.type") for item in said] == ["503", "429", None]
    assert [request.status.status_code for request in requests] == [
        StatusCode.ERROR,
        StatusCode.ERROR,
        StatusCode.UNSET,
    ]


@pytest.mark.parametrize("streaming", [False, True])
async def test_x9_an_error_is_told_by_its_class_alone(telemetry: Telemetry, streaming: bool) -> None:
    body = {"error": {"message": "canary"}}
    with Upstream(reply(400, body)) as upstream, pytest.raises(BetterAIError, match="canary"):
        await ask(connect(upstream.url), streaming=streaming)
    call = telemetry.span("chat m-1")
    assert (call.status.status_code, call.status.description, call.events) == (StatusCode.ERROR, None, ())
    assert (call.attributes or {})["error.type"] == "BadRequestError"
    assert "canary" not in telemetry.everything()


async def test_a_stream_that_is_left_and_a_call_that_is_cancelled_are_no_errors(telemetry: Telemetry) -> None:
    with Upstream(stream([delta("Hel")], "hold"), hold) as upstream:
        async with aclosing(connect(upstream.url).generate_stream(HELLO)) as chunks:
            await anext(chunks)
        task = asyncio.create_task(ask(connect(upstream.url)))
        await upstream.until(lambda: len(upstream.requests) == 2)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    ended = [span for span in telemetry.spans if span.name == "chat m-1"]
    assert [span.status.status_code for span in ended] == [StatusCode.UNSET] * 2
    assert [(span.attributes or {})["betterai.cancelled"] for span in ended] == [True] * 2
    (duration,) = telemetry.points()["gen_ai.client.operation.duration"]
    assert (duration.count, duration.attributes["error.type"]) == (2, "cancelled")


# ── what nests in what ──


async def test_the_span_is_current_while_the_provider_works_and_never_in_between(telemetry: Telemetry) -> None:
    class Mine(betterai.BaseTextProvider):
        def __init__(self, api_key: str) -> None: ...

        async def generate(self, messages: Any, model: str, settings: GenerationSettings) -> ProviderResponse:
            with telemetry.tracer.start_as_current_span("mine"):
                await asyncio.sleep(0)
            return ProviderResponse(content="Hi", model=model)

    betterai.register_text_provider("mine", Mine, replace=True)
    with telemetry.tracer.start_as_current_span("request") as outer:
        await betterai.generate("mine/m", "Hello")
        async for _ in betterai.stream("mine/m", "Hello"):
            assert trace.get_current_span() is outer
        assert trace.get_current_span() is outer
    first, second = (span for span in telemetry.spans if span.name == "chat m")
    assert {parent_of(first), parent_of(second)} == {outer.get_span_context().span_id}
    inner = [span for span in telemetry.spans if span.name == "mine"]
    assert [parent_of(span) for span in inner] == [first.context.span_id, second.context.span_id]


async def test_streams_that_are_read_in_turns_do_not_nest(telemetry: Telemetry) -> None:
    with Upstream(stream(streamed(("a", "b")))) as upstream:
        left, right = (connect(upstream.url).generate_stream(HELLO) for _ in range(2))
        for chunks in (left, right, right, left):
            await anext(chunks)
        await asyncio.create_task(left.aclose())  # type: ignore[arg-type]
        async for _ in right:
            pass
    one, other = (span for span in telemetry.spans if span.name == "chat m-1")
    assert (parent_of(one), parent_of(other)) == (None, None)
    requests = [parent_of(span) for span in telemetry.spans if span.name == "POST"]
    assert sorted(requests) == sorted([one.context.span_id, other.context.span_id])  # type: ignore[type-var]
    assert trace.get_current_span() is trace.INVALID_SPAN


def test_the_sync_face_goes_on_in_the_callers_span(telemetry: Telemetry) -> None:
    with telemetry.tracer.start_as_current_span("request") as outer:
        betterai.sync.generate("local/echo", "Hello")
        betterai.sync.stream("local/echo", "Hello").collect()
    called = [span for span in telemetry.spans if span.name == "chat echo"]
    assert [parent_of(span) for span in called] == [outer.get_span_context().span_id] * 2
    assert {span.kind for span in called} == {SpanKind.INTERNAL}, "the embedded provider is in this process"


async def test_a_call_made_of_others_is_not_counted_twice(telemetry: Telemetry) -> None:
    with Upstream(answer()) as upstream:
        await ask(Wrapper(connect(upstream.url)))  # type: ignore[arg-type]
    outer, inner, request = telemetry.spans
    assert (outer.name, outer.kind, inner.name) == ("wrapper any", SpanKind.INTERNAL, "chat m-1")
    assert (parent_of(inner), parent_of(request)) == (outer.context.span_id, inner.context.span_id)
    assert not [name for name in outer.attributes or {} if name.startswith("gen_ai.")]
    assert (outer.attributes or {})["betterai.response.provider"] == "neutral"
    (duration,) = telemetry.points()["gen_ai.client.operation.duration"]
    assert duration.count == 1


async def test_tools_have_spans_and_what_they_do_is_in_them(telemetry: Telemetry) -> None:
    @betterai.tool
    def think(text: str) -> str:
        """Think, in a thread."""
        with telemetry.tracer.start_as_current_span("thought"):
            return "canary"

    @betterai.tool
    async def fail() -> None:
        """Fail."""
        raise ValueError("canary")

    wanted = [{"name": "think", "arguments": {"text": "canary"}}, {"name": "fail", "arguments": {}}]
    with scripted() as script:
        script.add({"tool_calls": wanted}, "Done.")
        await betterai.run_tools("scripted/any", "Think!", tools=[think, fail])
    thinking, failing = telemetry.span("execute_tool think"), telemetry.span("execute_tool fail")
    said = dict(thinking.attributes or {})
    assert said.pop("gen_ai.tool.call.id")
    assert said == {
        "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "think", "gen_ai.tool.type": "function"
    }  # fmt: skip
    assert parent_of(telemetry.span("thought")) == thinking.context.span_id
    assert (failing.attributes or {})["error.type"] == "ValueError"
    assert failing.status.status_code is StatusCode.ERROR
    assert "canary" not in telemetry.everything()


# ── content ──

PICTURE = Media(kind="image", data=b"\x89PNG canary", mime_type="image/png")
CONVERSATION = [
    Message.system("Be kind canary."),
    Message.user("See canary", PICTURE, Media(kind="image", url="https://example.com/a.png")),
    Message(role="assistant", parts=(betterai.ToolCall(id="t1", name="add", arguments='{"a": 1}'),)),
    Message.tool("t1", "2 canary"),
]
TOOL = betterai.Tool(name="add", description="Adds canary.", parameters={"type": "object"})


def say(streaming: bool) -> Callable[..., Any]:
    call = {"id": "t2", "type": "function", "function": {"name": "add", "arguments": '{"b":2}'}}
    if streaming:
        return stream(
            [delta("canary"), delta(tool_calls=[{"index": 0, **call}]), delta(finish="tool_calls"), b"data: [DONE]\n\n"]
        )
    body = completion("canary")
    body["choices"][0]["message"]["tool_calls"] = [call]
    body["choices"][0]["finish_reason"] = "tool_calls"
    return reply(200, body)


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("variable", ["", "false", "event_only", "no_content"])
async def test_x9_content_is_not_recorded(streaming: bool, variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(betterai.opentelemetry.CONTENT_VARIABLE, variable)
    telemetry = Telemetry()
    telemetry.instrument()
    with Upstream(say(streaming)) as upstream:
        await ask(connect(upstream.url), streaming=streaming, messages=CONVERSATION, tools=[TOOL], user="canary")
    betterai.opentelemetry.uninstrument()
    assert len(telemetry.spans) == 2
    assert "canary" not in telemetry.everything()


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("way", ["argument", "true", "SPAN_ONLY", "span_and_event"])
async def test_x9_content_is_recorded_where_it_is_asked_for(
    streaming: bool, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if way != "argument":
        monkeypatch.setenv(betterai.opentelemetry.CONTENT_VARIABLE, way)
    telemetry = Telemetry()
    telemetry.instrument(content=True if way == "argument" else None)
    with Upstream(say(streaming)) as upstream:
        await ask(connect(upstream.url), streaming=streaming, messages=CONVERSATION, tools=[TOOL])
    betterai.opentelemetry.uninstrument()
    said = telemetry.span("chat m-1").attributes or {}
    assert json.loads(str(said["gen_ai.input.messages"])) == [
        {"role": "system", "parts": [{"type": "text", "content": "Be kind canary."}]},
        {
            "role": "user",
            "parts": [
                {"type": "text", "content": "See canary"},
                {"type": "blob", "modality": "image", "mime_type": "image/png", "content": ""},
                {"type": "uri", "modality": "image", "mime_type": "", "uri": "https://example.com/a.png"},
            ],
        },
        {"role": "assistant", "parts": [{"type": "tool_call", "id": "t1", "name": "add", "arguments": {"a": 1}}]},
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "t1", "response": "2 canary"}]},
    ]
    assert json.loads(str(said["gen_ai.output.messages"])) == [
        {
            "role": "assistant",
            "parts": [
                {"type": "text", "content": "canary"},
                {"type": "tool_call", "id": "t2", "name": "add", "arguments": {"b": 2}},
            ],
            "finish_reason": "tool_call",
        }
    ]
    assert json.loads(str(said["gen_ai.tool.definitions"])) == [
        {"type": "function", "name": "add", "description": "Adds canary.", "parameters": {"type": "object"}}
    ]


async def test_x9_an_argument_goes_before_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(betterai.opentelemetry.CONTENT_VARIABLE, "true")
    telemetry = Telemetry()
    telemetry.instrument(content=False)
    await betterai.generate("local/echo", "canary")
    betterai.opentelemetry.uninstrument()
    assert telemetry.spans
    assert "canary" not in telemetry.everything()


async def test_x9_a_function_says_for_each_call_whose_content_is_recorded(telemetry: Telemetry) -> None:
    tenant = ContextVar("tenant", default="private")
    telemetry.instrument(content=lambda: tenant.get() == "open")

    async def ask_for(who: str, words: str) -> None:
        tenant.set(who)
        await betterai.stream("local/echo", words)

    async with asyncio.TaskGroup() as group:
        group.create_task(ask_for("open", "shown"))
        group.create_task(ask_for("private", "canary"))
    assert [("gen_ai.input.messages" in (span.attributes or {})) for span in telemetry.spans].count(True) == 1
    assert "shown" in telemetry.everything()
    assert "canary" not in telemetry.everything()


async def test_what_tools_are_given_and_give_is_content() -> None:
    @betterai.tool
    def add(a: int) -> str:
        """Add."""
        return f"{a + 1}!"

    telemetry = Telemetry()
    telemetry.instrument(content=True)
    with scripted() as script:
        script.add({"tool_calls": [{"name": "add", "arguments": {"a": 1}}]}, "Done.")
        await betterai.run_tools("scripted/any", "Add!", tools=[add])
    betterai.opentelemetry.uninstrument()
    said = telemetry.span("execute_tool add").attributes or {}
    assert json.loads(str(said["gen_ai.tool.call.arguments"])) == {"a": 1}
    assert said["gen_ai.tool.call.result"] == "2!"


# ── on and off ──


async def test_a_second_time_replaces_the_first_and_it_can_be_ended(telemetry: Telemetry) -> None:
    telemetry.instrument(requests=False)
    with Upstream(answer()) as upstream:
        await ask(connect(upstream.url))
        assert [span.name for span in telemetry.spans] == ["chat m-1"]
        betterai.opentelemetry.uninstrument()
        betterai.opentelemetry.uninstrument()
        await ask(connect(upstream.url))
    assert len(telemetry.spans) == 1


async def test_what_runs_when_it_is_ended_is_recorded_to_its_end(telemetry: Telemetry) -> None:
    with Upstream(stream(streamed())) as upstream:
        async with aclosing(connect(upstream.url).generate_stream(HELLO)) as chunks:
            await anext(chunks)
            betterai.opentelemetry.uninstrument()
            async for _ in chunks:
                pass
    assert (telemetry.span("chat m-1").attributes or {})["gen_ai.usage.output_tokens"] == 2


@pytest.mark.parametrize("streaming", [False, True])
async def test_calls_that_are_not_sampled_are_counted(streaming: bool) -> None:
    telemetry = Telemetry(sampler=ALWAYS_OFF)
    telemetry.instrument(content=True)
    with Upstream(stream(streamed()) if streaming else answer()) as upstream:
        await ask(connect(upstream.url), streaming=streaming)
    betterai.opentelemetry.uninstrument()
    assert telemetry.spans == []
    assert telemetry.points()["gen_ai.client.operation.duration"][0].count == 1


async def test_without_an_sdk_nothing_is_recorded_and_nothing_breaks() -> None:
    betterai.opentelemetry.instrument()
    assert (await betterai.generate("local/echo", "Hello")).content == "Hello"
    betterai.opentelemetry.uninstrument()


@each(
    ("provider", "name"),
    [
        ("openai", "openai"), ("anthropic", "anthropic"), ("groq", "groq"), ("cohere", "cohere"),
        ("deepseek", "deepseek"), ("perplexity", "perplexity"), ("mistral", "mistral_ai"), ("xai", "x_ai"),
        ("moonshot", "moonshot_ai"), ("bedrock", "aws.bedrock"), ("google", "gcp.gemini"), ("vertex", "gcp.vertex_ai"),
        ("azure", "azure.ai.openai"), ("local", "local"), ("nobody", "nobody"),
    ],
)  # fmt: skip
def test_providers_have_the_names_that_the_conventions_give(provider: str, name: str) -> None:
    """https://opentelemetry.io/docs/specs/semconv/registry/attributes/gen-ai/ lists them under gen_ai.provider.name."""
    assert find_name(provider) == name


def test_p1_opentelemetry_is_imported_when_it_is_asked_for_and_its_extra_is_named_where_it_is_missing() -> None:
    said = check_python("""
        import sys, betterai
        betterai.sync.generate("local/echo", "Hello")
        betterai.opentelemetry
        print("opentelemetry" in sys.modules)
        sys.modules["opentelemetry"] = None
        try:
            betterai.opentelemetry.instrument()
        except betterai.ConfigurationError as error:
            print(error)
    """)  # fmt: skip
    assert said.splitlines() == [
        "False",
        'OpenTelemetry needs the package opentelemetry-api – pip install "betterai[otel]"',
    ]
