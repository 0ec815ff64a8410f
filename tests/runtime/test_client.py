"""`Client` and the short way: what is kept between calls, what a call may change, and class providers behind both."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest

import betterai
from betterai.config.providers import ALL_MODELS
from betterai.core.config import CoreConfig, Retries, Timeout
from betterai.core.exceptions import (
    APIConnectionError,
    ConfigurationError,
    OutputInvalidError,
    OverloadedError,
    ProviderError,
    TotalTimeout,
    UnsupportedParam,
    ValidationError,
)
from betterai.core.media import Media
from betterai.core.message import Message, Reasoning, Text
from betterai.core.model import ModelConfig
from betterai.core.price import Price, Rates
from betterai.core.response import CallWarning, ProviderResponse, TextChunk
from betterai.core.usage import Usage
from runtime.providers import PROVIDER
from runtime.upstream import Upstream, answer, hold, reply, stream, streamed

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(autouse=True, scope="module")
def _neutral() -> None:
    betterai.register_text_provider("neutral", PROVIDER)


def at(upstream: Upstream, **config: Any) -> CoreConfig:
    return CoreConfig(base_url=upstream.url, api_key="key", **config)


async def test_the_short_way_and_a_client_send_the_same() -> None:
    with Upstream(answer(), answer(), stream(streamed())) as upstream:
        short = await betterai.generate("neutral/m-1", "Hello", system="Be kind.", config=at(upstream), temperature=0)
        async with betterai.Client(at(upstream)) as client:
            long = await client.generate("neutral/m-1", "Hello", system="Be kind.", temperature=0)
            async with client.stream("neutral/m-1", "Hello", system="Be kind.", temperature=0) as chunks:
                text = "".join([chunk.content async for chunk in chunks])
        bodies = [request.body for request in upstream.requests]
    assert short.content == long.content == text == "Hello"
    assert bodies[0] == bodies[1]
    assert bodies[0]["messages"][0] == {"role": "system", "content": "Be kind."}
    assert {name: bodies[2][name] for name in bodies[0]} == bodies[0]


@pytest.mark.parametrize("timeout", [0, 0.0, Timeout(total=0)])
def test_t6_a_time_limit_of_nothing_is_not_read_as_none(timeout: Any) -> None:
    with pytest.raises(ValidationError, match=r"timeout\.total"):
        betterai.Client(timeout=timeout)


async def test_t6_no_retries_are_none_and_not_the_default() -> None:
    with Upstream(reply(503)) as upstream:
        async with betterai.Client(at(upstream, retries=2), retries=0) as client:
            with pytest.raises(OverloadedError):
                await client.generate("neutral/m-1", "Hello")
        assert len(upstream.requests) == 1


async def test_limits_of_a_client_hold_for_calls_with_their_own_config() -> None:
    with Upstream(hold) as upstream:
        async with betterai.Client(timeout=0.1, retries=0) as client:
            with pytest.raises(TotalTimeout):
                await client.generate("neutral/m-1", "Hello", config=at(upstream))
    with Upstream(reply(503)) as upstream:
        async with betterai.Client(retries=0) as client:
            with pytest.raises(OverloadedError):
                await client.generate("neutral/m-1", "Hello", config=at(upstream))
            assert len(upstream.requests) == 1
            with pytest.raises(OverloadedError):
                await client.generate(
                    "neutral/m-1", "Hello", config=at(upstream, retries=Retries(attempts=2, base=0.001))
                )
            assert len(upstream.requests) == 3


async def test_x3_a_key_or_place_of_the_client_is_not_lent_to_calls_with_their_own_config() -> None:
    with Upstream(answer()) as upstream, Upstream(answer()) as other:
        async with betterai.Client(at(upstream)) as client:
            with pytest.raises(ConfigurationError, match="NEUTRAL_API_KEY"):
                await client.generate("neutral/m-1", "Hello", config=CoreConfig(base_url=other.url))
        assert upstream.requests == other.requests == []


async def test_connections_are_kept_and_closed() -> None:
    with Upstream(answer()) as upstream:
        async with betterai.Client(at(upstream)) as client:
            for _ in range(3):
                await client.generate("neutral/m-1", "Hello")
        events: list[Any] = []
        async with betterai.Client(at(upstream), headers={"X-Mine": "yes"}, on_event=events.append) as client:
            await client.generate("neutral/m-1", "Hello")
        assert upstream.requests[-1].headers["X-Mine"] == "yes"
    requests = [event for event in events if isinstance(event, betterai.TransportEvent)]
    assert [(event.kind, event.method, event.status) for event in requests] == [("answered", "POST", 200)]


async def test_an_own_session_is_used_and_left_open() -> None:
    with Upstream(answer()) as upstream:
        async with aiohttp.ClientSession(headers={"X-Own": "yes"}) as session:
            async with betterai.Client(at(upstream), session=session) as client:
                await client.generate("neutral/m-1", "Hello")
            assert not session.closed
        assert upstream.requests[0].headers["X-Own"] == "yes"


async def test_failures_are_told_to_telemetry_without_content() -> None:
    with Upstream(answer()) as upstream:
        url = upstream.url
    events: list[Any] = []
    async with betterai.Client(CoreConfig(base_url=url, api_key="canary", retries=1), on_event=events.append) as client:
        with pytest.raises(APIConnectionError):
            await client.generate("neutral/m-1", "Hello canary")
    assert [event.kind for event in events if isinstance(event, betterai.TransportEvent)] == ["failed", "failed"]
    assert "canary" not in repr(events)


async def test_without_a_model_the_default_is_asked_anew_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    async with betterai.Client() as client:
        assert (await client.generate("", "Hello")).provider == "local"
        monkeypatch.setenv("BETTERAI_MODEL", "local/echo")
        assert (await client.generate("", "Hello")).model == "echo"
        monkeypatch.setenv("BETTERAI_MODEL", "local/eliza")
        assert (await client.generate("", "Hello")).model == "eliza"


async def test_a_providers_name_alone_reaches_its_default_model() -> None:
    assert (await betterai.generate("local", "Hello")).model == "eliza"


# ── class providers ──


class Recorder(betterai.BaseTextProvider):
    """Keeps what it is given."""

    made: list[Recorder]

    def __init__(self, api_key: str, **options: Any) -> None:
        self.api_key = api_key
        self.seen: list[Any] = []
        self.closed = False
        type(self).made.append(self)

    async def generate(self, messages: Any, model: str, settings: Any) -> ProviderResponse:
        self.seen.append((messages, model, settings))
        return ProviderResponse(
            content='{"x": 1}',
            model=model,
            usage=Usage(text_in=1_000_000),
            warnings=(CallWarning(code="dropped", field="seed", message="no"),),
        )

    async def aclose(self) -> None:
        self.closed = True


class Streamer(Recorder):
    async def generate_stream(self, messages: Any, model: str, settings: Any) -> Any:
        self.seen.append((messages, model, settings))
        try:
            for piece in ('{"x"', ": 1}"):
                yield TextChunk(content=piece)
        finally:
            self.closed = True


@pytest.fixture
def recorder() -> type[Recorder]:
    class Fresh(Recorder):
        made: list[Recorder] = []  # noqa: RUF012

    betterai.register_text_provider("recorder", Fresh)
    return Fresh


@pytest.fixture
def streamer() -> type[Recorder]:
    class Fresh(Streamer):
        made: list[Recorder] = []  # noqa: RUF012

    betterai.register_text_provider("streamer", Fresh)
    return Fresh


async def test_a_class_gets_dicts_the_models_id_and_settings(recorder: type[Recorder]) -> None:
    ALL_MODELS["recorder-model"] = ModelConfig(
        id="org/model-1", provider="recorder", price=Price(rates=Rates(tokens={"text_in": Decimal(3)}))
    )
    async with betterai.Client() as client:
        response = await client.generate("recorder-model", Message.user("Hello"), system="Be kind.", temperature=0)
    ((messages, model, settings),) = recorder.made[0].seen
    assert messages == [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hello"}]
    assert type(messages) is list
    assert (model, settings.given()) == ("org/model-1", {"temperature": 0})
    assert (response.provider, response.model) == ("recorder", "org/model-1")
    assert response.cost is not None
    assert response.cost.amount == Decimal(3)
    assert response.timing is not None


async def test_a_class_is_made_once_a_client_and_closed_with_it(recorder: type[Recorder]) -> None:
    async with betterai.Client() as client:
        for _ in range(3):
            await client.generate("recorder/x", "Hello")
        assert len(recorder.made) == 1
        assert not recorder.made[0].closed
    assert recorder.made[0].closed


async def test_a_class_is_made_anew_when_its_key_or_registration_changes(
    recorder: type[Recorder], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with betterai.Client() as client:
        await client.generate("recorder/x", "Hello")
        monkeypatch.setenv("RECORDER_API_KEY", "new")
        await client.generate("recorder/x", "Hello")
        await client.generate("recorder/x", "Hello")
        assert [made.api_key for made in recorder.made] == ["", "new"]
        betterai.register_text_provider("recorder", PROVIDER)
        with pytest.raises(ConfigurationError, match="NEUTRAL_API_KEY"):
            await client.generate("recorder/x", "Hello")


async def test_a_stream_of_a_class_ends_with_a_whole_response(streamer: type[Recorder]) -> None:
    async with betterai.Client() as client, client.stream("streamer/x", "Hello", response_format=dict) as chunks:
        said = [chunk async for chunk in chunks]
        response = chunks.response
    assert [chunk.content for chunk in said] == ['{"x"', ": 1}", ""]
    assert (response.content, response.parsed, response.provider, response.model) == (
        '{"x": 1}',
        {"x": 1},
        "streamer",
        "x",
    )


async def test_s3_leaving_the_stream_of_a_class_ends_its_generator(streamer: type[Recorder]) -> None:
    async with betterai.Client() as client, client.stream("streamer/x", "Hello") as chunks:
        await anext(chunks)
        assert not streamer.made[0].closed
        await chunks.aclose()
        assert streamer.made[0].closed


async def test_the_default_stream_of_a_class_is_its_whole_answer(recorder: type[Recorder]) -> None:
    async with betterai.Client() as client:
        response = await client.stream("recorder/x", "Hello").collect()
    assert (response.content, response.provider) == ('{"x": 1}', "recorder")


@pytest.mark.parametrize("streaming", [False, True], ids=["whole", "stream"])
async def test_a_class_answers_as_a_type_too(recorder: type[Recorder], streaming: bool) -> None:
    async with betterai.Client() as client:
        for kind in (dict[str, int], int):
            work = (
                client.stream("recorder/x", "Hi", response_format=kind).collect()
                if streaming
                else client.generate("recorder/x", "Hi", response_format=kind)
            )
            if kind is int:
                with pytest.raises(OutputInvalidError) as caught:
                    await work
                assert (caught.value.provider, caught.value.model) == ("recorder", "x")
            else:
                assert (await work).parsed == {"x": 1}
    sent = recorder.made[0].seen[0][2].response_format
    assert isinstance(sent, betterai.JsonSchema)


async def test_t1_what_a_class_cannot_be_given_is_reported(recorder: type[Recorder]) -> None:
    history = [Message(role="assistant", parts=(Reasoning(text="Hm."), Text(text="Yes."))), Message.user("Why?")]
    async with betterai.Client() as client:
        response = await client.generate("recorder/x", history)
    assert [warning.field for warning in response.warnings] == ["messages.reasoning", "seed"]
    async with betterai.Client(CoreConfig(unsupported="raise")) as client:
        with pytest.raises(UnsupportedParam, match=r"messages\.reasoning"):
            await client.generate("recorder/x", history)
        with pytest.raises(UnsupportedParam, match="seed"):
            await client.generate("recorder/x", "Hello", seed=1)


async def test_files_are_read_for_a_class(recorder: type[Recorder], tmp_path: Any) -> None:
    file = tmp_path / "x.png"
    file.write_bytes(PNG)
    async with betterai.Client() as client:
        await client.generate("recorder/x", Message.user("x", Media(kind="image", path=str(file))))
    content = recorder.made[0].seen[0][0][0]["content"]
    assert content[1]["image_url"]["url"].startswith("data:image/png;base64,")


async def test_e1_an_error_of_a_class_says_whose_it_is() -> None:
    class Failing(betterai.BaseTextProvider):
        def __init__(self, api_key: str) -> None:
            pass

        async def generate(self, messages: Any, model: str, settings: Any) -> ProviderResponse:
            raise ProviderError("no")

    betterai.register_text_provider("failing", Failing)
    for work in (betterai.generate("failing/x", "Hello"), betterai.stream("failing/x", "Hello").collect()):
        with pytest.raises(ProviderError) as caught:
            await work
        assert (caught.value.provider, caught.value.model) == ("failing", "x")


# ── ai_clients ──


def test_a_client_without_its_key_is_warned_of_and_not_there(caplog: pytest.LogCaptureFixture) -> None:
    assert "neutral" not in betterai.ai_clients
    assert betterai.ai_clients.get("neutral") is None
    assert "neutral is not initialised" in caplog.text
    assert "NEUTRAL_API_KEY" in caplog.text
    with pytest.raises(KeyError):
        betterai.ai_clients["neutral"]


def test_a_client_is_there_once_its_key_is(monkeypatch: pytest.MonkeyPatch) -> None:
    betterai.register_text_provider("keyed-later", PROVIDER)
    assert "keyed-later" not in list(betterai.ai_clients)
    monkeypatch.setenv("NEUTRAL_API_KEY", "key")
    assert "keyed-later" in betterai.ai_clients
    assert "keyed-later" in list(betterai.ai_clients)
    assert betterai.ai_clients["keyed-later"] is betterai.ai_clients["keyed-later"]


def test_what_is_put_in_is_given_back(caplog: pytest.LogCaptureFixture) -> None:
    mine = object()
    betterai.ai_clients["mine-own"] = mine
    assert betterai.ai_clients["mine-own"] is mine
    assert "mine-own" in repr(betterai.ai_clients)
    del betterai.ai_clients["mine-own"]
    assert betterai.ai_clients.get("mine-own") is None
    assert caplog.text == ""


def test_everything_that_is_listed_can_be_had() -> None:
    class Painter(betterai.BaseImageProvider):
        def __init__(self, api_key: str) -> None:
            pass

    betterai.register_image_provider("painter", Painter)
    assert "painter" not in betterai.ai_clients
    assert betterai.ai_clients.get("painter") is None
    assert len(dict(betterai.ai_clients)) == len(betterai.ai_clients)
    assert "local" in betterai.ai_clients


async def test_what_is_no_configuration_is_refused_with_what_to_write() -> None:
    for given in ({}, 3, "local/echo"):
        with pytest.raises(ValidationError, match="a configuration is a CoreConfig, not"):
            betterai.Client(given)  # type: ignore[arg-type]
        with pytest.raises(ValidationError, match="a configuration is a CoreConfig, not"):
            await betterai.generate("local/echo", "Hello", config=given)  # type: ignore[arg-type]
        with pytest.raises(ValidationError, match="a configuration is a CoreConfig, not"):
            await betterai.embed("local/hashing", "Hello", config=given)  # type: ignore[arg-type]
    with pytest.raises(ValidationError, match=r'CoreConfig\(model="local/echo"\)'):
        betterai.Client("local/echo")  # type: ignore[arg-type]


async def test_values_of_other_types_are_named_where_they_are_given(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match=r"not str – betterai.Media\("):
        Message.user("What is this?", "cat.png")  # type: ignore[arg-type]
    with pytest.raises(ValidationError, match="the text of a message is str, not NoneType"):
        Message.user(None)  # type: ignore[arg-type]
    with pytest.raises(ValidationError, match=r"messages\[0\] has no content"):
        await betterai.generate("local/echo", [{"role": "user", "content": None}])
    for limits, said in (
        ({"timeout": {"total": 3}}, "timeout must be a number"),
        ({"retries": "3"}, "retries must be"),
    ):
        with pytest.raises(ValidationError, match=said):
            betterai.Client(**limits)  # type: ignore[arg-type]
    for ask in (betterai.generate_image, betterai.generate_video, betterai.start_video, betterai.start_image):
        with pytest.raises(ValidationError, match="a text is wanted, not NoneType"):
            await ask("local/painter", None)  # type: ignore[arg-type]
    with Upstream() as upstream, pytest.raises(ValidationError, match="media: there is nothing in it – pass path=…"):
        await betterai.generate("openai/gpt-6-luna", Message.user("?", Media(kind="image")), config=at(upstream))
    with pytest.raises(ValidationError, match="Media is saved, not int"):
        await betterai.save_media(3, tmp_path / "cat.png")  # type: ignore[arg-type]
    with pytest.raises(ValidationError, match="text 0 is int, and must be str"):
        await betterai.embed("local/hashing", [3])  # type: ignore[list-item]
    with pytest.raises(ValidationError, match=r"a text is wanted, not int – betterai\.stream_speech"):
        await betterai.speak("local/espeak", 3)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="a provider is a class or a declaration, not 3"):
        betterai.register_text_provider("three", 3)  # type: ignore[arg-type]


async def test_what_costs_nothing_costs_nothing_when_nothing_was_used() -> None:
    response = await betterai.generate("local/echo", "")
    assert (response.cost.amount, response.cost.status) == (0, "exact")
