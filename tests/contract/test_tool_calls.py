"""S1: three parallel calls of tools come out of every protocol as they went in, wherever their arguments are cut."""

from __future__ import annotations

import json
from typing import Any

from betterai.core.message import ToolCall
from betterai.core.response import TextChunk, ToolCallDelta
from betterai.wire.surfaces import SURFACES
from contract.answers import call_of, surface_of
from contract.cases import TEXT_CODECS, Case, over
from contract.doubles import Asked, Said
from contract.reading import double_of, read_steps, read_stream, stream_of, whole_of

ARGUMENTS = ('{"city":"Zürich","days":[1,2]}', '{"q":"a \\"b\\" \\u00fc","deep":{"x":null}}', '{"n":1.50,"ok":true}')
CUTS = [(which, place) for which, text in enumerate(ARGUMENTS) for place in range(1, len(text.encode()))]
IDS = ("call_a", "call_b", "call_c")
NAMES = ("weather", "search", "add")
OVER_ALL = over(TEXT_CODECS)


def cut_in_two(text: str, place: int) -> tuple[str, ...]:
    """Cut at a byte; inside of a letter, which no JSON text can be, at the letter's beginning."""
    head = text.encode()[:place].decode(errors="ignore")
    return (head, text[len(head) :])


def three_calls(which: int, place: int) -> Said:
    pieces = [cut_in_two(text, place) if index == which else (text,) for index, text in enumerate(ARGUMENTS)]
    return Said(asked=tuple(Asked(*item) for item in zip(IDS, NAMES, pieces, strict=True)))


def gather(deltas: list[ToolCallDelta]) -> list[tuple[str, str, str]]:
    """What a program makes of the deltas that it is shown: ids, names, arguments, by index."""
    calls: dict[int, list[str]] = {}
    for delta in deltas:
        call = calls.setdefault(delta.index, ["", "", ""])
        assert not (delta.id and call[0]) or delta.id == call[0]
        assert not (delta.name and call[1]) or delta.name == call[1]
        call[:] = [call[0] or delta.id, call[1] or delta.name, call[2] + delta.arguments]
    assert sorted(calls) == list(calls) == list(range(len(calls)))
    return [(id, name, text) for id, name, text in calls.values()]


def check(calls: tuple[ToolCall, ...], deltas: list[ToolCallDelta]) -> None:
    values = [json.loads(text) for text in ARGUMENTS]
    assert [(call.index, call.id, call.name) for call in calls] == list(zip(range(3), IDS, NAMES, strict=True))
    assert [json.loads(call.arguments) for call in calls] == values
    shown = gather(deltas)
    assert [(id, name) for id, name, _ in shown] == list(zip(IDS, NAMES, strict=True))
    assert [json.loads(text) for _, _, text in shown] == values


def deltas_of(chunks: list[TextChunk]) -> list[ToolCallDelta]:
    return [chunk.tool_call for chunk in chunks if chunk.tool_call is not None]


@OVER_ALL
def test_s1_three_calls_cut_at_each_byte_come_out_whole(case: Case) -> None:
    for which, place in CUTS:
        chunks, response = stream_of(case, three_calls(which, place))
        check(response.tool_calls, deltas_of(chunks))
        assert response.finish_reason == "tool_calls"


@OVER_ALL
def test_s1_a_stream_and_a_whole_reply_give_the_same_calls(case: Case) -> None:
    said = three_calls(1, 9)
    whole, (_, streamed) = whole_of(case, said), stream_of(case, said)
    assert whole.finish_reason == streamed.finish_reason == "tool_calls"
    assert [(call.index, call.id, call.name, call.parse_arguments()) for call in whole.tool_calls] == [
        (call.index, call.id, call.name, call.parse_arguments()) for call in streamed.tool_calls
    ]


@OVER_ALL
def test_s1_the_first_piece_is_shown_before_the_last_is_sent(case: Case) -> None:
    events = list(double_of(case).events(three_calls(2, 3)))
    steps = list(read_steps(case, events))
    first = next(place for place, chunks in enumerate(steps) if deltas_of(chunks))
    last = max(place for place, event in enumerate(events) if b"add" in event or b"1.5" in event or b"true" in event)
    assert first < last


@OVER_ALL
def test_s1_network_pieces_of_one_byte_change_nothing(case: Case) -> None:
    stream = b"".join(double_of(case).events(three_calls(0, 11)))
    chunks, response = read_stream(case, (stream[place : place + 1] for place in range(len(stream))))
    check(response.tool_calls, deltas_of(chunks))


@over(case for case in TEXT_CODECS if case.protocol in SURFACES)
def test_s1_a_server_of_ours_passes_on_each_piece(case: Case) -> None:
    """The other half: chunks of any provider, their arguments cut, as events of the protocol."""
    for which, place in CUTS[::3]:
        said = three_calls(which, place)
        items = [
            TextChunk(tool_call=ToolCallDelta(index=index, id=item.id * (not turn), name=item.name * (not turn), arguments=piece))
            for index, item in enumerate(said.asked)
            for turn, piece in enumerate(item.pieces)
        ]  # fmt: skip
        parts = [
            TextChunk(part=ToolCall(index=index, id=item.id, name=item.name, arguments=item.arguments))
            for index, item in enumerate(said.asked)
        ]
        end = TextChunk(finish_reason="tool_calls", raw_finish_reason="tool_calls")
        surface, state = surface_of(case), dict[str, Any]()
        events = [surface.build_event(call_of(case), item, state) for item in (*items, *parts, end, None)]
        chunks, response = read_stream(case, events)
        check(response.tool_calls, deltas_of(chunks))
