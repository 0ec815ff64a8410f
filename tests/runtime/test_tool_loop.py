"""Runs of tools: what is called, what the model is told of it, and how a run ends."""

from __future__ import annotations

import asyncio
import gc
import json
import threading
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

import betterai
from betterai import (
    BetterAIError,
    Media,
    MediaPart,
    Message,
    StepLimitReached,
    Text,
    ToolCall,
    ToolResult,
    ValidationError,
)
from betterai.testing import ScriptedProvider, scripted
from runtime.upstream import DONE, Upstream, answer, completion, delta, reply, stream, streamed, usage_event

ANY = "scripted/any"
THREADS: list[bool] = []


@betterai.tool
def add(a: int, b: int) -> int:
    """Adds."""
    THREADS.append(threading.current_thread() is threading.main_thread())
    return a + b


@betterai.tool
async def fail(why: str = "so") -> None:
    raise KeyError(why)


def calls(*wanted: tuple[str, Any], **options: Any) -> dict[str, Any]:
    return {"tool_calls": [{"name": name, "arguments": arguments} for name, arguments in wanted], **options}


ADD = calls(("add", {"a": 1, "b": 2}))


@pytest.fixture
def script() -> Iterator[ScriptedProvider]:
    with scripted() as provider:
        yield provider


async def test_tools_are_run_until_the_model_has_answered(script: ScriptedProvider) -> None:
    script.add(calls(("add", {"a": 1, "b": 2}), ("add", {"a": 3, "b": 4})), ADD, "The sum is 7.")
    run = await betterai.run_tools(ANY, "Add.", tools=[add], temperature=0, system="Be brief.")
    assert (run.content, run.finished) == ("The sum is 7.", True)
    assert [message.role for message in run.messages] == ["user", "assistant", "tool", "assistant", "tool", "assistant"]
    assert [part.text for part in run.messages[2].parts if isinstance(part, ToolResult)] == ["3", "7"]
    assert [part.id for part in run.messages[2].parts if isinstance(part, ToolResult)] == [
        call.id for call in run.steps[0].response.tool_calls
    ]
    assert [len(step.outcomes) for step in run.steps] == [2, 1, 0]
    assert run.steps[0].outcomes[1].result.text == "7"
    assert run.response is run.steps[-1].response
    assert all(call.settings.temperature == 0 and call.messages[0].text == "Be brief." for call in script.calls)
    assert script.calls[1].messages[1:] == run.messages[:3]
    assert not any(THREADS), "sync tools run in threads"


async def test_usage_and_cost_are_sums_over_the_steps(script: ScriptedProvider) -> None:
    costs = [{"text_in": 5, "stated_cost": "0.5"}, {"text_in": 7, "text_out": 1, "stated_cost": "0.25"}]
    script.add({**ADD, "usage": costs[0]}, {"text": "3", "usage": costs[1]}, {**ADD, "usage": costs[0]}, "3")
    run = await betterai.run_tools(ANY, "Add.", tools=[add])
    assert run.usage is not None
    assert (run.usage.input_tokens, run.usage.output_tokens) == (12, 1)
    assert (str(run.cost.amount), run.cost.status) == ("0.75", "exact")


async def test_tools_of_one_step_run_at_the_same_time(script: ScriptedProvider) -> None:
    barrier, meeting = threading.Barrier(2), asyncio.Barrier(2)

    @betterai.tool
    def block(n: int) -> int:
        barrier.wait(10)
        return n

    @betterai.tool
    async def meet(n: int) -> int:
        await meeting.wait()
        return n

    script.add(calls(("block", {"n": 1}), ("meet", {"n": 2}), ("block", {"n": 3}), ("meet", {"n": 4})), "done")
    async with asyncio.timeout(20):
        run = await betterai.run_tools(ANY, "Go.", tools=[block, meet])
    assert [outcome.result.text for outcome in run.steps[0].outcomes] == ["1", "2", "3", "4"]


