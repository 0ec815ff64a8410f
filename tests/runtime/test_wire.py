"""What a call sends, and what it reports instead: falsy values, extras, unknown fields, refused settings."""

from __future__ import annotations

from typing import Any

import pytest

import betterai
from betterai.core.config import CoreConfig
from betterai.core.exceptions import BetterAIError, ProviderError, UnsupportedParam
from betterai.core.model import ModelConfig, ModelTraits
from betterai.core.settings import GenerationSettings
from betterai.runtime.text import CodecTextProvider
from betterai.wire.openai_chat import OpenAIChat
from runtime.providers import KEY, MODEL, PROVIDER, ask, connect
from runtime.upstream import Upstream, answer, completion, event, reply, stream, streamed

FALSY: dict[str, tuple[Any, ...]] = {
    "temperature": (0, 0.0), "top_p": (0, 0.0), "max_tokens": (0,), "seed": (0,), "n": (0,),
    "frequency_penalty": (0, 0.0), "presence_penalty": (0, 0.0), "logprobs": (False,), "top_logprobs": (0,),
    "parallel_tool_calls": (False,), "verbosity": ("",), "service_tier": ("",), "store": (False,), "user": ("",),
    "safety_identifier": ("",), "stop": ([],), "logit_bias": ({},), "metadata": ({},), "tools": ([],),
    "modalities": ([],), "prediction": ("",), "reasoning": ("",),
}  # fmt: skip
FIELDS = {"max_tokens": "max_completion_tokens", "reasoning": "reasoning_effort"}
WAYS = pytest.mark.parametrize("streaming", [False, True], ids=["whole", "stream"])


@WAYS
@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in FALSY.items() for value in values], ids=str
)
async def test_t6_a_falsy_value_is_sent(name: str, value: Any, streaming: bool) -> None:
    with Upstream(stream(streamed()) if streaming else answer()) as upstream:
        response = await ask(connect(upstream.url), streaming=streaming, **{name: value})
        body = upstream.requests[0].body
    sent = body[FIELDS.get(name, name)]
    wanted = {"type": "content", "content": value} if name == "prediction" else value
    assert (sent, type(sent)) == (wanted, type(wanted))
    assert response.warnings == ()


SCALARS = (
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "max_tokens",
    "seed",
    "n",
    "verbosity",
    "user",
    "store",
    "logprobs",
)


@pytest.mark.parametrize("name", SCALARS)
async def test_t5_an_explicit_none_is_not_the_same_as_nothing(name: str) -> None:
    with Upstream(answer()) as upstream:
        provider = connect(upstream.url)
        response = await ask(provider, **{name: None})
        await ask(provider)
        given, bare = (request.body for request in upstream.requests)
    assert set(bare) == {"model", "messages"}
    if name in ("top_k", "min_p"):
        assert [warning.field for warning in response.warnings] == [name]
    else:
        assert given[FIELDS.get(name, name)] is None


@WAYS
async def test_t7_extras_reach_the_wire_on_top_of_ours(streaming: bool) -> None:
    with Upstream(stream(streamed()) if streaming else answer()) as upstream:
        await ask(
            connect(upstream.url),
            streaming=streaming,
            temperature=0.5,
            extra_body={"temperature": 0.7, "new_field": {"deep": [1, None, "ü"]}},
            extra_headers={"X-New": "yes", "X-Empty": ""},
            extra_query={"api-version": "2026-11-01", "odd": "a b&c"},
        )
        sent = upstream.requests[0]
    assert sent.body["temperature"] == 0.7
    assert sent.body["new_field"] == {"deep": [1, None, "ü"]}
    assert (sent.headers["X-New"], sent.headers["X-Empty"]) == ("yes", "")
    assert sent.query == {"api-version": "2026-11-01", "odd": "a b&c"}
    assert sent.headers["Authorization"] == f"Bearer {KEY}"
    assert sent.headers["Content-Type"] == "application/json"


async def test_t7_a_header_of_the_users_goes_over_ours() -> None:
    with Upstream(answer()) as upstream:
        await ask(connect(upstream.url), extra_headers={"User-Agent": "mine/1.0"})
        assert upstream.requests[0].headers["User-Agent"] == "mine/1.0"


async def test_t7_unknown_fields_of_a_reply_are_kept() -> None:
    body = completion(brand_new={"a": [1, {"b": None}]}, system_fingerprint="fp")
    body["choices"][0]["message"]["unheard_of"] = "yes"
    with Upstream(reply(200, body)) as upstream:
        response = await ask(connect(upstream.url))
    assert response.raw == body


async def test_t7_unknown_fields_of_an_event_are_kept() -> None:
    odd = event(choices=[{"index": 0, "delta": {"content": "x", "unheard_of": 1}}], brand_new=[1])
    with Upstream(stream([odd, *streamed()])) as upstream:
        chunks = [chunk async for chunk in connect(upstream.url).generate_stream("Hello")]
    assert chunks[0].raw["brand_new"] == [1]
    assert chunks[0].raw["choices"][0]["delta"]["unheard_of"] == 1


@WAYS
async def test_t1_what_is_dropped_is_in_the_warnings(streaming: bool) -> None:
    with Upstream(stream(streamed()) if streaming else answer()) as upstream:
        response = await ask(connect(upstream.url), streaming=streaming, top_k=5, reasoning=4000)
        assert "top_k" not in upstream.requests[0].body
    assert [(warning.code, warning.field) for warning in response.warnings] == [
        ("dropped", "top_k"),
        ("translated", "reasoning"),
    ]


