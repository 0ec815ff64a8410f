"""xAI's Responses: what its server runs by itself, what it costs, and what it does not take."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from betterai.core.message import ToolCall
from betterai.core.tools import CustomTool
from betterai.providers.xai import PROVIDER
from betterai.providers.xai.responses import XAIResponses
from wire.responses import body_of, dropped, event, make_call, model, parse, read, whole

CODEC = XAIResponses()
SEARCH = {
    "type": "custom_tool_call", "id": "ctc_1", "call_id": "xs_1", "name": "x_keyword_search", "input": '{"query":"q"}',
    "status": "completed",
}  # fmt: skip


def test_responses_come_first() -> None:
    assert list(PROVIDER.protocols["text"]) == ["openai_responses", "openai_chat"]


def test_a_search_of_x_is_not_for_the_caller() -> None:
    body = whole(SEARCH)
    response = parse(body, CODEC, make_call(of=model("xai")))
    events = [
        event("response.output_item.added", output_index=0, item=SEARCH),
        event("response.completed", response=body),
    ]
    chunks, streamed = read(events, CODEC, make_call(of=model("xai"), stream=True))
    (call,) = response.message.parts  # type: ignore[union-attr]
    assert isinstance(call, ToolCall)
    assert (call.server, response.finish_reason) == (True, "stop")
    assert streamed.message == response.message
    assert not any(chunk.tool_call for chunk in chunks)
    assert body_of(CODEC, make_call([response.message], of=model("xai")))["input"] == [SEARCH]  # type: ignore[list-item]


def test_a_custom_tool_of_the_caller_is() -> None:
    call = make_call(of=model("xai"), tools=[CustomTool(name="x_keyword_search")])
    assert parse(whole(SEARCH), CODEC, call).finish_reason == "tool_calls"


def test_the_cost_is_stated() -> None:
    stated = {"input_tokens": 10, "output_tokens": 5, "cost_in_usd_ticks": 25_000_000, "num_sources_used": 3}
    usage = parse(whole(usage=stated), CODEC).usage
    assert usage is not None
    assert (usage.stated_cost, usage.units) == (Decimal("0.0025"), {"source": 3.0})


def test_reasoning_models_take_sampling_settings() -> None:
    call: Any = make_call(of=model("xai", reasons="always", sampling="never"), temperature=0.5, verbosity="low")
    assert dropped(CODEC.build_request(call)) == ["verbosity"]
    assert body_of(CODEC, call)["temperature"] == 0.5