WRONG: list[tuple[Any, str]] = [
    (
        ("add", {"a": "1", "b": 2}),
        "ValidationError: the arguments of add are wrong: Expected `int`, got `str` - at `$.a`",
    ),
    (("add", {"a": 1}), "ValidationError: the arguments of add are wrong: Object missing required field `b`"),
    (("add", '{"a": 1, "b": 2, "b": 3}'), "ValidationError: the arguments of add are wrong: the key 'b' occurs twice"),
    (("add", '{"a": 1, "b"'), "ValidationError: the arguments of add are wrong: "),
    (("fail", {"why": "that"}), "KeyError: 'that'"),
    (("other", {}), "ValidationError: there is no tool 'other' – there are add, fail"),
]


@pytest.mark.parametrize(("wanted", "said"), WRONG)
async def test_what_goes_wrong_in_a_call_is_told_to_the_model(script: ScriptedProvider, wanted: Any, said: str) -> None:
    script.add(calls(wanted, ("add", {"a": 1, "b": 1})), "I see.")
    run = await betterai.run_tools(ANY, "Go.", tools=[add, fail])
    wrong, right = run.steps[0].outcomes
    assert wrong.result.is_error
    assert wrong.result.text.startswith(said)
    assert "Traceback" not in wrong.result.text
    assert wrong.error is not None
    assert said.startswith(type(wrong.error).__name__)
    assert (right.result.text, right.error) == ("2", None)
    assert script.calls[1].messages[-1].parts == (wrong.result, right.result)


KINDS = [StopIteration, StopAsyncIteration, TimeoutError, RecursionError, BetterAIError]


@pytest.mark.parametrize(
    ("kind", "is_async"),
    [(asyncio.CancelledError, True), *((kind, is_async) for kind in KINDS for is_async in (False, True))],
)
async def test_a_tool_may_raise_anything(script: ScriptedProvider, kind: type[Exception], is_async: bool) -> None:
    def plain() -> None:
        raise kind("x")

    async def waits() -> None:
        raise kind("x")

    script.add(calls(("t", {})), "I see.")
    tool = betterai.tool(name="t")(waits if is_async else plain)
    async with asyncio.timeout(20):
        run = await betterai.run_tools(ANY, "Go.", tools=[tool])
    assert run.steps[0].outcomes[0].result.is_error
    said = run.steps[0].outcomes[0].result.text
    assert "x" in said or said == "RuntimeError: coroutine raised StopIteration"


async def test_cancelling_a_run_cancels_all_its_tools(script: ScriptedProvider) -> None:
    began, cancelled = asyncio.Semaphore(0), []

    @betterai.tool
    async def wait(n: int) -> None:
        began.release()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(n)
            raise

    script.add(calls(("wait", {"n": 1}), ("wait", {"n": 2})))
    task = asyncio.create_task(betterai.run_tools(ANY, "Go.", tools=[wait]))
    await began.acquire()
    await began.acquire()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sorted(cancelled) == [1, 2]


async def test_an_error_of_the_provider_ends_the_run(script: ScriptedProvider) -> None:
    script.add(ADD, betterai.OverloadedError("busy", status=503))
    stream = betterai.stream_tools(ANY, "Go.", tools=[add])
    with pytest.raises(betterai.OverloadedError, match="busy"):
        await stream
    assert stream.run.steps[0].outcomes[0].result.text == "3"
    assert (stream.run.finished, len(stream.run.messages)) == (False, 3)
    with pytest.raises(BetterAIError, match="not ended"):
        _ = stream.response


async def test_a_run_ends_after_its_last_step_and_can_be_gone_on_with(script: ScriptedProvider) -> None:
    script.add(ADD, ADD, "3")
    ran = len(THREADS)
    with pytest.raises(StepLimitReached, match="after 2 steps") as caught:
        await betterai.run_tools(ANY, "Add.", tools=[add], max_steps=2)
    run = caught.value.run
    assert run is not None
    assert (len(run.steps), run.finished, len(THREADS) - ran) == (2, False, 1)
    assert run.messages[-1].tool_calls
    more = await betterai.run_tools(ANY, run.messages, tools=[add], max_steps=1)
    assert [message.role for message in more.messages[-3:]] == ["assistant", "tool", "assistant"]
    assert more.content == "3"


