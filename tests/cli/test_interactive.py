"""`betterai chat` on a terminal: the conversation, its commands, Ctrl-C and Ctrl-D."""

from __future__ import annotations

import json

from cli.terminal import CONTROL_C, CONTROL_D, Terminal
from cli.upstream import KEY, Upstream

ECHO = ("chat", "-m", "local/echo")


def said(request: dict[str, object]) -> list[str]:
    messages = request["messages"]
    assert isinstance(messages, list)
    return [message["content"] for message in messages]


async def test_a_conversation_sends_what_was_said_before(upstream: Upstream):
    async with Terminal(*upstream.words, "-s", "Be brief.", GROQ_API_KEY=KEY) as terminal:
        await terminal.expect("talking to groq/")
        await terminal.expect("> ")
        terminal.type("First\n")
        await terminal.expect("one two")
        await terminal.expect("> ")
        terminal.type("/system Be long.\n/unheard of\n Second\n")
        await terminal.expect("the system message is set")
        await terminal.expect("there is no /unheard")
        await terminal.expect("one two")
        await terminal.expect("> ")
        terminal.type("/reset\n/system\n/help\nThird\n")
        await terminal.expect("forgotten")
        await terminal.expect("there is no system message now")
        await terminal.expect("/model NAME")
        await terminal.expect("one two")
        terminal.type("/exit\n")
        code, _ = await terminal.end()
    assert code == 0
    assert [said(request) for request in upstream.requests] == [
        ["Be brief.", "First"],
        ["Be long.", "First", "one two", "Second"],
        ["Third"],
    ]


async def test_ctrl_c_stops_the_answer_and_keeps_what_was_said(upstream: Upstream):
    upstream.holds = True
    async with Terminal(*upstream.words, GROQ_API_KEY=KEY) as terminal:
        await terminal.expect("> ")
        terminal.type("First\n")
        await terminal.expect("one two")
        terminal.type(CONTROL_C)
        await upstream.wait_until_left()
        await terminal.expect("stopped: what was said is kept")
        await terminal.expect("> ")
        upstream.holds = False
        terminal.type("Second\n")
        await terminal.expect("one two")
        await terminal.expect("> ")
        terminal.type(CONTROL_D)
        code, seen = await terminal.end()
    assert code == 0
    assert said(upstream.requests[1]) == ["First", "one two", "Second"]
    assert "Traceback" not in seen


async def test_a_failed_question_is_taken_back_and_the_conversation_goes_on(upstream: Upstream):
    upstream.failure = (401, {"error": {"message": "Invalid API Key", "code": "invalid_api_key"}})
    async with Terminal(*upstream.words, GROQ_API_KEY=KEY) as terminal:
        await terminal.expect("> ")
        terminal.type("First\n")
        await terminal.expect("error: groq/openai/gpt-oss-120b: Invalid API Key (HTTP 401)")
        await terminal.expect("the question is taken back")
        upstream.failure = None
        terminal.type("Second\n")
        await terminal.expect("one two")
        terminal.type("/model openai\n")
        await terminal.expect("--base-url was given for groq")
    assert said(upstream.requests[1]) == ["Second"]


async def test_the_model_is_changed_by_name_and_a_wrong_name_changes_nothing():
    async with Terminal(*ECHO) as terminal:
        await terminal.expect("> ")
        terminal.type("/model lcal/eliza\n")
        await terminal.expect("did you mean local/eliza")
        terminal.type("/model\n")
        await terminal.expect("talking to local/echo")
        terminal.type("/model local/eliza\n")
        await terminal.expect("talking to local/eliza")


async def test_ctrl_c_at_the_prompt_gives_a_hint_and_ends_when_typed_twice():
    async with Terminal(*ECHO) as terminal:
        await terminal.press_at_prompt(CONTROL_C)
        await terminal.expect("Ctrl-C once more ends")
        await terminal.expect("> ")
        terminal.type("Hello\n")
        await terminal.expect("Hello\r\nHello")
        await terminal.press_at_prompt(CONTROL_C)
        await terminal.expect("Ctrl-C once more ends")
        await terminal.press_at_prompt(CONTROL_C)
        code, seen = await terminal.end()
    assert code == 130
    assert "Traceback" not in seen


async def test_what_a_model_says_does_not_steer_the_terminal():
    text = "\x1b]0;title\x07\x1b[31mred\x1b[0m\x9b2J\rend\tof it"
    options = json.dumps({"local": {"text": text, "chunk_size": 1}})
    async with Terminal(*ECHO, "-o", f"options={options}", "x") as terminal:
        code, seen = await terminal.end()
    assert (code, seen) == (0, "redend\tof it\r\n")


async def test_thoughts_are_dim_on_a_terminal_and_plain_with_no_color():
    thinking = (*ECHO, "-r", "low", "--show-reasoning", "Hello")
    async with Terminal(*thinking) as terminal:
        assert "\x1b[2mThe" in (await terminal.end())[1]
    async with Terminal(*thinking, NO_COLOR="1") as terminal:
        assert (await terminal.end())[1] == "The user wrote 1 words.\r\nHello\r\n"
