"""The base of middleware: one override for both faces, closing, and what it stands before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

import betterai
from betterai import GenerationSettings, Message, Middleware, ProviderCall, ProviderResponse, TextChunk
from betterai.testing import ScriptedProvider, scripted
from runtime.middleware.priced import Priced
from runtime.upstream import Upstream, delta, stream

SETTINGS = GenerationSettings()


class Counted(Middleware):
    """Ten lines of a user's: it changes what is asked, sees the answer, and errors."""

    def __init__(self, inner: Any) -> None:
        super().__init__(inner)
        self.seen: list[Any] = []

    async def ask(self, call: ProviderCall) -> AsyncGenerator[TextChunk, None]:
        call = replace(call, settings=call.settings.replace(user="team-7"))
        try:
            async for chunk in super().ask(call):
                if chunk.response is not None:
                    self.seen.append((call.stream, chunk.response.content))
                yield chunk
        except betterai.BetterAIError as error:
            self.seen.append(type(error))
            raise
        self.seen.append("after")


async def test_one_override_serves_whole_answers_and_streams() -> None:
    with scripted(["one", "two", "three"]) as provider:
        counted = Counted("scripted/any")
        assert (await counted.generate("Hi")).content == "one"
        assert [chunk.content async for chunk in counted.generate_stream("Hi") if chunk.content] == ["two"]
        assert (await betterai.generate(counted, "Hi", temperature=0.5)).content == "three"
    assert counted.seen == [(False, "one"), "after", (True, "two"), "after", (False, "three"), "after"]
    assert [call.settings.user for call in provider.calls] == ["team-7"] * 3
    assert provider.calls[2].settings.temperature == 0.5


async def test_errors_pass_with_their_class() -> None:
    with scripted([betterai.RateLimitError("slow down"), betterai.OverloadedError("later")]):
        counted = Counted("scripted/any")
        with pytest.raises(betterai.RateLimitError):
            await counted.generate("Hi")
        with pytest.raises(betterai.OverloadedError):
            [chunk async for chunk in counted.generate_stream("Hi")]
    assert counted.seen == [betterai.RateLimitError, betterai.OverloadedError]


async def test_an_override_may_answer_by_itself() -> None:
    class Closed(Middleware):
        async def ask(self, call: ProviderCall) -> AsyncGenerator[TextChunk, None]:
            yield TextChunk(content="We are ")
            yield TextChunk(content="closed.", finish_reason="stop")

    closed = Closed("local/echo")
    assert (await closed.generate("Hi")).content == "We are closed."
    async with betterai.stream(closed, "Hi") as answer:
        assert (await answer.collect()).content == "We are closed."


async def test_s3_leaving_a_stream_closes_the_upstream_at_once_though_the_override_does_nothing_for_it() -> None:
    class Plain(Middleware):
        async def ask(self, call: ProviderCall) -> AsyncGenerator[TextChunk, None]:
            async for chunk in super().ask(call):
                yield chunk

    with Upstream(stream([delta("Hel")], "hold")) as upstream:
        config = betterai.CoreConfig(model="openai/m-1", protocol="openai_chat", api_key="k", base_url=upstream.url)
        chunks = Plain(Counted(betterai.get_text_provider(config))).generate_stream("Hi")
        async for chunk in chunks:
            if chunk.content:
                break
        assert upstream.left == 0
        await chunks.aclose()
        await upstream.until(lambda: upstream.left == 1, 5)


class Handbook(betterai.BaseTextProvider):
    """A class as the handbook has it: messages are dicts."""

    def __init__(self) -> None:
        self.got: list[Any] = []

    async def generate(self, messages: Any, model: str, settings: GenerationSettings) -> ProviderResponse:
        self.got.append(messages)
        return ProviderResponse(content=messages[-1]["content"], model=model, finish_reason="stop")

    async def aclose(self) -> None:
        self.got.append("closed")


