"""Conversations: what stays of a turn, what it costs, and how it is stored."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import betterai
from betterai import (
    Conversation,
    Media,
    MediaPart,
    Message,
    SpendLimitReached,
    ToolResult,
    ValidationError,
    dump_messages,
    load_messages,
)
from betterai.runtime.spending import Spending
from betterai.testing import ScriptedProvider, scripted
from runtime.upstream import Upstream, answer, delta, hold, reply, stream, streamed
from test_public_api import MESSAGES, opaques_of

ANY = "scripted/any"


@pytest.fixture
def script() -> Iterator[ScriptedProvider]:
    with scripted() as provider:
        yield provider


@betterai.tool
def add(a: int, b: int) -> int:
    return a + b


ADD = {"tool_calls": [{"name": "add", "arguments": {"a": 1, "b": 2}}]}


def paid(amount: str, **step: Any) -> dict[str, Any]:
    return {"text": "Yes.", **step, "usage": {"text_in": 10, "stated_cost": amount}}


# ── turns ──


async def test_what_was_said_stays(script: ScriptedProvider) -> None:
    script.add("Hello.", "A picture.")
    talk = Conversation(ANY, system="Be brief.", temperature=0)
    picture = Media(kind="image", mime_type="image/png", data=b"1")
    assert (await talk.ask("Hi")).content == "Hello."
    await talk.ask("What is it?", picture, temperature=1)
    assert [message.text for message in talk.messages] == ["Hi", "Hello.", "What is it?", "A picture."]
    assert talk.messages[2].parts[1] == MediaPart(media=picture)
    assert [message.role for message in script.calls[1].messages] == ["system", "user", "assistant", "user"]
    assert [call.settings.temperature for call in script.calls] == [0, 1]


async def test_tools_and_their_results_stay_too(script: ScriptedProvider) -> None:
    script.add(ADD, "3", ADD, {"pieces": ["It", " is 3."]})
    talk = Conversation(ANY, tools=[add])
    assert (await talk.ask("1 + 2?")).content == "3"
    seen = []
    async with talk.stream("And again?") as stream:
        async for chunk in stream:
            seen += [chunk.part.text] if isinstance(chunk.part, ToolResult) else [chunk.content]
    assert "".join(seen) == "3It is 3."
    assert [message.role for message in talk.messages] == ["user", "assistant", "tool", "assistant"] * 2
    assert len(stream.run.steps) == 2


async def test_the_history_can_be_given_and_changed(script: ScriptedProvider) -> None:
    script.add("one", "two")
    talk = Conversation(ANY, messages=[{"role": "user", "content": "Before"}, Message.assistant("Indeed")])
    await talk.ask("Now")
    del talk.messages[:2]
    talk.model, talk.system = "scripted/other", "Be kind."
    await talk.ask(Message.user("Later"), Media(kind="image", mime_type="image/png", data=b"1"))
    assert isinstance(talk.messages[-2].parts[1], MediaPart)
    assert [message.text for message in script.calls[0].messages] == ["Before", "Indeed", "Now"]
    assert [message.text for message in script.calls[1].messages] == ["Be kind.", "Now", "one", "Later"]
    assert script.calls[1].model == "other"


@pytest.mark.parametrize(
    "step",
    [
        betterai.OverloadedError("busy", status=503),
        {"text": "a b c", "error_after": 1},
        {**ADD, "finish_reason": "length"},
        {"text": "", "finish_reason": "content_filter"},
    ],
)
@pytest.mark.parametrize("streaming", [False, True])
async def test_a_turn_that_fails_leaves_the_history_as_it_was(
    script: ScriptedProvider, step: Any, streaming: bool
) -> None:
    script.add("one", step, "two")
    talk = Conversation(ANY, tools=[add])
    await talk.ask("First")
    before = list(talk.messages)
    try:
        await (talk.stream("Second").collect() if streaming else talk.ask("Second"))
    except betterai.BetterAIError:
        pass
    else:
        assert isinstance(step, dict)
        assert step["text"] == ""
    assert talk.messages == before
    assert (await talk.ask("Third")).content == "two"


async def test_a_stream_that_is_left_leaves_the_history_as_it_was(script: ScriptedProvider) -> None:
    script.add("one two three", "one two three", "four")
    talk = Conversation(ANY)
    async with talk.stream("First") as stream:
        async for chunk in stream:
            if chunk.content:
                break
    assert talk.messages == []
    async for chunk in (stream := talk.stream("Second")):
        if chunk.response is not None:
            break
    await stream.aclose()
    assert [message.text for message in talk.messages] == ["Second", "one two three"], "all of it had come"
    assert (await talk.ask("Third")).content == "four"


async def test_two_turns_at_once_are_refused() -> None:
    with Upstream(hold) as upstream:
        talk = Conversation(
            "openai/gpt-4o",
            config=betterai.CoreConfig(base_url=upstream.url, api_key="k", retries=0, protocol="openai_chat"),
        )
        first = asyncio.create_task(talk.ask("One"))
        await upstream.until(lambda: len(upstream.requests) == 1)
        with pytest.raises(ValidationError, match="in the middle of a turn"):
            await talk.ask("Two")
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
    assert talk.messages == []
    assert talk.cost.amount is None, "what was cancelled may have been billed"


async def test_a_client_of_its_own_is_asked() -> None:
    seen: list[Any] = []
    with Upstream(answer()) as upstream:
        config = betterai.CoreConfig(base_url=upstream.url, api_key="k", protocol="openai_chat")
        async with betterai.Client(config, on_event=seen.append) as client:
            talk = Conversation("openai/gpt-4o", client=client)
            await talk.ask("Hi")
            await talk.fork().ask("Hi")
    assert len([event for event in seen if isinstance(event, betterai.CallEnded)]) == 2


def test_without_async(script: ScriptedProvider) -> None:
    script.add("one", ADD, {"pieces": ["It", " is 3."]})
    talk = betterai.sync.Conversation(ANY, tools=[add])
    assert talk.ask("First").content == "one"
    with talk.stream("Second") as stream:
        assert "".join(chunk.content for chunk in stream) == "It is 3."
    assert len(stream.run.steps) == 2
    assert [message.role for message in talk.messages[2:]] == ["user", "assistant", "tool", "assistant"]
    assert isinstance(talk.fork(), betterai.sync.Conversation)
    assert betterai.sync.Conversation.from_json(talk.to_json()).messages == talk.messages


async def test_another_model_may_take_over_and_what_it_cannot_hold_is_said() -> None:
    thought = betterai.Opaque(protocol="anthropic_messages", provider="x", data=msgspec.Raw(b'{"signature":"s"}'))
    history = [
        Message.user("Hi"),
        Message(role="assistant", parts=(betterai.Reasoning(text="Hm.", opaque=thought), betterai.Text(text="Hello."))),
    ]
    with Upstream(reply(200, {"choices": [{"message": {"content": "Yes."}, "finish_reason": "stop"}]})) as upstream:
        talk = Conversation("openai/gpt-4o", messages=history)
        talk._config = betterai.CoreConfig(base_url=upstream.url, api_key="k", protocol="openai_chat")
        response = await talk.ask("And?")
    assert any(warning.code == "dropped" for warning in response.warnings)
    assert talk.messages[:2] == history, "the history keeps it"


# ── spending ──


async def test_spending_is_counted_over_steps_and_turns(script: ScriptedProvider) -> None:
    script.add(paid("0.10", **ADD), paid("0.20"), paid("0.30"))
    talk = Conversation(ANY, tools=[add])
    assert (talk.usage, talk.cost.amount, talk.cost.status) == (None, Decimal(0), "exact")
    await talk.ask("One")
    await talk.ask("Two")
    assert (talk.cost.amount, talk.cost.status) == (Decimal("0.60"), "exact")
    assert talk.usage is not None
    assert talk.usage.input_tokens == 30


@pytest.mark.parametrize("limit", [0.3, Decimal("0.30"), Decimal("0.2")])
async def test_a_limit_ends_the_talk_before_a_call(script: ScriptedProvider, limit: Any) -> None:
    script.add(paid("0.1"), paid("0.2"), "never")
    talk = Conversation(ANY, max_cost=limit, unknown_cost=1)
    await talk.ask("One")
    await talk.ask("Two")
    with pytest.raises(SpendLimitReached, match=r"\$0\.3 of \$0\.[23]0? are spent") as caught:
        await talk.ask("Three")
    assert (caught.value.spent, caught.value.limit) == (Decimal("0.3"), Decimal(str(limit)))
    assert script.left == 1
    assert len(talk.messages) == 4


async def test_a_limit_holds_within_a_turn(script: ScriptedProvider) -> None:
    script.add(paid("0.5", **ADD), "never")
    talk = Conversation(ANY, tools=[add], max_cost="0.5", unknown_cost=0)  # type: ignore[arg-type]
    stream = talk.stream("One")
    with pytest.raises(SpendLimitReached):
        await stream
    assert stream.run.steps[0].outcomes[0].result.text == "3"
    assert (talk.messages, script.left) == ([], 1)


async def test_an_unknown_price_does_not_count_as_nothing() -> None:
    with Upstream(answer()) as upstream:
        config = betterai.CoreConfig(base_url=upstream.url, api_key="k", protocol="openai_chat")
        with pytest.raises(SpendLimitReached, match="no price is known for openai/unheard-of"):
            await Conversation("openai/unheard-of", config=config, max_cost=1).ask("One")
        assert upstream.requests == []
        talk = Conversation("openai/unheard-of", config=config, max_cost=1, unknown_cost=0.6)
        await talk.ask("One")
        assert (talk.cost.amount, talk.cost.status) == (None, "unknown")
        assert "1 call is not known" in talk.cost.reason
        await talk.ask("Two")
        with pytest.raises(SpendLimitReached, match=r"\$1\.2 of \$1 are spent"):
            await talk.ask("Three")
        assert len(upstream.requests) == 2


async def test_what_failed_counts_where_it_may_have_been_billed(script: ScriptedProvider) -> None:
    script.add(betterai.RateLimitError("slow", status=429), {"text": "a b", "error_after": 1}, "no number")
    talk = Conversation(ANY)
    for kind in (betterai.RateLimitError, betterai.StreamInterrupted, betterai.OutputInvalidError):
        before = talk._spending.unknown
        with pytest.raises(kind):
            await talk.ask("Go.", response_format=int)
        assert talk._spending.unknown - before == (kind is betterai.StreamInterrupted)
    assert talk.usage is not None, "an answer that does not fit was paid for"


async def test_no_connection_costs_nothing() -> None:
    config = betterai.CoreConfig(base_url="http://127.0.0.1:9/v1", api_key="k", retries=0)
    talk = Conversation("openai/gpt-4o", config=config)
    with pytest.raises(betterai.APIConnectionError):
        await talk.ask("Hi")
    assert (talk.cost.amount, talk.cost.status) == (Decimal(0), "exact")


async def test_a_price_of_the_catalogue_is_counted() -> None:
    with Upstream(stream(streamed())) as upstream:
        config = betterai.CoreConfig(base_url=upstream.url, api_key="k", protocol="openai_chat")
        talk = Conversation("openai/gpt-4o", config=config, max_cost=1)
        response = await talk.stream("Hi").collect()
    assert response.cost is not None
    assert talk.cost.amount == response.cost.amount
    assert talk.cost.amount


async def test_the_embedded_models_are_free() -> None:
    talk = Conversation("local/echo", max_cost=0.01)
    await talk.ask("One")
    await talk.ask("Two")
    assert talk.cost.amount == 0


@pytest.mark.parametrize("value", [-1, float("nan"), float("inf"), "much", True])
def test_a_limit_is_an_amount(value: Any) -> None:
    for name in ("max_cost", "unknown_cost"):
        with pytest.raises(ValidationError, match=f"{name} must be an amount"):
            Conversation(ANY, **{name: value})


# ── storing ──


async def test_a_conversation_goes_on_where_it_was_stored(script: ScriptedProvider) -> None:
    script.add(paid("0.1", **ADD), paid("0.2"), paid("0.3"))
    talk = Conversation(ANY, system="Be brief.", tools=[add], max_cost=0.6, unknown_cost=0.5)
    await talk.ask("One")
    stored = talk.to_json()
    assert json.loads(stored)["version"] == 1
    again = Conversation.from_json(stored.decode(), tools=[add])
    assert (again.model, again.system, again.messages) == (talk.model, talk.system, talk.messages)
    assert (again.usage, again.cost, again.to_json()) == (talk.usage, talk.cost, stored)
    await again.ask("Two")
    with pytest.raises(SpendLimitReached):
        await again.ask("Three")
    more = Conversation.from_json(stored, model="scripted/b", max_cost=5)
    assert (more.model, more._spending.limit, more._spending.known.amount) == ("scripted/b", 5, Decimal("0.3"))


@pytest.mark.parametrize(
    "data", ["", "{}", "[]", b"\xff", '{"version": 2, "model": "x", "messages": [], "spending": {}}']
)
def test_what_is_no_stored_conversation_is_refused(data: Any) -> None:
    with pytest.raises(ValidationError, match="no stored conversation"):
        Conversation.from_json(data)


def test_no_key_and_no_setting_is_stored() -> None:
    config = betterai.CoreConfig(api_key="secret-key-1")
    talk = Conversation(ANY, config=config, extra_headers={"x": "secret-key-2"}, metadata={"a": "secret-key-3"})
    assert b"secret" not in talk.to_json()


async def test_a_fork_goes_its_own_way(script: ScriptedProvider) -> None:
    script.add(paid("0.1"), paid("0.2"), paid("0.4"))
    talk = Conversation(ANY, temperature=0.5, tools=[add])
    await talk.ask("One")
    other = talk.fork()
    await talk.ask("Two")
    await other.ask("Three")
    assert [message.text for message in other.messages] == ["One", "Yes.", "Three", "Yes."]
    assert len(talk.messages) == 4
    assert (talk.cost.amount, other.cost.amount) == (Decimal("0.3"), Decimal("0.5"))
    assert script.calls[2].settings.given() == talk.settings.given()


@settings(max_examples=50, deadline=None)
@given(messages=st.lists(MESSAGES, min_size=1, max_size=3))
def test_t2_a_stored_conversation_comes_back_to_the_byte(messages: list[Message]) -> None:
    stored = dump_messages(messages)
    again = load_messages(stored)
    assert dump_messages(again) == stored == dump_messages(load_messages(stored.decode()))
    assert opaques_of(tuple(again)) == opaques_of(tuple(messages))
    talk = Conversation(ANY, messages=messages)
    back = Conversation.from_json(talk.to_json())
    assert dump_messages(back.messages) == stored
    assert back.to_json() == talk.to_json()


def test_dicts_are_stored_as_messages() -> None:
    assert load_messages(dump_messages([{"role": "user", "content": "Hi"}])) == [Message.user("Hi")]
    for wrong in (b"{}", b"", '[{"role": "user", "parts": [{"type": "odd"}]}]'):
        with pytest.raises(ValidationError, match="no stored messages"):
            load_messages(wrong)


# ── T2 over the wire ──


async def test_t2_thoughts_of_an_answer_go_back_after_storing_as_they_would_have_gone() -> None:
    details = [{"type": "reasoning.encrypted", "data": "é==", "id": "r1", "n": 1.50}]
    message = {"role": "assistant", "content": "Yes.", "reasoning": "Hm.", "reasoning_details": details}
    body = {"choices": [{"message": message, "finish_reason": "stop"}], "model": "m"}
    with Upstream(reply(200, body)) as upstream:
        config = betterai.CoreConfig(base_url=upstream.url, api_key="k", protocol="openai_chat")
        talk = Conversation("openrouter/some/model", config=config)
        await talk.ask("Hi")
        stored = talk.to_json()
        await talk.ask("And?")
        await Conversation.from_json(stored, config=config).ask("And?")
        one, other = upstream.requests[1:]
    assert one.raw == other.raw
    assert one.body["messages"][1]["reasoning_details"] == details


def test_costs_are_summed_by_their_doubt() -> None:
    exact = betterai.Cost(amount=Decimal(1), status="exact", parts={"text_in": Decimal(1)})
    guess = betterai.Cost(amount=Decimal(2), status="estimated", parts={"text_in": Decimal(2)}, reason="r")
    assert exact + guess == betterai.Cost(
        amount=Decimal(3), status="estimated", parts={"text_in": Decimal(3)}, reason="r"
    )
    assert (exact + exact).status == "exact"
    doubts = [betterai.Cost(reason=reason) for reason in "abab"]
    assert sum(doubts, exact).reason == "a; b"
    assert ((exact + betterai.Cost(reason="q")).amount, (guess + betterai.Cost()).status) == (None, "unknown")
    assert Spending().cost.amount == 0


async def test_a_stream_that_was_cut_counts_as_unknown_and_leaves_the_history() -> None:
    with Upstream(stream([delta("Hel")], "abort")) as upstream:
        config = betterai.CoreConfig(base_url=upstream.url, api_key="k", retries=0, protocol="openai_chat")
        talk = Conversation("openai/gpt-4o", config=config, max_cost=1)
        with pytest.raises(betterai.StreamInterrupted):
            await talk.stream("Hi")
        with pytest.raises(SpendLimitReached, match="unknown_cost"):
            await talk.ask("Hi")
    assert talk.messages == []