async def test_a_history_that_is_answered_in_part_is_answered_to_its_end(script: ScriptedProvider) -> None:
    script.add("done")
    asked = Message(role="assistant", parts=tuple(ToolCall(id=i, name="add", arguments='{"a":1,"b":1}') for i in "xyz"))
    run = await betterai.run_tools(ANY, [Message.user("Go."), asked, Message.tool("y", "2")], tools=[add])
    assert [part.id for part in run.messages[3].parts if isinstance(part, ToolResult)] == ["x", "z"]


@pytest.mark.parametrize("choice", ["required", "add", betterai.ToolChoice(mode="required", names=("add",))])
async def test_a_forced_call_is_forced_once(script: ScriptedProvider, choice: Any) -> None:
    script.add(ADD, "3")
    await betterai.run_tools(ANY, "Add.", tools=[add], tool_choice=choice)
    assert [call.settings.tool_choice for call in script.calls] == [choice, "auto"]


async def test_a_choice_among_some_stays_one_among_them(script: ScriptedProvider) -> None:
    script.add(ADD, "3")
    forced = betterai.ToolChoice(mode="required", names=("add", "fail"))
    await betterai.run_tools(ANY, "Add.", tools=[add, fail], tool_choice=forced)
    assert script.calls[1].settings.tool_choice == betterai.ToolChoice(names=("add", "fail"))


@pytest.mark.parametrize("choice", ["auto", "none", None])
async def test_a_free_choice_stays_as_it_is(script: ScriptedProvider, choice: Any) -> None:
    script.add(ADD, "3")
    await betterai.run_tools(ANY, "Add.", tools=[add], tool_choice=choice)
    assert [call.settings.given()["tool_choice"] for call in script.calls] == [choice, choice]


async def test_the_echo_ends_a_run_that_was_forced() -> None:
    run = await betterai.run_tools("local/echo", "Hello", tools=[add], tool_choice="required")
    assert len(run.steps) == 2
    assert run.content.startswith("add returned: ")


@pytest.mark.parametrize("word", ["length", "content_filter", "error"])
async def test_x10_calls_of_an_answer_that_was_cut_off_are_not_run(script: ScriptedProvider, word: str) -> None:
    script.add({**ADD, "finish_reason": word})
    ran = len(THREADS)
    with pytest.raises(betterai.OutputInvalidError, match=f"cut off \\({word}\\)") as caught:
        await betterai.run_tools(ANY, "Add.", tools=[add])
    assert caught.value.response is not None
    assert ("max_tokens" in str(caught.value)) is (word == "length")
    assert len(THREADS) == ran


async def test_a_pause_is_gone_on_with(script: ScriptedProvider) -> None:
    script.add({"text": "Let me see", "finish_reason": "pause"}, "and done.")
    run = await betterai.run_tools(ANY, "Go.", tools=[add])
    assert [message.text for message in run.messages] == ["Go.", "Let me see", "and done."]
    script.add({"text": "…", "finish_reason": "pause"})
    with pytest.raises(StepLimitReached):
        await betterai.run_tools(ANY, "Go.", max_steps=1)


async def test_a_pause_within_an_answer_in_a_shape_is_not_read_as_one(script: ScriptedProvider) -> None:
    script.add({"text": "[1, ", "finish_reason": "pause"}, "[1, 2]")
    run = await betterai.run_tools(ANY, "Go.", response_format=list[int])
    assert [step.response.parsed for step in run.steps] == [None, [1, 2]]