async def test_a_class_gets_dicts_and_streams_by_its_default() -> None:
    handbook = Handbook()
    middle = Middleware(Middleware(handbook))
    assert (await middle.generate("Hi", "m", SETTINGS)).content == "Hi"
    assert [chunk.content async for chunk in middle.generate_stream([Message.user("Ho")], "m")] == ["Ho"]
    assert handbook.got == [[{"role": "user", "content": "Hi"}], [{"role": "user", "content": "Ho"}]]
    async with middle:
        pass
    assert handbook.got[-1] == "closed"


async def test_the_answers_of_a_class_have_what_others_have() -> None:
    priced = Priced(cost=None)
    priced.cost = None  # type: ignore[assignment]
    response = await betterai.generate(Middleware(priced), "Hi")
    assert response.cost is not None
    assert response.cost.amount == Decimal("0.000025")
    assert response.timing is not None


async def test_messages_reach_a_provider_of_ours_as_they_are_through_middleware_of_others() -> None:
    mark = betterai.Opaque(protocol="p", data=msgspec.Raw(b"{}"))
    thought = Message(role="assistant", parts=(betterai.Reasoning(text="Hm.", opaque=mark), betterai.Text(text="Yes.")))
    with scripted(["ok"]) as provider:
        await Counted(Counted("scripted/any")).generate([Message.user("Hi"), thought, Message.user("Why?")])
    assert provider.calls[0].messages[1] is thought


async def test_all_that_was_opened_is_closed_though_closing_fails() -> None:
    class Failing(Middleware):
        async def ask(self, call: ProviderCall) -> AsyncGenerator[TextChunk, None]:
            try:
                async for chunk in super().ask(call):
                    yield chunk
            finally:
                raise ValueError("on the way out")

    provider = Priced(gate=asyncio.Event())
    chunks = Failing(provider).generate_stream("Hi")
    await anext(chunks)
    with pytest.raises(ValueError, match="on the way out"):
        await chunks.aclose()
    assert provider.left == 1


def test_model_and_provider_are_those_of_what_is_wrapped() -> None:
    middle = Middleware(Middleware("local/echo"))
    assert middle.model is not None
    assert middle.provider is not None
    assert (middle.model.key, middle.provider.name) == ("local/echo", "local")
    assert middle.list_models() == [middle.model]
    assert Middleware(Handbook()).model is None


async def test_a_router_holds_middleware_and_middleware_a_router() -> None:
    with scripted([betterai.OverloadedError("down"), "second", "third"]):
        counted = Counted("scripted/a")
        router = betterai.Router([counted, Counted("scripted/b")])
        outer = Counted(router)
        assert (await outer.generate("Hi")).content == "second"
        assert outer.model is None
        assert [model.id for model in outer.list_models() if model] == ["a", "b"]
    assert counted.seen == [betterai.OverloadedError]
    assert outer.seen == [(False, "second"), "after"]


async def test_tokens_are_counted_by_what_is_wrapped() -> None:
    direct = await betterai.count_tokens("local/echo", "How many are these?")
    for provider in (Middleware("local/echo"), Middleware(Middleware("local/echo"))):
        assert (await provider.count_tokens("How many are these?")).tokens == direct.tokens
        assert (await betterai.count_tokens(provider, "How many are these?")).tokens == direct.tokens


async def test_a_scripted_provider_is_asked_as_a_class_of_the_caller() -> None:
    class City(msgspec.Struct):
        name: str

    wrapped = Middleware(ScriptedProvider(['{"name": "Oslo"}', "Oslo"]))
    response = await betterai.generate(wrapped, "Where?", response_format=City)
    assert response.parsed == City("Oslo")
    assert response.timing is not None
    with pytest.raises(betterai.OutputInvalidError):
        await betterai.generate(wrapped, "Where?", response_format=City)


@pytest.mark.parametrize("wrong", [None, 5, object(), betterai.Router])
def test_what_does_not_answer_is_not_wrapped(wrong: Any) -> None:
    with pytest.raises(betterai.ValidationError, match="Middleware wraps a text provider or a model's name, not"):
        Middleware(wrong)


async def test_a_wrong_conversation_raises_before_anything_is_asked() -> None:
    with scripted(["never"]) as provider:
        with pytest.raises(betterai.ValidationError):
            await Middleware("scripted/any").generate([])
        assert provider.calls == []
