"""`local/echo` as a model: text, tools, structured output, reasoning, limits, choices, usage and warnings."""

import json

import pytest
from msgspec import Raw

from betterai.core.exceptions import ModelNotFoundError, UnsupportedParam, ValidationError
from betterai.core.media import Media
from betterai.core.message import CacheMark, Message, Opaque, Reasoning, Text, ToolCall, ToolResult
from betterai.core.settings import (
    AudioOutput,
    GenerationSettings,
    PromptCache,
    ReasoningControl,
    StreamOptions,
    WebSearch,
)
from betterai.core.tools import CustomTool, JsonObject, JsonSchema, PlainText, ServerTool, Tool, ToolChoice
from betterai.core.usage import Usage
from betterai.providers.local import PROVIDER
from betterai.providers.local.models import FREE
from betterai.providers.local.text import LocalTextProvider

WEATHER = Tool(
    name="get_weather",
    parameters={
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 2}},
        "required": ["city"],
        "additionalProperties": False,
    },
)
CLOCK = Tool(name="clock")


async def ask(messages, model="echo", **settings):
    return await LocalTextProvider().generate(messages, model, GenerationSettings(**settings))


async def stream(messages, model="echo", **settings):
    chunks = LocalTextProvider().generate_stream(messages, model, GenerationSettings(**settings))
    return [chunk async for chunk in chunks]


def warned(response):
    return [warning.field for warning in response.warnings]


def test_the_declaration_names_all_models_and_needs_no_key():
    models = PROVIDER.models()
    assert {"echo", "eliza", "hashing"} <= set(models)
    assert all(model.price is FREE for model in models.values())
    assert all(model.key == f"local/{name}" for name, model in models.items())
    assert PROVIDER.embedded
    assert PROVIDER.settings == ()
    assert PROVIDER.defaults["text"] in models
    assert PROVIDER.protocols["text"]["local"] is LocalTextProvider


@pytest.mark.parametrize(
    "messages",
    [
        "say it back",
        Message.user("say it back"),
        [Message.system("be brief"), Message.user("first"), Message.assistant("a"), Message.user("say it back")],
        [{"role": "user", "content": "say it back"}],
        [{"role": "user", "content": [{"type": "text", "text": "say "}, {"type": "text", "text": "it back"}]}],
        [{"role": "user", "content": "say it back"}, {"role": "assistant", "content": "prefill"}],
    ],
)
async def test_says_the_last_user_message_back(messages):
    response = await ask(messages)
    assert response.content == "say it back"
    assert (response.model, response.provider, response.finish_reason) == ("echo", "local", "stop")
    assert response.message == Message.assistant("say it back")
    assert response.raw_finish_reason == "stop"


