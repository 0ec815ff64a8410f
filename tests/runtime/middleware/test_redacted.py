"""Redaction: what is found, what is sent, and what comes back."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncGenerator
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import betterai
from betterai import Citation, GenerationSettings, Media, Message, Redacted, Text, TextChunk, ToolCall, ToolResult
from betterai.runtime.middleware.patterns import PATTERNS
from betterai.runtime.middleware.redaction import Redaction, Shifts
from betterai.runtime.middleware.restoring import StreamRestorer, TextRestorer
from betterai.testing import scripted
from together import each

ADA = "ada@example.com"

FOUND = {
    "email": [ADA, "Bob.O'Brien+tag@mail.example.co.uk", "jörg@münchen.de"],
    "card": ["4111 1111 1111 1111", "5500-0000-0000-0004", "378282246310005"],
    "iban": [
        "DE89 3704 0044 0532 0130 00", "GB82WEST12345698765432", "AL47 2121 1009 0000 0002 3569 8741",
        "de89370400440532013000",
    ],
    "ip": ["192.168.1.10", "2001:db8::1", "fe80::1ff:fe23:4567:890a"],
    "phone": [
        "+49 30 1234567", "+1 (555) 123-4567", "(555) 123-4567", "555-123-4567", "1-800-555-1234", "0171/1234567",
        "0044 20 7183 8750",
    ],
    "key": [
        "sk-proj-abcdefghijklmnopqrstuvwx", "ghp_abcdefghijklmnopqrstuvwxyz0123456789AB", "AKIAIOSFODNN7EXAMPLE",
        "AIzaSyA1234567890abcdefghijklmnopqrstuv", "xoxb-123456789012-abcdef",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abcdefghijklmnop",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA+/abcdef=\n-----END RSA PRIVATE KEY-----",
    ],
}  # fmt: skip
NOT_FOUND = [
    "2024-01-15 12:30:45", "v10.0.19041.388", "3.14159265358979", "std::vector a::b", "256.1.1.1", "not@domain x@y",
    "a_function_name_that_is_quite_long_indeed_yes", "my-kebab-case-string-with-many-words-2024", "4111111111111112",
    "1 2 3 4 5 6 7 8 9 10 11 12 13", "#123456", "::1",
]  # fmt: skip


def redaction(*texts: str) -> Redaction:
    return Redaction(PATTERNS, [Message.user(text) for text in texts])


@each(("kind", "secret"), [(kind, item) for kind, items in FOUND.items() for item in items])
def test_each_kind_is_found_between_words(kind: str, secret: str) -> None:
    for text in (secret, f"It is {secret}, yes.", f"({secret})", f'"{secret}"', f"x: {secret}\ny"):
        hidden = redaction(text)
        assert hidden.hide(text) == text.replace(secret, f"[{kind.upper()}_1]")
        assert hidden.originals == {f"[{kind.upper()}_1]": secret}


@each("text", NOT_FOUND)
def test_what_only_looks_alike_stays(text: str) -> None:
    assert redaction(text).hide(text) == text


ALL = [secret for items in FOUND.values() for secret in items]
FILLERS = ["and", "[EMAIL_1]", "12", "2024", "(x)", "é", "\n", '"quoted"', "[", "3 4", "http://x.y/z"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([*ALL, *FILLERS]), min_size=1, max_size=10))
def test_all_of_many_is_hidden_and_comes_back(words: list[str]) -> None:
    text = " , ".join(words)
    hidden = redaction(text)
    sent = hidden.hide(text)
    assert not [secret for secret in ALL if secret in sent]
    assert hidden.show(sent) == text
    written = json.dumps({"a": [text], text: 1})
    assert json.loads(hidden.show(hidden.hide_json(written), in_json=True)) == json.loads(written)


def test_a_card_is_found_beside_other_numbers() -> None:
    assert redaction().hide("order 4111 1111 1111 1111 123") == "order [CARD_1] 123"
    assert redaction().hide("order 12 4111 1111 1111 1111 12/26") == "order 12 [CARD_1] 12/26"


@each("unit", ["a", "1", "1 ", "111 ", "a.", "x@", "@a.", ":", "1:", "+1 ", "(12)", "DE89 3704 ", "sk-", "ab_",
                                  "-----BEGIN PRIVATE KEY-----", "eyJaaaaaaaaaaaa.aaaaaaaaaaaaaaa."])  # fmt: skip
def test_patterns_take_time_in_proportion_to_the_text(unit: str) -> None:
    text = unit * (20_000 // len(unit))
    began = time.process_time()
    redaction().hide(text)
    assert time.process_time() - began < 1.0


def test_one_thing_has_one_placeholder_and_the_callers_own_words_stay() -> None:
    text = f"{ADA} [EMAIL_1] bob@example.com {ADA}"
    hidden = redaction(text)
    sent = hidden.hide(text)
    assert sent == "[EMAIL_2] [EMAIL_1] [EMAIL_3] [EMAIL_2]"
    assert hidden.show(sent) == text


async def test_texts_tool_results_and_arguments_are_sent_with_placeholders() -> None:
    history = [
        Message.system(f"You work for {ADA}."),
        Message.user(f"Mail {ADA} and 4111 1111 1111 1111"),
        Message(role="assistant", parts=(
            ToolCall(id="1", name="send", arguments='{"to": "ada\\u0040example.com", "card":4111111111111111, "n": 1}'),
            ToolCall(id="2", name="raw", arguments=f"to {ADA}", kind="custom"),
        )),
        Message.tool("1", f"sent to {ADA}"),
    ]  # fmt: skip
    with scripted(["done"]) as provider:
        await Redacted("scripted/any").generate(history, settings=GenerationSettings(prediction=f"Dear {ADA}"))
    [call] = provider.calls
    assert ADA not in str(call.messages)
    assert "4111" not in str(call.messages)
    system, user, assistant, tool = call.messages
    assert (system.text, user.text) == ("You work for [EMAIL_1].", "Mail [EMAIL_1] and [CARD_1]")
    first, second = assistant.tool_calls
    assert first.arguments == '{"to": "[EMAIL_1]", "card":"[CARD_2]", "n": 1}'
    assert second.arguments == "to [EMAIL_1]"
    assert isinstance(tool.parts[0], ToolResult)
    assert tool.parts[0].text == "sent to [EMAIL_1]"
    assert call.settings.prediction == "Dear [EMAIL_1]"


async def test_the_answer_has_what_the_placeholders_stand_for() -> None:
    step = {
        "text": "Dear [EMAIL_1], not [EMAIL_9].",
        "reasoning": "It is [EMAIL_1].",
        "tool_calls": [{"name": "send", "arguments": {"to": "[EMAIL_1]"}}],
    }
    with scripted([step, step]):
        redacted = Redacted("scripted/any")
        whole = await redacted.generate(f"I am {ADA}")
        async with betterai.stream(redacted, f"I am {ADA}") as stream:
            chunks = [chunk async for chunk in stream]
            streamed = stream.response
    for response in (whole, streamed):
        assert response.content == f"Dear {ADA}, not [EMAIL_9]."
        assert response.reasoning == f"It is {ADA}."
        assert response.tool_calls[0].parse_arguments() == {"to": ADA}
    assert "".join(chunk.content for chunk in chunks) == whole.content
    assert "".join(chunk.reasoning for chunk in chunks) == whole.reasoning
    assert "".join(chunk.tool_call.arguments for chunk in chunks if chunk.tool_call) == whole.tool_calls[0].arguments
    assert [chunk.part for chunk in chunks if chunk.part] == list(whole.message.parts if whole.message else ())


async def test_the_answer_is_left_as_it_is_without_restore() -> None:
    with scripted(["Dear [EMAIL_1]"]):
        response = await Redacted("scripted/any", restore=False).generate(f"I am {ADA}")
    assert response.content == "Dear [EMAIL_1]"


PIECES = ["[", "]", "EMAIL", "_1", "[EMAIL_1]", "[EMAIL_2]", "[EMAIL_1", "a", " ", "[CARD_1]", "[["]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=12), st.lists(st.integers(1, 6), max_size=20), st.booleans())
def test_a_stream_reads_as_the_whole_text_however_it_is_cut(words: list[str], cuts: list[int], in_json: bool) -> None:
    text = "".join(words)
    hidden = redaction()
    assert hidden.hide(f'{ADA} "4111 1111 1111 1111"') == '[EMAIL_1] "[CARD_1]"'
    restorer, pieces, left = TextRestorer(hidden, in_json=in_json), list[str](), text
    for cut in [*cuts, len(text) + 1]:
        piece, left = left[:cut], left[cut:]
        pieces.append(restorer.feed(piece))
    assert "".join(pieces) + restorer.flush() == hidden.show(text, in_json=in_json)


def test_only_what_may_be_a_placeholder_is_held_back() -> None:
    hidden = redaction()
    hidden.hide(ADA)
    restorer = TextRestorer(hidden, in_json=False)
    said = ["see [1] and [E", "x] then [EMAIL", "_1", "] and [EMAIL_2", "]", "[PHONE"]
    assert [restorer.feed(piece) for piece in said] == [
        "see [1] and ", "[Ex] then ", "", f"{ADA} and [EMAIL_2", "]", "[PHONE",
    ]  # fmt: skip
    assert restorer.flush() == ""


def test_what_is_held_back_comes_before_what_ends_its_text() -> None:
    hidden = redaction()
    hidden.hide(ADA)
    stream = StreamRestorer(hidden, in_json=False)
    assert list(stream.read(TextChunk(content="to [EMA"))) == [TextChunk(content="to ")]
    assert list(stream.read(TextChunk(content="IL", finish_reason="length"))) == [
        TextChunk(content="[EMAIL", finish_reason="length")
    ]
    assert list(stream.read(TextChunk(content="[EM"))) == []
    assert list(stream.read(TextChunk(part=Text(text="[EM")))) == [
        TextChunk(content="[EM"),
        TextChunk(part=Text(text="[EM")),
    ]
    assert list(stream.read(TextChunk(content="[EM"))) == []
    assert list(stream.read(TextChunk(reset=True, content="a"))) == [TextChunk(reset=True, content="a")]
    assert list(stream.flush()) == []


def test_the_offsets_of_citations_move_with_the_text() -> None:
    hidden = redaction()
    hidden.hide(ADA)
    text = "[EMAIL_1] says x, [EMAIL_1] y"
    cited = Citation(start=18, end=29, text="[EMAIL_1] y")
    shown = hidden.show_part(Text(text=text, citations=(cited,)))
    [moved] = shown.citations
    assert shown.text[moved.start : moved.end] == f"{ADA} y" == moved.text
    again = hidden.hide_message(Message(role="assistant", parts=(shown,)))
    assert again.parts[0] == Text(text=text, citations=(cited,))
    assert Shifts().move(None) is None


class Contact(msgspec.Struct):
    name: str
    email: str
    card: int | None = None


async def test_structured_answers_are_parsed_with_what_was_put_back() -> None:
    said = '{"name": "Ada \\"A\\"", "email": "[EMAIL_1]", "card": [CARD_1]}'
    with scripted([said, said]):
        redacted = Redacted("scripted/any")
        question = f"I am {ADA}, 4111111111111111"
        whole = await betterai.generate(redacted, question, response_format=Contact)
        streamed = await betterai.stream(redacted, question, response_format=Contact)
    assert whole.parsed == streamed.parsed == Contact('Ada "A"', ADA, 4111111111111111)
    assert json.loads(whole.content)["email"] == ADA


async def test_what_is_put_back_into_json_is_escaped() -> None:
    with scripted(
        ['{"name": "[CODE_1]", "email": ""}', {"tool_calls": [{"name": "f", "arguments": {"x": "[CODE_1]"}}]}]
    ):
        redacted = Redacted("scripted/any", patterns={"code": r"<<[^>]*>>"})
        response = await betterai.generate(redacted, 'Say <<a "b"\n\\c>>', response_format=Contact)
        assert response.parsed == Contact('<<a "b"\n\\c>>', "")
        called = await redacted.generate('Say <<a "b"\n\\c>>')
        assert called.tool_calls[0].parse_arguments() == {"x": '<<a "b"\n\\c>>'}


async def test_an_answer_of_the_wrong_shape_is_shown_in_the_error() -> None:
    with scripted(['{"name": "[EMAIL_1]"}']), pytest.raises(betterai.OutputInvalidError) as caught:
        await betterai.generate(Redacted("scripted/any"), f"I am {ADA}", response_format=Contact)
    assert caught.value.response is not None
    assert caught.value.response.content == json.dumps({"name": ADA})


async def test_s4_a_broken_stream_holds_what_came_with_what_was_put_back() -> None:
    step = {"text": "Dear [EMAIL_1] and so on", "error": "StreamInterrupted", "error_after": 3}
    with scripted([step]), pytest.raises(betterai.StreamInterrupted) as caught:
        [chunk async for chunk in Redacted("scripted/any").generate_stream(f"I am {ADA}")]
    assert caught.value.partial is not None
    assert caught.value.partial.content.startswith(f"Dear {ADA}")


async def test_t2_signed_thoughts_go_back_to_the_letter() -> None:
    signature = betterai.Opaque(protocol="p", data=msgspec.Raw(b'{"signature":"x"}'))
    signed = betterai.Reasoning(text="The user is [EMAIL_1], 555-123-4567.", opaque=signature)
    history = [Message.user(f"I am {ADA}"), Message(role="assistant", parts=(signed, Text(text=f"Hello {ADA}")))]
    with scripted(["ok"]) as provider:
        await Redacted("scripted/any").generate([*history, Message.user("again")])
    assert provider.calls[0].messages[1] == Message(role="assistant", parts=(signed, Text(text="Hello [EMAIL_1]")))
    hidden = Redaction(PATTERNS, history)
    hidden.hide(ADA)
    assert hidden.show_part(signed) == signed


async def test_what_is_held_back_is_shown_where_a_stream_ends_without_saying_so() -> None:
    class Abrupt(betterai.BaseTextProvider):
        async def generate_stream(
            self, messages: Any, model: str, settings: GenerationSettings
        ) -> AsyncGenerator[TextChunk, None]:
            for piece in ("to ", "[EMA"):
                yield TextChunk(content=piece)

    async with betterai.stream(Redacted(Abrupt()), f"I am {ADA}") as stream:
        assert "".join([chunk.content async for chunk in stream]) == "to [EMA" == stream.response.content


async def test_media_are_sent_or_refused_as_the_caller_says() -> None:
    message = Message.user("Look", Media(kind="image", data=b"x", mime_type="image/png"))
    with scripted(["seen"]) as provider:
        assert (await Redacted("scripted/any").generate(message)).content == "seen"
        with pytest.raises(betterai.UnsupportedParam, match="cannot be redacted"):
            await Redacted("scripted/any", media="refuse").generate(message)
        assert len(provider.calls) == 1


async def test_kinds_are_chosen_and_own_patterns_added() -> None:
    with scripted(["a", "b"]) as provider:
        text = f"{ADA} E1234 555-123-4567"
        await Redacted("scripted/any", kinds=["email"]).generate(text)
        await Redacted("scripted/any", kinds=[], patterns={"employee": r"E\d{4}"}).generate(text)
    assert provider.calls[0].text == "[EMAIL_1] E1234 555-123-4567"
    assert provider.calls[1].text == f"{ADA} [EMPLOYEE_1] 555-123-4567"


async def test_a_pattern_that_nothing_matches_too_comes_to_an_end() -> None:
    with scripted(["a"]) as provider:
        await Redacted("scripted/any", kinds=[], patterns={"number": r"\d*"}).generate("call 12, or 3")
    assert provider.calls[0].text == "call [NUMBER_1], or [NUMBER_2]"


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"kinds": ["emial"]}, "no kind 'emial'"),
        ({"patterns": {"a b": "x"}}, "made of letters"),
        ({"patterns": {"a": "("}}, "cannot be read"),
        ({"patterns": {"a": 7}}, "cannot be read"),
        ({"patterns": ["a"]}, "are named"),
        ({"media": "drop"}, "media must be"),
    ],
)
def test_what_cannot_be_meant_is_refused(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(betterai.ValidationError, match=says):
        Redacted("local/echo", **wrong)


async def test_tokens_are_counted_without_showing_anything() -> None:
    with scripted([]) as provider:
        found = await Redacted("scripted/any").count_tokens(f"I am {ADA}")
        assert found.tokens > 0
        assert provider.calls == []


async def test_a_long_text_is_looked_through_in_a_thread() -> None:
    with scripted(["[EMAIL_1]"]) as provider:
        text = "word " * 8_000 + ADA
        assert (await Redacted("scripted/any").generate(text)).content == ADA
    assert provider.calls[0].text.endswith(" [EMAIL_1]")