async def test_calls_that_the_provider_runs_are_left_to_it() -> None:
    class Searches(betterai.BaseTextProvider):
        def __init__(self, **_: Any) -> None: ...

        async def generate(self, messages: Any, model: str, settings: Any) -> betterai.ProviderResponse:
            call = ToolCall(id="s", name="add", arguments='{"a": 1, "b": 1}', server=True)
            message = Message(role="assistant", parts=(call, ToolResult(id="s"), Text(text="Found.")))
            return betterai.ProviderResponse(content="Found.", model=model, message=message, finish_reason="stop")

    betterai.register_text_provider("searches", Searches, replace=True)
    run = await betterai.run_tools("searches/any", "Go.", tools=[add])
    assert (run.content, len(run.steps), run.steps[0].outcomes) == ("Found.", 1, ())


@pytest.mark.parametrize("is_async", [False, True])
async def test_each_call_can_be_approved(script: ScriptedProvider, is_async: bool) -> None:
    asked: list[str] = []

    def approve(call: ToolCall) -> bool:
        asked.append(call.arguments)
        return json.loads(call.arguments)["a"] == 1

    async def approve_later(call: ToolCall) -> bool:
        return approve(call)

    script.add(calls(("add", {"a": 1, "b": 1}), ("add", {"a": 2, "b": 1})), "done")
    run = await betterai.run_tools(ANY, "Go.", tools=[add], approve=approve_later if is_async else approve)
    assert len(asked) == 2
    results = [outcome.result for outcome in run.steps[0].outcomes]
    assert [result.is_error for result in results] == [False, True]
    assert results[1].text == "PermissionError: this call was not allowed"


async def test_media_of_a_tool_is_media_for_the_model(script: ScriptedProvider) -> None:
    picture = Media(kind="image", mime_type="image/png", data=b"1")

    @betterai.tool
    def draw() -> list[str | Media]:
        return ["Here:", picture]

    script.add(calls(("draw", {})), "Nice.")
    await betterai.run_tools(ANY, "Draw.", tools=[draw])
    result = script.calls[1].messages[-1].parts[0]
    assert isinstance(result, ToolResult)
    assert result.parts == (Text(text="Here:"), MediaPart(media=picture))


@pytest.mark.parametrize("provider", ["openai/gpt-4o", "ollama/llama3"])
@pytest.mark.parametrize("streaming", [False, True])
async def test_media_goes_behind_the_results_where_they_may_hold_none(provider: str, streaming: bool) -> None:
    @betterai.tool
    def draw() -> list[str | Media]:
        return ["Here:", Media(kind="image", mime_type="image/png", data=b"1")]

    called = completion(None)
    asked = {"id": "c", "type": "function", "function": {"name": "draw", "arguments": "{}"}}
    called["choices"][0]["message"]["tool_calls"] = [asked, {**asked, "id": "d"}]
    events = call_events([(i, {**asked, "id": id}) for i, id in enumerate("cd")])
    script = [stream(events), stream(streamed())] if streaming else [reply(200, called), answer("Nice.")]
    with Upstream(*script) as upstream:
        config = betterai.CoreConfig(base_url=upstream.url, api_key="k", protocol="openai_chat")
        run = betterai.stream_tools(provider, "Draw.", tools=[draw], config=config)
        done = await (run.finish() if streaming else betterai.run_tools(provider, "Draw.", tools=[draw], config=config))
        assert len(upstream.requests) == 2
        sent = upstream.requests[1].body["messages"][2:]
    moved = provider.startswith("openai")
    assert [message["role"] for message in sent] == ["tool", "tool", "user"][: 2 + moved]
    assert ("image_url" in json.dumps(sent[:2])) is not moved
    if moved:
        assert json.dumps(sent[2]).count("image_url") == 4
    assert ("translated", "media") in {(w.code, w.field) for w in done.response.warnings} or not moved
    assert isinstance(done.messages[2].parts[0], ToolResult)
    assert any(isinstance(part, MediaPart) for part in done.messages[2].parts[0].parts), "the history has it as it was"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"tools": [betterai.Tool(name="x")]}, "the tool 'x' has no function"),
        ({"tools": [add, add]}, "two tools are called 'add'"),
        ({"tools": [len]}, "betterai.tool"),
        ({"max_steps": 0}, "max_steps must be"),
        ({"max_steps": True}, "max_steps must be"),
        ({"n": 2}, "n must be 1"),
    ],
)
async def test_what_cannot_be_run_is_refused_before_it_is_sent(
    script: ScriptedProvider, arguments: Any, said: str
) -> None:
    with pytest.raises(ValidationError, match=said):
        await betterai.run_tools(ANY, "Go.", **arguments)
    assert script.calls == []