async def test_a_stream_comes_word_by_word_and_ends_with_what_generate_gives():
    chunks = await stream("one  two\nthree ")
    assert [chunk.content for chunk in chunks if chunk.content] == ["one", "  two", "\nthree "]
    assert [chunk.part for chunk in chunks if chunk.part] == [Text(text="one  two\nthree ")]
    assert [chunk.finish_reason for chunk in chunks if chunk.finish_reason] == ["stop"]
    assert [chunk.usage for chunk in chunks if chunk.usage] == [Usage(text_in=3, text_out=3, reasoning=0)]
    assert [bool(chunk.response) for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert chunks[-1].response == await ask("one  two\nthree ")
    assert {(chunk.model, chunk.id) for chunk in chunks} == {("echo", chunks[-1].response.id)}


async def test_the_model_may_come_with_its_provider():
    assert (await ask("x", model="local/echo")).model == "echo"


@pytest.mark.parametrize("model", ["ecko", "local/ecko"])
async def test_an_unknown_model_raises_and_names_the_near_one(model):
    with pytest.raises(ModelNotFoundError, match="echo") as caught:
        await ask("x", model=model)
    assert caught.value.model == model


async def test_usage_is_counted_once_a_token_and_costs_exactly_nothing():
    image = Media(kind="image", mime_type="image/png", data=b"123456789012")
    response = await ask([Message.system("two words"), Message.user("look here", image)], reasoning="low")
    assert response.usage == Usage(text_in=4, image_in=100, text_out=6, reasoning=5, source="provider")
    assert response.tokens_used == 115
    assert (response.cost.amount, response.cost.status) == (0, "exact")


@pytest.mark.parametrize(
    ("media", "said"),
    [
        (Media(kind="image", mime_type="image/png", data=b"x" * 12), "[image image/png, 12 bytes]"),
        (Media(kind="audio", mime_type="audio/wav", base64="AAAAAA=="), "[audio audio/wav, 4 bytes]"),
        (Media(kind="video", url="https://example.com/a.mp4"), "[video https://example.com/a.mp4]"),
        (Media(kind="document", file_id="file-1", mime_type="application/pdf"), "[document application/pdf, file-1]"),
    ],
)
async def test_media_is_described(media, said):
    response = await ask([Message.user("look", media)])
    assert response.content == f"look {said}"
    counted = {"image": "image_in", "audio": "audio_in", "video": "video_in"}.get(media.kind)
    assert counted is None or getattr(response.usage, counted) > 0
    assert response.usage.text_in == (1 if counted else 101)


async def test_media_in_dicts_is_described_too():
    content = [
        {"type": "text", "text": "see"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "low"}},
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "mp3"}},
        {"type": "file", "file": {"file_id": "file-9"}},
    ]
    response = await ask([{"role": "user", "content": content}])
    assert response.content == "see [image image/png, 3 bytes] [audio audio/mp3, 3 bytes] [document file-9]"


async def test_the_id_depends_on_the_conversation_alone():
    first, second, other = await ask("a"), await ask("a", seed=1, temperature=0.3), await ask("b")
    assert first.id == second.id != other.id
    assert first == second


# Tools


async def test_a_call_in_the_text_is_answered_with_fitting_arguments():
    response = await ask("please call get_weather.", tools=[WEATHER])
    (call,) = response.tool_calls
    assert call.name == "get_weather"
    assert call.parse_arguments() == {"city": "text", "days": 2}
    assert (response.finish_reason, response.content) == ("tool_calls", "")


async def test_given_arguments_are_passed_on_as_they_stand():
    text = 'call get_weather {"city":"Paris"} and call clock then call get_weather {"city": 3}'
    response = await ask(text, tools=[WEATHER, CLOCK])
    assert [(call.index, call.name, call.arguments.strip()) for call in response.tool_calls] == [
        (0, "get_weather", '{"city":"Paris"}'),
        (1, "clock", "{}"),
        (2, "get_weather", '{"city": 3}'),
    ]
    assert len({call.id for call in response.tool_calls}) == 3


async def test_parallel_tool_calls_false_leaves_one():
    response = await ask("call clock call get_weather", tools=[WEATHER, CLOCK], parallel_tool_calls=False)
    assert [call.name for call in response.tool_calls] == ["clock"]


@pytest.mark.parametrize(
    ("choice", "names"),
    [
        ("required", ["get_weather"]),
        ("clock", ["clock"]),
        (ToolChoice(mode="required", names=("clock",)), ["clock"]),
        (ToolChoice(names=("clock",)), ["clock"]),
        (ToolChoice(mode="required", allowed=({"type": "function", "function": {"name": "clock"}},)), ["clock"]),
        ("auto", []),
        ("none", []),
        (ToolChoice(), []),
        (None, []),
    ],
)
async def test_tool_choice_is_kept(choice, names):
    response = await ask("hello", tools=[WEATHER, CLOCK], tool_choice=choice)
    assert [call.name for call in response.tool_calls] == names
    assert response.content == ("" if names else "hello")


async def test_tool_choice_none_wins_over_the_text():
    assert (await ask("call clock", tools=[CLOCK], tool_choice="none")).content == "call clock"


@pytest.mark.parametrize("text", ["call nothing", "call", "recall clock", "a call to clock"])
async def test_a_text_that_names_no_tool_is_said_back(text):
    assert (await ask(text, tools=[CLOCK])).content == text


