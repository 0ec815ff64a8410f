"""What an error says: whom was asked, what was answered, how often it was tried; and nothing but our errors."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import betterai
from betterai.core.config import CoreConfig, Timeout
from betterai.core.exceptions import (
    APIConnectionError,
    BetterAIError,
    ConfigurationError,
    FirstByteTimeout,
    ModelNotFoundError,
    OutputInvalidError,
    OverloadedError,
    ProviderError,
    RateLimitError,
    TotalTimeout,
    UnsupportedParam,
    ValidationError,
)
from betterai.core.media import Media
from betterai.core.message import Message
from betterai.core.model import ModelConfig
from betterai.core.settings import GenerationSettings
from betterai.core.wire import Call, Event, WireResponse
from betterai.providers.openai.responses import OpenAIOwnResponses
from betterai.wire.openai_chat import OpenAIChat
from runtime.providers import HELLO, MODEL, PROVIDER, ask, connect
from runtime.upstream import Upstream, answer, hold, reply, stream, streamed

WAYS = pytest.mark.parametrize("streaming", [False, True], ids=["whole", "stream"])


@WAYS
async def test_e1_an_error_says_all_that_is_known(streaming: bool) -> None:
    body = {"error": {"message": "Slow down,\n“friend”", "code": "rate_limit_exceeded", "type": "tokens"}}
    headers = {"X-Request-Id": "req-9", "Retry-After": "1", "X-RateLimit-Limit-Tokens": "10"}
    with Upstream(reply(503), reply(429, body, headers)) as upstream, pytest.raises(RateLimitError) as caught:
        await ask(connect(upstream.url, retries=1), streaming=streaming)
    error = caught.value
    assert (error.provider, error.model, error.status) == ("neutral", "m-1", 429)
    assert (error.code, error.provider_message) == ("rate_limit_exceeded", "Slow down,\n“friend”")
    assert error.request_id == "req-9"
    assert error.headers["x-ratelimit-limit-tokens"] == "10"
    assert error.retry_after == 1.0
    assert json.loads(error.body) == body
    assert [(attempt.status, attempt.error) for attempt in error.attempts] == [
        (503, "OverloadedError"),
        (429, "RateLimitError"),
    ]
    for shown in ("neutral/m-1", "429", "req-9", "2 attempts"):
        assert shown in str(error)


@WAYS
async def test_e1_a_refused_connection_says_where_it_went(streaming: bool) -> None:
    with Upstream(answer()) as upstream:
        url = upstream.url
    with pytest.raises(APIConnectionError) as caught:
        await ask(connect(url, retries=1), streaming=streaming)
    assert (caught.value.provider, caught.value.model, len(caught.value.attempts)) == ("neutral", "m-1", 2)


@WAYS
async def test_e1_a_time_limit_says_whom_it_waited_for(streaming: bool) -> None:
    with Upstream(hold) as upstream:
        with pytest.raises(FirstByteTimeout) as caught:
            await ask(connect(upstream.url, timeout=Timeout(first_byte=0.1), retries=0), streaming=streaming)
        await upstream.until(lambda: upstream.left == 1)
    assert (caught.value.provider, caught.value.model, len(caught.value.attempts)) == ("neutral", "m-1", 1)


@WAYS
async def test_s6_the_total_limit_holds_within_one_attempt(streaming: bool) -> None:
    with Upstream(hold) as upstream, pytest.raises(TotalTimeout) as caught:
        await ask(connect(upstream.url, timeout=0.1), streaming=streaming)
    assert (caught.value.provider, caught.value.model, len(caught.value.attempts)) == ("neutral", "m-1", 1)


async def test_e1_the_error_of_an_answer_made_as_a_job_lists_its_attempts_and_hides_what_was_given() -> None:
    canary = "canary-9876543210"
    begun = reply(200, {"id": "r-1", "object": "response", "status": "in_progress", "output": []})
    cut = reply(200, b'{"id": "r-1", "object": "resp')
    busy = reply(503, {"error": {"message": f"busy, {canary}"}})
    with Upstream(begun, cut, busy) as upstream:
        provider = connect(upstream.url, model=ModelConfig(id="m-1", provider="openai"))
        provider.codec = OpenAIOwnResponses()
        settings = GenerationSettings(options={"openai": {"background": True}}, extra_headers={"X-Secret": canary})
        with pytest.raises(OverloadedError) as caught:
            await provider.generate(HELLO, "", settings)
        assert [request.method for request in upstream.requests] == ["POST", "GET", "GET", "GET"]
    error = caught.value
    assert [(attempt.status, attempt.error) for attempt in error.attempts] == [
        (200, ""), (200, "ProviderError"), (503, "OverloadedError"), (503, "OverloadedError"),
    ]  # fmt: skip
    assert [attempt.waited > 0 for attempt in error.attempts] == [False, False, True, True]
    assert canary not in repr((str(error), vars(error)))


@WAYS
async def test_e1_an_answer_that_does_not_fit_says_all_of_a_call(streaming: bool) -> None:
    headers = {"X-Request-Id": "req-9"}
    script = stream(streamed(("not ", "a number")), headers=headers) if streaming else answer("not a number", headers)
    with Upstream(script) as upstream, pytest.raises(OutputInvalidError) as caught:
        await ask(connect(upstream.url), streaming=streaming, response_format=int)
    error = caught.value
    assert (error.provider, error.model, error.request_id) == ("neutral", "m-1", "req-9")
    assert [attempt.status for attempt in error.attempts] == [200]
    assert error.response is not None
    assert error.response.content == "not a number"
    assert error.response.tokens_used == 9


BAD_CALLS: dict[str, tuple[dict[str, Any], type[BetterAIError]]] = {
    "no messages": ({"messages": []}, ValidationError),
    "unknown role": ({"messages": [{"role": "nobody", "content": "x"}]}, ValidationError),
    "format that is no type": ({"response_format": object()}, ValidationError),
    "file that is not there": (
        {"messages": Message.user("x", Media(kind="image", path="/nowhere/x"))},
        ValidationError,
    ),
    "media of no use": ({"messages": Message.user("x", Media(kind="video", file_id="f"))}, UnsupportedParam),
    "body that is no JSON": ({"extra_body": {"x": object()}}, ValidationError),
}


@WAYS
@pytest.mark.parametrize("name", BAD_CALLS)
async def test_e1_a_bad_call_is_refused_before_it_is_sent_and_says_by_whom(name: str, streaming: bool) -> None:
    given, kind = BAD_CALLS[name]
    with Upstream(answer()) as upstream:
        with pytest.raises(kind) as caught:
            await ask(connect(upstream.url), streaming=streaming, **given)
        assert upstream.requests == []
    assert (caught.value.provider, caught.value.model) == ("neutral", "m-1")


@WAYS
async def test_e1_a_missing_key_names_its_variable_the_provider_and_the_model(streaming: bool) -> None:
    with pytest.raises(ConfigurationError, match="NEUTRAL_API_KEY") as caught:
        await ask(connect("https://neutral.example.com", api_key=None), streaming=streaming)
    assert (caught.value.provider, caught.value.model) == ("neutral", "m-1")


BAD_EXTRAS: list[dict[str, Any]] = [
    {"extra_headers": {"X-Bad": "a\r\nX-More: b"}},
    {"extra_headers": {"X Bad": "a"}},
]


@WAYS
@pytest.mark.parametrize("given", BAD_EXTRAS, ids=str)
async def test_e1_a_header_or_query_that_cannot_be_sent_is_our_error(given: dict[str, Any], streaming: bool) -> None:
    with Upstream(answer()) as upstream:
        with pytest.raises(BetterAIError) as caught:
            await ask(connect(upstream.url, retries=0), streaming=streaming, **given)
        assert upstream.requests == []
    assert (caught.value.provider, caught.value.model) == ("neutral", "m-1")


@pytest.mark.parametrize(
    "base_url",
    [
        "neutral.example.com", "ftp://example.com", "https://", "http://[::1", "https://h:0/v1", "https://h:99999/v1",
        "https://h/v1?key=x", "https://h/v1#f", "http:///v1", " ",
    ],
)  # fmt: skip
async def test_e1_a_base_url_that_is_none_is_a_configuration_error(base_url: str) -> None:
    with pytest.raises(ConfigurationError, match="is not a base URL"):
        await connect(base_url).generate(HELLO)


async def test_a_base_url_may_have_spaces_around_it() -> None:
    with Upstream(answer()) as upstream:
        await connect(f" {upstream.url}/\n").generate(HELLO)
        assert upstream.requests[0].path == "/v1/chat/completions"


@pytest.mark.parametrize("name", ["nowhere/x", "neutra/m-1", "neutral/", "x"])
async def test_e1_a_model_that_is_not_there_is_our_error(name: str) -> None:
    betterai.register_text_provider("neutral", PROVIDER)
    for work in (betterai.generate, lambda *call: betterai.stream(*call).collect()):
        with pytest.raises(ModelNotFoundError) as caught:
            await work(name, "Hello")
        assert caught.value.model == name
        assert caught.value.hint


async def test_a_model_that_the_provider_does_not_know_is_told_with_near_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROQ_API_KEY", "test-key")
    unknown = {"error": {"code": "model_not_found", "message": "The model does not exist"}}
    with Upstream(reply(404, unknown)) as upstream:
        config = CoreConfig(base_url=upstream.url)
        for name, hint in (
            ("openai/gpt-oss-120", "did you mean groq/openai/gpt-oss-120b"),
            ("x", "check the model's name"),
        ):
            with pytest.raises(ModelNotFoundError) as caught:
                await betterai.generate(f"groq/{name}", "Hello", config=config)
            assert caught.value.hint.startswith(hint)


# ── whatever a server answers ──

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(["error", "message", "code", "type", "param", "detail", "choices", "usage", "status_code"])
ENVELOPES = st.recursive(
    JSON,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(FIELDS, inner, max_size=4),
    max_leaves=12,
)
HTML = st.sampled_from([b"<html><body>Bad gateway</body></html>", b"<script>" * 2000, b"<" * 30000])
NESTED = st.sampled_from([b"[" * 100_000, b'{"error":' * 100_000, b'{"a":[' * 5000 + b"1" + b"]}" * 5000])


def encode(value: Any) -> bytes:
    return json.dumps(value).encode("utf-8", "surrogatepass")


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    body = draw(st.one_of(ENVELOPES.map(encode), ENVELOPES.map(encode), st.binary(max_size=60), HTML, NESTED))
    cut = draw(st.none() | st.integers(0, max(0, len(body))))
    return body if cut is None else body[:cut]


STATUS = st.sampled_from(
    [300, 304, 307, 400, 401, 402, 403, 404, 408, 409, 413, 418, 422, 429, 451, 499, 500, 501, 502, 503, 529, 599]
)


@settings(max_examples=150, deadline=None)
@given(status=STATUS, body=bodies(), after=st.text(max_size=12))
def test_e1_any_error_body_is_one_of_our_errors(status: int, body: bytes, after: str) -> None:
    headers = {"retry-after": after, "content-type": "application/json"}
    error = OpenAIChat().parse_error(WireResponse(status=status, headers=headers, body=body))
    assert isinstance(error, ProviderError)
    assert error.status == status
    assert isinstance(str(error), str)
    assert isinstance(error.provider_message, str)
    assert isinstance(error.code, str)
    assert error.retry_after is None or error.retry_after >= 0


def error_of(work: Callable[[], object]) -> BetterAIError | None:
    """Our error that some work ends with; any other goes through."""
    try:
        work()
    except BetterAIError as error:
        return error
    return None


@settings(max_examples=150, deadline=None)
@given(body=bodies())
def test_e1_any_body_with_status_200_is_an_answer_or_one_of_our_errors(body: bytes) -> None:
    call: Any = Call(model=MODEL, input=(), settings=GenerationSettings())
    codec = OpenAIChat()
    state = codec.open_stream(call)
    error_of(lambda: codec.parse_response(call, WireResponse(status=200, body=body)))
    error_of(lambda: (list(state.parse_event(Event(data=body))), state.finish()))


class Answers:
    """A server whose next answer is set before each call, and one event loop for all of them."""

    def __init__(self, upstream: Upstream) -> None:
        self.upstream = upstream
        self.config = CoreConfig(base_url=upstream.url, api_key="key", retries=0, model="neutral/m-1")


@pytest.fixture(scope="module")
def answers() -> Any:
    betterai.register_text_provider("neutral", PROVIDER)
    with Upstream(answer()) as upstream:
        yield Answers(upstream)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    status=st.sampled_from([200, 400, 401, 429, 500, 503]),
    body=bodies(),
    content_type=st.sampled_from(
        ["application/json", "text/html", "text/event-stream", "", "application/octet-stream"]
    ),
)
def test_e1_no_answer_raises_outside_our_errors_sync_or_streamed(
    answers: Answers, status: int, body: bytes, content_type: str
) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    answers.upstream.script = (reply(status, body, headers),)
    calls = (
        lambda: betterai.sync.generate("", "Hello", config=answers.config),
        lambda: betterai.sync.stream("", "Hello", config=answers.config).collect(),
    )
    for call in calls:
        error = error_of(call)
        assert error is not None or status == 200
        if error is not None:
            assert (error.provider, error.model, len(error.attempts)) == ("neutral", "m-1", 1)
