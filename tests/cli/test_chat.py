"""`betterai chat`: prompts, answers, JSON, warnings and errors."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from betterai.cli import main
from cli.commands import Command
from cli.processes import finish, run, start
from cli.upstream import KEY, MODEL, Upstream

ECHO = ("chat", "-m", "local/echo")


def script(**options: object) -> tuple[str, str]:
    return "-o", "options=" + json.dumps({"local": options})


def test_the_prompt_is_answered_on_stdout_and_nothing_else_is_said():
    result = run(*ECHO, "Hello", "there")
    assert (result.code, result.stdout, result.stderr) == (0, "Hello there\n", "")


def test_the_prompt_comes_from_a_pipe_and_after_the_argument_where_both_are_given(command: Command):
    assert command(*ECHO, stdin="grüße\n\n".encode()).stdout == "grüße\n"
    assert command(*ECHO, "Say", "it:", stdin=b"one\ntwo\n").stdout == "Say it:\n\none\ntwo\n"


def test_without_a_model_one_line_says_who_answers_and_how_to_choose(command: Command):
    result = command("chat", "Hello")
    assert (result.code, result.stderr.count("\n")) == (0, 1)
    for word in ("local/eliza", "-m", "BETTERAI_MODEL"):
        assert word in result.stderr
    chosen = command("chat", "Hello", BETTERAI_MODEL="local/echo")
    assert (chosen.stdout, chosen.stderr) == ("Hello\n", "")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((*ECHO,), "no prompt"),
        ((*ECHO, "-o", "temprature=1", "x"), "did you mean temperature?"),
        ((*ECHO, "--tmperature", "1", "x"), "did you mean --temperature?"),
        (("chat", "-m", "lcal/echo", "x"), "did you mean local/echo"),
        (("chat", "-m", MODEL, "x"), "set GROQ_API_KEY"),
    ],
)
def test_what_the_user_must_change_is_one_line_and_exit_code_2(words: tuple[str, ...], said: str, command: Command):
    result = command(*words)
    assert result.code == 2, result
    assert result.stdout == ""
    assert result.stderr.startswith("betterai: error: ")
    assert result.stderr.count("\n") == 1
    assert said in result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((*ECHO, ""), "the prompt is empty"),
        ((*ECHO, "-o", "temperature", "x"), "'temperature' is not NAME=VALUE"),
        ((*ECHO, "-t", "hot", "x"), "temperature must be int or float"),
        ((*ECHO, "-t", "1", "-o", "temperature=2", "x"), "temperature is given twice"),
        ((*ECHO, "--timeout", "0", "x"), "--timeout: '0' is not a number of seconds"),
        ((*ECHO, "--base-url", "http://localhost:1", "x"), "take out --base-url"),
        (("chat", "-m", "", "x"), "the model's name is empty"),
        (("chat", "-m", "local/ehco", "x"), "did you mean echo"),
        (("chat", "x", "-m", "local/echo", "y"), "unrecognized arguments: y"),
        (("cht", "x"), "there is no 'cht' here – did you mean chat?"),
        (("models", "--can", "vission"), "there is no 'vission' here – did you mean vision?"),
        (("models", "--provider", "opnai"), "there is no provider 'opnai' – did you mean openai?"),
    ],
)
def test_each_mistake_is_named(
    words: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    with open(os.devnull) as nothing:
        monkeypatch.setattr("sys.stdin", nothing)
        code = main(words)
    written = capsys.readouterr()
    assert (code, written.out, written.err.count("\n")) == (2, "", 1)
    assert said in written.err


def test_text_that_is_not_utf_8_is_refused():
    result = run(*ECHO, stdin=b"caf\xe9")
    said = "betterai: error: stdin is not UTF-8 text – -a - attaches pictures, sounds and documents\n"
    assert (result.code, result.stderr) == (2, said)


def test_json_holds_the_whole_answer(command: Command):
    result = command(*ECHO, "-r", "low", "--json", "Hello")
    assert result.code == 0
    assert result.stdout.count("\n") == 1
    answer = result.json
    assert answer.keys() >= {
        "content", "reasoning", "tool_calls", "finish_reason", "usage", "cost", "warnings", "model", "provider",
        "request_id", "timing",
    }  # fmt: skip
    assert (answer["content"], answer["finish_reason"], answer["provider"]) == ("Hello", "stop", "local")
    assert answer["reasoning"].startswith("The user wrote")
    assert answer["usage"]["total_tokens"] == answer["usage"]["input_tokens"] + answer["usage"]["output_tokens"]
    assert (answer["cost"]["amount"], answer["cost"]["status"]) == (0, "exact")


def test_json_holds_tool_calls_and_the_other_answers(command: Command):
    tools = json.dumps([{"type": "function", "function": {"name": "now", "parameters": {"type": "object"}}}])
    answer = command(*ECHO, "-o", f"tools={tools}", "-o", "tool_choice=now", "-o", "n=2", "--json", "x").json
    (call,) = answer["tool_calls"]
    assert (call["name"], json.loads(call["arguments"]), answer["finish_reason"]) == ("now", {}, "tool_calls")
    assert len(answer["alternatives"]) == 1


def test_all_answers_are_shown_one_after_the_other(command: Command):
    assert command(*ECHO, "-o", "n=2", "Hello").stdout == "Hello\n\nHello\n"


def test_errors_are_json_too_where_json_is_asked_for(command: Command):
    failed = command(*ECHO, *script(error="RateLimitError", status=429, retry_after=3), "--json", "x")
    assert failed.code == 1
    error = failed.json["error"]
    assert (error["class"], error["status"], error["retryable"], error["retry_after"]) == (
        "RateLimitError",
        429,
        True,
        3,
    )
    assert (error["provider"], error["model"]) == ("local", "echo")
    assert failed.stderr.startswith("betterai: error: ")
    wrong = command("chat", "--json", "--nonsense", "x")
    assert (wrong.code, wrong.json["error"]["class"]) == (2, "ValidationError")
    nobody = command("chat", "--json", "-m", "nobody/knows", "x")
    assert (nobody.code, nobody.json["error"]["class"]) == (2, "ModelNotFoundError")


def test_reasoning_and_warnings_go_to_stderr(command: Command):
    result = command("chat", "-m", "local/eliza", "-o", "verbosity=low", "Hello")
    assert result.code == 0
    assert result.stderr.startswith("betterai: warning: ")
    assert "(verbosity: dropped)" in result.stderr
    hidden = command(*ECHO, "-r", "low", "Hello")
    assert (hidden.stdout, hidden.stderr) == ("Hello\n", "")
    for more in ((), ("--no-stream",)):
        shown = command(*ECHO, "-r", "low", "--show-reasoning", *more, "Hello")
        assert (shown.stdout, shown.stderr) == ("Hello\n", "The user wrote 1 words.\n")


def test_an_answer_that_is_not_complete_is_said_to_be_so(command: Command):
    assert "cut off" in command(*ECHO, "--max-tokens", "1", "one two three").stderr
    broken = command(*ECHO, *script(error_after=2), "one two three")
    assert broken.code == 1
    assert broken.stdout.startswith("one")
    assert "StreamInterrupted" in broken.stderr


def test_tracebacks_are_shown_on_demand_only(command: Command):
    failing = (*ECHO, *script(error="OverloadedError"), "x")
    assert "Traceback" not in command(*failing).stderr
    result = command(*failing, "--debug")
    assert "Traceback" in result.stderr
    assert result.code == 1


def test_what_a_model_says_reaches_a_pipe_as_it_is():
    assert run(*ECHO, *script(text="\x1b[31mred\x1b[0m\r\n"), "x").stdout == "\x1b[31mred\x1b[0m\r\n"


async def test_the_answer_is_streamed(upstream: Upstream):
    upstream.holds = True
    process = await start(*upstream.words, "-s", "Be brief.", "-t", "0.5", "Hello", GROQ_API_KEY=KEY)
    assert process.stdout is not None
    assert await process.stdout.readexactly(7) == b"one two"
    (request,) = upstream.requests
    assert request["authorization"] == f"Bearer {KEY}"
    assert [message["content"] for message in request["messages"]] == ["Be brief.", "Hello"]
    assert (request["temperature"], request["stream"]) == (0.5, True)
    process.kill()
    await finish(process)


async def test_no_stream_asks_for_the_whole_answer_and_json_states_its_cost(upstream: Upstream):
    result = await finish(await start(*upstream.words, "--no-stream", "Hello", GROQ_API_KEY=KEY))
    assert (result.code, result.stdout, result.stderr) == (0, "one two\n", "")
    answer = (await finish(await start(*upstream.words, "--json", "Hello", GROQ_API_KEY=KEY))).json
    assert not any(request.get("stream") for request in upstream.requests)
    assert answer["usage"]["total_tokens"] == 12
    assert answer["cost"]["amount"] == pytest.approx(2.7e-06)
    assert answer["timing"]["attempts"][0]["status"] == 200


def test_json_with_stream_is_a_line_for_each_piece_and_the_whole_at_the_end(command: Command):
    result = command(*ECHO, "-r", "low", "--json", "--stream", *script(chunk_size=6), "Hello there")
    *pieces, end = map(json.loads, result.stdout.splitlines())
    assert "".join(piece.get("content", "") for piece in pieces) == "Hello there"
    assert sum("content" in piece for piece in pieces) > 1
    assert "".join(piece.get("reasoning", "") for piece in pieces) == end["response"]["reasoning"] != ""
    assert end["response"]["content"] == "Hello there"
    broken = command(*ECHO, "--json", "--stream", *script(error_after=2), "one two three")
    *_, last = map(json.loads, broken.stdout.splitlines())
    assert (broken.code, last["error"]["class"]) == (1, "StreamInterrupted")


async def test_an_answer_may_have_to_follow_a_schema(upstream: Upstream, tmp_path: Path):
    schema = {"type": "object", "properties": {"name": {"type": "string"}}}
    file = tmp_path / "one person.json"
    file.write_text(json.dumps(schema))
    await finish(await start(*upstream.words, "--schema", str(file), "Who?", GROQ_API_KEY=KEY))
    asked = upstream.requests[0]["response_format"]["json_schema"]
    assert (asked["name"], asked["schema"]["properties"]) == ("one_person", schema["properties"])


@pytest.mark.parametrize(
    ("content", "more", "said"),
    [
        ("[]", (), "is not a JSON Schema"),
        ("{", (), "is not JSON"),
        (None, (), "cannot read"),
        ("{}", ("-o", "response_format={}"), "response_format is given twice"),
    ],
)
def test_a_schema_that_cannot_be_taken_is_named(
    content: str | None, more: tuple[str, ...], said: str, tmp_path: Path, command: Command
):
    file = tmp_path / "schema.json"
    if content is not None:
        file.write_text(content)
    result = command(*ECHO, "--schema", str(file), *more, "x")
    assert (result.code, result.stdout, said in result.stderr) == (2, "", True), result


async def test_a_wrong_key_is_an_error_that_does_not_show_the_key(upstream: Upstream):
    upstream.failure = (401, {"error": {"message": f"Invalid API Key {KEY}\nsecond line", "code": "invalid_api_key"}})
    result = await finish(await start(*upstream.words, "--json", "--debug", "Hello", GROQ_API_KEY=KEY))
    assert result.code == 1
    error = result.json["error"]
    assert (error["class"], error["status"], error["code"]) == ("AuthenticationError", 401, "invalid_api_key")
    assert "check the key" in error["message"]
    assert KEY not in result.stdout + result.stderr
    assert "second line" in result.stderr.splitlines()[-1]


async def test_a_model_that_the_provider_does_not_know_is_a_failed_call(upstream: Upstream):
    upstream.failure = (404, {"error": {"message": "The model `x` does not exist", "code": "model_not_found"}})
    result = await finish(await start(*upstream.words, "Hello", GROQ_API_KEY=KEY))
    assert (result.code, "HTTP 404" in result.stderr) == (1, True)


async def test_a_refusal_is_shown_even_though_it_is_no_text(upstream: Upstream):
    upstream.pieces = [{"refusal": "I will not."}]
    result = await finish(await start(*upstream.words, "Hello", GROQ_API_KEY=KEY))
    assert (result.code, result.stdout, result.stderr) == (0, "", "betterai: the model refuses: I will not.\n")