@pytest.mark.parametrize(
    ("settings", "near"),
    [
        ({"tool_choice": "required"}, "no tools"),
        ({"tool_choice": "clok", "tools": [CLOCK]}, "clock"),
        ({"tool_choice": ToolChoice(names=("get_wether",)), "tools": [WEATHER]}, "get_weather"),
    ],
)
async def test_a_tool_choice_that_cannot_be_kept_raises(settings, near):
    with pytest.raises(ValidationError, match=near):
        await ask("x", **settings)


async def test_a_server_tool_raises():
    with pytest.raises(UnsupportedParam) as caught:
        await ask("x", tools=[ServerTool(type="code_execution")])
    assert caught.value.param == "tools"


async def test_a_custom_tool_gets_text():
    (call,) = (await ask("run this", tools=[CustomTool(name="shell")], tool_choice="shell")).tool_calls
    assert (call.kind, call.arguments) == ("custom", "run this")


async def test_streamed_calls_begin_with_id_and_name_and_join_to_the_finished_part():
    chunks = await stream("call get_weather call clock", tools=[WEATHER, CLOCK])
    parts = [chunk.part for chunk in chunks if chunk.part]
    deltas = [chunk.tool_call for chunk in chunks if chunk.tool_call]
    assert [part.name for part in parts] == ["get_weather", "clock"]
    for part in parts:
        first, *rest = [delta for delta in deltas if delta.index == part.index]
        assert (first.id, first.name, first.arguments) == (part.id, part.name, "")
        assert len(rest) >= 2
        assert all(delta.id == delta.name == "" for delta in rest)
        assert "".join(delta.arguments for delta in rest) == part.arguments
    assert chunks[-1].response.message.parts == tuple(parts)


async def test_tool_results_are_quoted():
    call = ToolCall(id="c1", name="get_weather", arguments="{}")
    messages = [
        Message.user("call get_weather"),
        Message(role="assistant", parts=(call, ToolCall(id="c2", name="clock"))),
        Message.tool("c1", "21 °C"),
        Message.tool("c2", "no such clock", is_error=True),
    ]
    response = await ask(messages, tools=[WEATHER, CLOCK], tool_choice="required")
    assert response.content == "get_weather returned: 21 °C\nclock failed: no such clock"
    assert response.finish_reason == "stop"


async def test_tool_results_in_dicts_and_inside_a_user_message():
    dicts = [
        {"role": "user", "content": "call clock"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "clock", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "noon"},
    ]
    assert (await ask(dicts, tools=[CLOCK])).content == "clock returned: noon"
    result = ToolResult(id="x", name="clock", parts=(Text(text="noon"),))
    assert (await ask([Message(role="user", parts=(result,))])).content == "clock returned: noon"


# Structured output


async def test_a_schema_is_answered_with_json_that_fits():
    schema = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]}
    for shape in (JsonSchema(schema=schema), schema):
        assert json.loads((await ask("x", response_format=shape)).content) == {"ok": True}


async def test_a_json_object_holds_the_echo():
    assert json.loads((await ask('say "hi"', response_format=JsonObject())).content) == {"echo": 'say "hi"'}
    assert json.loads((await ask("hi", response_format=JsonSchema())).content) == {"echo": "hi"}
    assert (await ask("hi", response_format=PlainText())).content == "hi"


async def test_a_type_is_refused_for_the_runner_makes_schemas_of_types():
    with pytest.raises(UnsupportedParam) as caught:
        await ask("x", response_format=int)
    assert caught.value.param == "response_format"


# Reasoning


@pytest.mark.parametrize("wish", ["none", False, 0, ReasoningControl(enabled=False, effort="high"), ReasoningControl()])
async def test_no_reasoning_where_it_is_off(wish):
    response = await ask("x", reasoning=wish)
    assert response.reasoning == ""
    assert response.usage.reasoning == 0


