"""T5 to T7: what is not set is not sent, what is falsy is, and what nobody has heard of goes through both ways."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import product
from typing import Any

from msgspec import UNSET

from betterai.core.exceptions import UnsupportedParam
from betterai.core.response import ProviderResponse
from betterai.core.settings import GenerationSettings, PromptCache, ReasoningControl, StreamOptions
from betterai.core.tools import Tool
from contract.cases import SETTINGS, TEXT_CODECS, Case, build, over, visible
from contract.doubles import Said
from contract.reading import double_of, read_stream
from contract.test_calls import KEY, connect, no_variables
from contract.test_settings import is_reported, outcome
from runtime.upstream import Upstream, reply, stream
from together import each

__all__ = ["no_variables"]
OVER_ALL = over(TEXT_CODECS)

BARE: Mapping[str, frozenset[str]] = {
    "openai_chat": frozenset({"model", "messages"}),
    "openai_responses": frozenset({"model", "input"}),
    "anthropic_messages": frozenset({"model", "messages", "max_tokens"}),
    "gemini": frozenset({"contents"}),
    "bedrock_converse": frozenset({"messages"}),
    "cohere_chat": frozenset({"model", "messages"}),
    "ollama_chat": frozenset({"model", "messages"}),
}
"""What each protocol cannot do without: `max_tokens` of Messages is documented in docs/decisions."""
DOCUMENTED: Mapping[str, frozenset[str]] = {"vertex-text-anthropic_messages": frozenset({"anthropic_version"})}
"""What single vendors must be sent beside it."""
TURNED = frozenset({"/headers/anthropic-version"})
"""The older version of the protocol, in which sampling may be set, where a sampling setting is given at all."""
STREAMED = frozenset({"stream", "stream_options"})


@OVER_ALL
@each("streaming", [False, True], ids=["whole", "stream"])
def test_t5_a_golden_body_holds_nothing_that_was_not_asked_for(case: Case, streaming: bool) -> None:
    request = build(case, stream=streaming)
    assert isinstance(request.body, bytes)
    body = json.loads(request.body)
    allowed = BARE[case.protocol] | DOCUMENTED.get(str(case), frozenset()) | STREAMED
    assert body.keys() <= allowed
    assert None not in body.values()
    assert streaming or body.get("stream", False) is False


@OVER_ALL
def test_t5_an_explicit_none_is_null_or_reported_and_unset_is_nothing(case: Case) -> None:
    bare = visible(build(case))
    for name in SETTINGS:
        assert visible(build(case, **{name: UNSET})) == bare, name
        said = visible(build(case, **{name: None}))
        assert said.keys() >= bare.keys(), name
        assert {leaf for place, leaf in said.items() if bare.get(place) != leaf and place not in TURNED} <= {None}, name


FALSY: Mapping[str, tuple[Any, ...]] = {
    "temperature": (0, 0.0), "top_p": (0, 0.0), "top_k": (0,), "min_p": (0.0,), "max_tokens": (0,), "seed": (0,),
    "n": (0,), "frequency_penalty": (0, 0.0), "presence_penalty": (0.0,), "logprobs": (False,), "top_logprobs": (0,),
    "parallel_tool_calls": (False,), "reasoning": (0, False, ""), "verbosity": ("",), "service_tier": ("",),
    "store": (False,), "user": ("",), "safety_identifier": ("",), "stop": ("", [""]), "prediction": ("",),
    "tool_choice": ("",),
}  # fmt: skip


@OVER_ALL
def test_t6_a_falsy_value_is_a_value(case: Case) -> None:
    for name, values in FALSY.items():
        for value, streaming in product(values, (False, True)):
            assert outcome(case, name, value, stream=streaming) in ("sent", "reported", "refused"), (name, value)


NESTED: tuple[tuple[str, Any, Any], ...] = (
    *(("reasoning", UNSET, ReasoningControl(**{name: value})) for name, value in {"budget": 0, "enabled": False, "effort": ""}.items()),
    *(("cache", UNSET, PromptCache(**{name: ""})) for name in ("key", "ttl", "mode")),
    ("tools", [Tool(name="a")], [Tool(name="a", description="")]),
    ("tools", [Tool(name="a", strict=True)], [Tool(name="a", strict=False)]),
)  # fmt: skip


@OVER_ALL
def test_t6_a_falsy_part_of_a_setting_is_a_value(case: Case) -> None:
    for name, less, more in NESTED:
        try:
            request = build(case, **{name: more})
        except UnsupportedParam as error:
            assert is_reported(name, [error.param])  # noqa: PT017 - or it is not refused
            continue
        reported = is_reported(name, [warning.field for warning in request.warnings])
        assert reported or visible(request) != visible(build(case, **{name: less})), more


@OVER_ALL
def test_t6_no_usage_in_a_stream_can_be_asked_for(case: Case) -> None:
    plain = visible(build(case, stream=True))
    request = build(case, stream=True, stream_options=StreamOptions(include_usage=False))
    asked = [place for place, leaf in plain.items() if place.endswith("include_usage") and leaf is True]
    assert not asked or asked[0] not in visible(request) or visible(request)[asked[0]] is False


MORE = {"unheard_of": {"deep": [1, None, "ü", 1.5], "empty": ""}}
EXTRAS: Mapping[str, Any] = {
    "extra_body": {"brand_new": {"deep": [0, None, ""]}},
    "extra_headers": {"X-Brand-New": "yes", "X-Empty": ""},
    "extra_query": {"brand-new": "a b&c", "empty": ""},
}


async def ask(case: Case, url: str, *, streaming: bool) -> ProviderResponse:
    provider, given = connect(case, url), GenerationSettings(**EXTRAS)
    if not streaming:
        return await provider.generate("Hello", "", given)
    chunks = [chunk async for chunk in provider.generate_stream("Hello", "", given)]
    assert chunks[-1].response is not None
    return chunks[-1].response


@OVER_ALL
async def test_t7_extras_reach_the_wire_and_unknown_fields_come_back(case: Case) -> None:
    double, said = double_of(case), Said(text="Hello", more=MORE)
    kind = {"content-type": "application/vnd.amazon.eventstream"} if case.protocol == "bedrock_converse" else {}
    with Upstream(reply(200, double.whole(said)), stream(double.events(said), headers=kind)) as upstream:
        whole = await ask(case, upstream.url, streaming=False)
        streamed = await ask(case, upstream.url, streaming=True)
        for request in upstream.requests:
            assert request.body["brand_new"] == EXTRAS["extra_body"]["brand_new"]
            assert {name: request.headers[name] for name in EXTRAS["extra_headers"]} == EXTRAS["extra_headers"]
            assert {name: request.query[name] for name in EXTRAS["extra_query"]} == EXTRAS["extra_query"]
            assert KEY in repr((request.headers, request.query))
    assert whole.raw == double.whole(said)
    assert (whole.content, streamed.content) == ("Hello", "Hello")


@OVER_ALL
def test_t7_unknown_fields_of_an_event_are_kept_where_it_says_something(case: Case) -> None:
    chunks, _ = read_stream(case, double_of(case).events(Said(text="Hello")))
    shown = [chunk for chunk in chunks if chunk.content]
    assert "".join(chunk.content for chunk in shown) == "Hello"
    assert all("Hello" in json.dumps(chunk.raw) for chunk in shown)