async def test_a_run_without_tools_is_one_answer(script: ScriptedProvider) -> None:
    script.add("Hello.")
    run = await betterai.run_tools(ANY, "Hi.")
    assert (run.content, len(run.steps)) == ("Hello.", 1)


# ── streams ──


async def test_a_stream_has_the_chunks_of_all_answers_and_the_results_between(script: ScriptedProvider) -> None:
    script.add({**ADD, "text": "Let me add."}, {"pieces": ["It", " is 3."]})
    seen: list[str] = []
    async with betterai.stream_tools(ANY, "Add.", tools=[add]) as stream:
        async for chunk in stream:
            if isinstance(chunk.part, ToolResult):
                seen.append(f"[{chunk.part.text}]")
            elif isinstance(chunk.part, ToolCall):
                seen.append(chunk.part.name)
            elif chunk.content:
                seen.append(chunk.content)
            if chunk.response is not None:
                seen.append(f"<{chunk.response.content}>")
            assert stream.partial.content in ("Let me add.", "It is 3.") or not chunk.response
    assert "".join(seen) == "Let me add.add<Let me add.>[3]It is 3.<It is 3.>"
    assert stream.response.content == "It is 3."
    assert (stream.run.finished, len(stream.run.steps)) == (True, 2)


async def test_a_stream_and_a_run_are_the_same(script: ScriptedProvider) -> None:
    for _ in range(2):
        script.add(ADD, {"text": "3", "reasoning": "I add."})
    one = await betterai.run_tools(ANY, "Add.", tools=[add])
    other = await betterai.stream_tools(ANY, "Add.", tools=[add]).finish()
    assert one.messages == other.messages
    assert one.usage == other.usage


async def test_leaving_a_stream_closes_what_it_reads() -> None:
    events = [delta(role="assistant"), delta("Hel"), delta("lo")]
    with Upstream(stream(events, "hold")) as upstream:
        config = betterai.CoreConfig(base_url=upstream.url, api_key="k", protocol="openai_chat")
        async with betterai.stream_tools("openai/gpt-4o", "Hi", tools=[add], config=config) as run:
            async for chunk in run:
                if chunk.content:
                    break
        await upstream.until(lambda: upstream.left == 1)
    assert run.run.steps == ()


async def test_s7_streams_that_are_abandoned_close_what_they_read() -> None:
    async def abandon(talk: betterai.Conversation) -> None:
        async for chunk in talk.stream("Hi"):
            if chunk.content:
                break

    with Upstream(stream([delta("Hel")], "hold")) as upstream:
        config = betterai.CoreConfig(base_url=upstream.url, api_key="k", protocol="openai_chat")
        talks = [betterai.Conversation("openai/gpt-4o", tools=[add], config=config) for _ in range(20)]
        before = asyncio.all_tasks()
        await asyncio.gather(*map(abandon, talks))
        gc.collect()
        await upstream.until(lambda: upstream.left == 20)
        if closing := asyncio.all_tasks() - before:
            await asyncio.wait(closing, timeout=5)
        assert asyncio.all_tasks() == before
    assert all(talk.messages == [] and not talk._speaks for talk in talks)