@WAYS
@pytest.mark.parametrize(("name", "value"), [("top_k", 5), ("reasoning", 4000)])
async def test_t1_unsupported_raise_makes_a_warning_an_error(name: str, value: Any, streaming: bool) -> None:
    with Upstream(answer()) as upstream:
        with pytest.raises(UnsupportedParam) as caught:
            await ask(connect(upstream.url, unsupported="raise"), streaming=streaming, **{name: value})
        assert upstream.requests == []
    assert caught.value.param == name
    assert (caught.value.provider, caught.value.model) == ("neutral", "m-1")


@WAYS
async def test_t1_what_changes_the_meaning_raises_always(streaming: bool) -> None:
    model = ModelConfig(id="m-1", provider="neutral", traits=ModelTraits(stop=False))
    with Upstream(answer()) as upstream:
        with pytest.raises(UnsupportedParam, match="stop"):
            await ask(connect(upstream.url, model=model), streaming=streaming, stop=["."])
        assert upstream.requests == []


async def test_claims_of_the_catalogue_warn_and_never_block() -> None:
    model = ModelConfig(
        id="m-1",
        provider="neutral",
        config={"temperature": (0.0, 2.0)},
        capabilities=betterai.ModelCapabilities(supports_tools=False, supports_vision=False),
        shutdown="2026-12-31",
    )
    picture = betterai.Media(kind="image", url="https://example.com/x.png")
    with Upstream(answer()) as upstream:
        response = await ask(
            connect(upstream.url, model=model, unsupported="raise"),
            messages=betterai.Message.user("x", picture),
            temperature=3.0,
            tools=[betterai.Tool(name="add")],
        )
        sent = upstream.requests[0].body
    assert (sent["temperature"], len(sent["tools"])) == (3.0, 1)
    assert [(warning.code, warning.field) for warning in response.warnings] == [
        ("deprecated", "model"), ("capability", "temperature"), ("capability", "tools"), ("capability", "media"),
    ]  # fmt: skip


async def test_a_model_that_no_catalogue_names_is_asked_with_a_warning() -> None:
    with Upstream(answer()) as upstream:
        model = ModelConfig(id="m-2", provider="neutral", known=False)
        response = await ask(connect(upstream.url, model=model))
        assert upstream.requests[0].body["model"] == "m-2"
    assert [warning.code for warning in response.warnings] == ["unknown_model"]


async def test_options_of_other_vendors_are_not_sent_and_that_is_said() -> None:
    with Upstream(answer()) as upstream:
        response = await ask(connect(upstream.url), options={"elsewhere": {"secret": 1}})
        assert set(upstream.requests[0].body) == {"model", "messages"}
    [warning] = response.warnings
    assert (warning.code, warning.field) == ("dropped", "options")
    assert warning.message == "those for 'elsewhere' are not sent: there is no such provider"


class Pausing(OpenAIChat):
    """A protocol that answers in steps: "more" asks for another request."""

    def parse_response(self, call: Any, reply: Any) -> Any:
        result = super().parse_response(call, reply)
        return self.build_request(call) if result.content == "more" else result


def pausing(upstream: Upstream) -> CodecTextProvider:
    return CodecTextProvider(PROVIDER, Pausing(), CoreConfig(base_url=upstream.url, api_key=KEY, retries=1), MODEL)


async def test_an_answer_in_several_requests_is_one_call() -> None:
    with Upstream(answer("more"), answer("more"), answer("more"), answer("done")) as upstream:
        response = await pausing(upstream).generate("Hello", "", GenerationSettings(extra_body={"x": 1}))
        assert [request.body["x"] for request in upstream.requests] == [1] * 4
    assert response.content == "done"
    assert response.timing is not None
    assert [attempt.waited for attempt in response.timing.attempts] == [0.0] * 4


async def test_an_answer_that_never_ends_is_given_up() -> None:
    with Upstream(answer("more")) as upstream:
        with pytest.raises(ProviderError, match="not complete after") as caught:
            await pausing(upstream).generate("Hello")
        assert len(upstream.requests) < 20
    assert (caught.value.provider, caught.value.model) == ("neutral", "m-1")
    assert len(caught.value.attempts) == len(upstream.requests)


async def test_the_environment_is_read_at_first_use_and_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    betterai.register_text_provider("neutral", PROVIDER)
    with Upstream(answer()) as upstream, Upstream(answer()) as other:
        async with betterai.Client() as client:
            with pytest.raises(BetterAIError, match="NEUTRAL_API_KEY"):
                await client.generate("neutral/m-1", "Hello")
            for key, place in (("first", upstream), ("second", upstream), ("second", other)):
                monkeypatch.setenv("NEUTRAL_API_KEY", key)
                monkeypatch.setenv("NEUTRAL_BASE_URL", place.url)
                await client.generate("neutral/m-1", "Hello")
            monkeypatch.delenv("NEUTRAL_API_KEY")
            with pytest.raises(BetterAIError, match="NEUTRAL_API_KEY"):
                await client.generate("neutral/m-1", "Hello")
        sent = [request.headers["Authorization"] for request in (*upstream.requests, *other.requests)]
    assert sent == ["Bearer first", "Bearer second", "Bearer second"]


@pytest.mark.parametrize("blank", ["", " ", "\n"])
@pytest.mark.parametrize("how", ["config", "environment"])
async def test_a_blank_key_is_a_missing_one(blank: str, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEUTRAL_API_KEY", blank if how == "environment" else "the environment's")
    with Upstream(answer()) as upstream:
        with pytest.raises(BetterAIError, match="NEUTRAL_API_KEY"):
            await ask(connect(upstream.url, api_key=blank if how == "config" else None))
        assert upstream.requests == []


def test_settings_given_twice_are_merged() -> None:
    from betterai.runtime.client import merge_settings

    base = GenerationSettings(temperature=0.5, seed=1)
    assert merge_settings(base, {"temperature": 0.0}) == GenerationSettings(temperature=0.0, seed=1)
    assert merge_settings(base, {}) is base