async def test_reasoning_comes_before_the_text_and_grows_with_the_effort():
    chunks = await stream("x y", reasoning="high")
    parts = [chunk.part for chunk in chunks if chunk.part]
    thoughts = "".join(chunk.reasoning for chunk in chunks)
    assert parts == [Reasoning(text=thoughts), Text(text="x y")]
    last_thought = max(i for i, chunk in enumerate(chunks) if chunk.reasoning)
    assert last_thought < min(i for i, chunk in enumerate(chunks) if chunk.content)
    low, medium = await ask("x y", reasoning="low"), await ask("x y", reasoning=True)
    assert 0 < low.usage.reasoning < medium.usage.reasoning < chunks[-1].response.usage.reasoning


async def test_a_budget_bounds_the_reasoning_and_hidden_reasoning_is_counted():
    bounded = await ask("x", reasoning=3)
    assert bounded.usage.reasoning == 3
    assert bounded.reasoning == "The user wrote"
    hidden = await ask("x", reasoning=ReasoningControl(effort="low", include=False))
    assert hidden.reasoning == ""
    assert hidden.usage.reasoning > 0


async def test_an_unknown_effort_raises():
    with pytest.raises(ValidationError, match="medium"):
        await ask("x", reasoning="medum")


# Limits


async def test_max_tokens_counts_words():
    response = await ask("a b c d", max_tokens=2)
    assert (response.content, response.finish_reason, response.usage.text_out) == ("a b", "length", 2)
    assert (await ask("a b c d", max_tokens=4)).finish_reason == "stop"


async def test_max_tokens_counts_reasoning_and_cuts_tool_calls():
    cut = await ask("a b", reasoning="low", max_tokens=6)
    assert (cut.content, cut.usage.output_tokens, cut.finish_reason) == ("a", 6, "length")
    call = await ask('call clock {"a": 1, "b": 2}', tools=[CLOCK], max_tokens=3)
    assert call.tool_calls[0].arguments.strip() == '{"a": 1,'
    assert (call.finish_reason, call.usage.text_out) == ("length", 3)
    assert (await ask("call clock call clock", tools=[CLOCK], max_tokens=2)).tool_calls[1:] == ()


@pytest.mark.parametrize(("stop", "left"), [("c", "a b "), (["zz", " b", "c"], "a"), ("nope", "a b c d"), ("a", "")])
async def test_stop_sequences_end_the_text(stop, left):
    response = await ask("a b c d", stop=stop)
    assert (response.content, response.finish_reason) == (left, "stop")


@pytest.mark.parametrize("settings", [{"max_tokens": 0}, {"n": 0}, {"stop": ""}, {"stop": [3]}, {"reasoning": -1}])
async def test_senseless_limits_raise(settings):
    with pytest.raises(ValidationError):
        await ask("x", **settings)


async def test_several_choices():
    chunks = await stream("a b", n=3)
    response = chunks[-1].response
    for choice in range(3):
        mine = [chunk for chunk in chunks if chunk.choice == choice]
        assert "".join(chunk.content for chunk in mine) == "a b"
        assert sum(chunk.finish_reason is not None for chunk in mine) == 1
        assert sum(chunk.part is not None for chunk in mine) == 1
    assert sum(chunk.usage is not None for chunk in chunks) == 1
    assert [answer.content for answer in response.alternatives] == ["a b", "a b"]
    assert response.usage == Usage(text_in=2, text_out=6, reasoning=0)
    assert response == await ask("a b", n=3)
    calls = (await ask("call clock", tools=[CLOCK], n=2)).alternatives[0].tool_calls
    assert calls[0].id != (await ask("call clock", tools=[CLOCK])).tool_calls[0].id


async def test_logprobs_one_a_word():
    chunks = await stream("é b", logprobs=True, top_logprobs=3)
    tokens = [token for chunk in chunks for token in chunk.logprobs or ()]
    assert [token.token for token in tokens] == ["é", " b"]
    assert tokens[0].bytes == (0xC3, 0xA9)
    assert [len({top.token for top in token.top_logprobs}) for token in tokens] == [3, 3]
    assert tokens[0].top_logprobs[0].logprob == tokens[0].logprob > tokens[0].top_logprobs[1].logprob
    assert chunks[-1].response.logprobs == tuple(tokens)
    assert (await ask("a")).logprobs is None