async def test_a_person_may_be_asked_by_a_run_that_is_cancelled(script: ScriptedProvider) -> None:
    asked, answered = asyncio.Event(), []

    async def approve(call: ToolCall) -> bool:
        asked.set()
        await asyncio.Event().wait()
        return bool(answered)

    script.add(ADD)
    run = betterai.stream_tools(ANY, "Go.", tools=[add], approve=approve)
    task = asyncio.ensure_future(run.finish())
    await asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert run.run.messages[-1].tool_calls, "the call waits to be gone on with"


def call_events(pieces: list[tuple[int, dict[str, Any]]]) -> list[bytes]:
    events = [delta(role="assistant", content="")]
    events += [delta(tool_calls=[{"index": index, **fields}]) for index, fields in pieces]
    return [*events, delta(finish="tool_calls"), usage_event(), DONE]


@pytest.mark.parametrize("cut", range(1, 14, 3))
async def test_s1_parallel_calls_in_pieces_are_run_whole(cut: int) -> None:
    texts = [json.dumps({"a": n, "b": n}) for n in range(3)]
    heads = [(i, {"id": f"c{i}", "type": "function", "function": {"name": "add", "arguments": ""}}) for i in range(3)]
    pieces = [(i, {"function": {"arguments": text[:cut]}}) for i, text in enumerate(texts)]
    pieces += [(i, {"function": {"arguments": text[cut:]}}) for i, text in enumerate(texts)]
    with Upstream(stream(call_events([*heads, *pieces])), stream(streamed(["done"]))) as upstream:
        config = betterai.CoreConfig(base_url=upstream.url, api_key="k", protocol="openai_chat")
        run = await betterai.stream_tools("openai/gpt-4o", "Go.", tools=[add], config=config).finish()
        sent = upstream.requests[1].body["messages"][-3:]
    assert [message["content"] for message in sent] == ["0", "2", "4"]
    assert [message["tool_call_id"] for message in sent] == ["c0", "c1", "c2"]
    assert run.content == "done"


async def test_x10_calls_of_a_stream_that_broke_are_not_run() -> None:
    head = (0, {"id": "c", "type": "function", "function": {"name": "add", "arguments": '{"a": 1, "b": 2}'}})
    ran = len(THREADS)
    with Upstream(stream(call_events([head])[:2])) as upstream:
        config = betterai.CoreConfig(base_url=upstream.url, api_key="k", retries=0, protocol="openai_chat")
        run = betterai.stream_tools("openai/gpt-4o", "Go.", tools=[add], config=config)
        with pytest.raises(betterai.StreamInterrupted):
            await run
    assert (run.run.steps, len(THREADS)) == ((), ran)


class Mishap(Exception):
    pass


async def test_a_run_leaves_nothing_behind(script: ScriptedProvider) -> None:
    @betterai.tool
    def slip() -> None:
        raise Mishap

    script.add(calls(("slip", {})), "So be it.")
    run: Any = await betterai.run_tools(ANY, "Go.", tools=[slip])
    error = weakref.ref(run.steps[0].outcomes[0].error)
    assert error() is not None
    del run
    script.calls.clear()
    gc.collect()
    assert error() is None


def test_without_async(script: ScriptedProvider) -> None:
    script.add(ADD, "3", ADD, {"pieces": ["It is", " 3."]})
    assert betterai.sync.run_tools(ANY, "Add.", tools=[add]).content == "3"
    with betterai.sync.stream_tools(ANY, "Add.", tools=[add]) as stream:
        text = "".join(chunk.content for chunk in stream)
    assert (text, stream.response.content, len(stream.run.steps)) == ("It is 3.", "It is 3.", 2)


async def test_a_client_has_them_too(script: ScriptedProvider) -> None:
    script.add(ADD, "3", ADD, "3")
    async with betterai.Client() as client:
        assert (await client.run_tools(ANY, "Add.", tools=[add])).content == "3"
        assert (await client.stream_tools(ANY, "Add.", tools=[add])).content == "3"