async def test_logprobs_with_chunks_of_characters_lose_no_word():
    chunks = await stream("one two three", logprobs=True, options={"local": {"chunk_size": 2}})
    tokens = [token.token for chunk in chunks for token in chunk.logprobs or ()]
    assert tokens == ["one", " two", " three"]


async def test_a_stream_without_usage_has_none_and_no_cost():
    chunks = await stream("a", stream_options=StreamOptions(include_usage=False))
    response = chunks[-1].response
    assert all(chunk.usage is None for chunk in chunks)
    assert len(chunks) == len(await stream("a")) - 1
    assert (response.usage, response.tokens_used, response.cost.amount) == (None, None, None)
    assert (await ask("a", stream_options=StreamOptions(include_usage=False))).usage is not None


# Warnings

WITHOUT_EFFECT = {
    "frequency_penalty": 1.0,
    "presence_penalty": 1.0,
    "logit_bias": {"1": 2.0},
    "verbosity": "low",
    "modalities": ["text", "audio"],
    "audio": AudioOutput(voice="x"),
    "prediction": "x",
    "cache": PromptCache(key="k"),
    "web_search": WebSearch(),
    "moderation": {"model": "x"},
    "service_tier": "flex",
    "store": True,
    "metadata": {"a": "b"},
    "user": "u",
    "safety_identifier": "s",
    "extra_body": {"a": 1},
    "extra_headers": {"a": "b"},
    "extra_query": {"a": "b"},
}
WITH_EFFECT = {
    "temperature": 1.0,
    "top_p": 0.5,
    "top_k": 3,
    "min_p": 0.1,
    "seed": 7,
    "max_tokens": 9,
    "stop": "q",
    "n": 1,
    "logprobs": True,
    "top_logprobs": 2,
    "tools": [CLOCK],
    "tool_choice": "auto",
    "parallel_tool_calls": True,
    "response_format": PlainText(),
    "reasoning": "low",
    "stream_options": StreamOptions(include_usage=True),
    "options": {"local": {}, "another": {"a": 1}},
    "spelling": frozenset(),
}


def test_every_setting_is_either_kept_or_warned_of():
    assert set(WITHOUT_EFFECT) | set(WITH_EFFECT) == set(GenerationSettings.__fields__)


@pytest.mark.parametrize("name", WITHOUT_EFFECT)
async def test_what_has_no_effect_is_reported_once(name):
    response = await ask("x", **{name: WITHOUT_EFFECT[name]})
    assert warned(response) == [name]
    assert response.warnings[0].code == "dropped"


@pytest.mark.parametrize("name", WITH_EFFECT)
async def test_what_is_kept_is_not_reported(name):
    assert warned(await ask("x", **{name: WITH_EFFECT[name]})) == []


async def test_what_asks_for_nothing_is_not_reported():
    nothing = {"web_search": False, "store": False, "metadata": {}, "audio": None, "modalities": ["text"], "user": None}
    assert warned(await ask("x", **nothing)) == []


async def test_marks_of_other_protocols_are_reported_where_they_stand():
    opaque = Opaque(protocol="other", data=Raw(b"{}"))
    parts = (Text(text="a", cache=CacheMark()), Text(text="b", opaque=opaque))
    response = await ask([Message(role="user", parts=parts, opaque=opaque)])
    assert warned(response) == ["/messages/0/opaque", "/messages/0/parts/0/cache", "/messages/0/parts/1/opaque"]
    tool = Tool(name="clock", cache=CacheMark())
    assert warned(await ask("x", tools=[tool])) == ["tools"]
    assert warned(await ask("x", reasoning=ReasoningControl(effort="low", summary="auto", format="raw"))) == [
        "reasoning.summary",
        "reasoning.format",
    ]


async def test_a_conversation_that_is_none_raises():
    with pytest.raises(ValidationError, match="empty"):
        await ask([])
