"""`betterai batch`: submitted, followed, read and forgotten, over a double of a vendor."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from betterai.cli.batch import _write_results
from betterai.cli.output import Output
from betterai.cli.parser import build_parser
from cli.commands import Command
from doubles.batches import KEY, OpenAIService
from doubles.servers import web_server

LINES = [
    {"id": "a", "input": "Hello"},
    {"id": "b", "messages": [{"role": "user", "content": "fail"}], "settings": {"max_tokens": 5}},
    {"id": "c", "prompt": "Bye", "model": "gpt-4.1-mini"},
]


@pytest.fixture(autouse=True)
def _state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BETTERAI_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def scene(monkeypatch: pytest.MonkeyPatch, act: Callable[[OpenAIService], None]) -> OpenAIService:
    service = OpenAIService()

    async def play() -> None:
        async with web_server(service.answer) as url:
            monkeypatch.setenv("OPENAI_BASE_URL", url)
            await asyncio.to_thread(act, service)

    asyncio.run(play())
    return service


def rows(text: str) -> dict[str, Any]:
    return {row["id"]: row for row in map(json.loads, text.splitlines())}


def test_j2_a_batch_from_a_file_to_its_answers(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "requests.jsonl"
    file.write_text("\n".join(map(json.dumps, LINES)) + "\n\n")

    def act(service: OpenAIService) -> None:
        service.words = ["in_progress"] * 2
        result = command(
            "batch", "submit", "-m", "openai/gpt-4.1-nano", "-s", "Be short", "-o", "max_tokens=9", str(file)
        )
        assert result.code == 0, result.stderr
        id = result.stdout.strip()
        assert f"betterai batch results {id[:12]}" in result.stderr
        first = service.batches["batch_1"]["lines"][0]["body"]
        assert first["max_output_tokens"] == 9
        assert "Be short" in json.dumps(first)
        assert service.batches["batch_1"]["lines"][1]["body"]["max_output_tokens"] == 5
        status = command("batch", "status", id[:8])
        assert status.stdout == "running: 0 of 3\n", status.stderr
        listed = command("batch")
        assert [word in listed.stdout for word in (id[:12], "running", "openai/gpt-4.1-nano")] == [True] * 3
        results = command("batch", "results", id[:8])
        assert results.code == 3, results.stderr
        assert "errors: 1 BadRequestError" in results.stderr
        found = rows(results.stdout)
        assert (found["a"]["content"], found["c"]["content"]) == ("re: Hello", "re: Bye")
        assert found["b"]["error"]["type"] == "BadRequestError"
        assert found["a"]["cost"] > 0
        assert "done: 3 of 3, 1 failed" in results.stderr
        assert "2 succeeded, 1 failed; 0.0000" in results.stderr
        saved = command("batch", "results", id, "--save", str(tmp_path / "out.jsonl"), "--no-wait")
        assert (saved.stdout, rows((tmp_path / "out.jsonl").read_text())) == ("", found)
        said = json.loads(command("batch", "status", id, "--wait", "--json").stdout)
        assert (said["state"], said["counts"]["failed"], len(said["parts"])) == ("done", 1, 2)
        assert json.loads(command("batch", "--json").stdout)["batches"][0]["status"] == "done"
        assert command("batch", "forget", id).code == 0
        assert "there are no batches" in command("batch").stderr
        assert command("batch", "forget", id).code == 2

    scene(monkeypatch, act)


def test_a_batch_is_stopped_and_what_is_wrong_is_said(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "bad.jsonl").write_text('{"id": "a", "input": "x"}\nno json\n')

    def act(service: OpenAIService) -> None:
        wrong = command("batch", "submit", "-m", "openai/gpt-4.1-nano", str(tmp_path / "bad.jsonl"))
        assert (wrong.code, service.requests) == (2, [])
        assert f"{tmp_path / 'bad.jsonl'}:2: this is no JSON" in wrong.stderr
        wordy = tmp_path / "wordy.jsonl"
        wordy.write_text(
            '{"id": "a", "input": "x"}\n\n{"id": "b", "input": "x", "settings": {"extra_query": {"y": "1"}}}\n'
        )
        wrong = command("batch", "submit", "-m", "openai/gpt-4.1-nano", str(wordy))
        assert (wrong.code, service.requests) == (2, [])
        assert f"{wordy}:3: line 'b': " in wrong.stderr
        wrong = command("batch", "submit", "-m", "openai/whisper-1", str(wordy))
        assert (wrong.code, service.requests) == (2, [])
        assert "listed for audio" in wrong.stderr
        assert command("batch", "submit", "-m", "openai/gpt-4.1-nano", str(tmp_path / "none.jsonl")).code == 2
        done = command(
            "batch", "submit", "-m", "openai/gpt-4.1-nano", "-", "--json", stdin=b'{"id": "a", "input": "cancel"}\n'
        )
        assert done.code == 0, done.stderr
        service.words = ["in_progress"]
        stopped = command(
            "batch", "cancel", json.loads(done.stdout)["handle"], "--base-url", os.environ["OPENAI_BASE_URL"]
        )
        assert stopped.stdout == "cancelled: 1 of 1, 1 cancelled\n", stopped.stderr

    scene(monkeypatch, act)


def test_lines_are_asked_one_by_one_where_there_is_no_endpoint_or_it_is_said(command: Command, tmp_path: Path) -> None:
    file, database = tmp_path / "requests.jsonl", str(tmp_path / "lines.sqlite")
    file.write_text("\n".join(json.dumps({"id": id, "input": f"say {id}"}) for id in "ab"))
    result = command("batch", "submit", "-m", "openai/gpt-4.1-nano", "--concurrency", "0", str(file))
    assert (result.code, "concurrency" in result.stderr) == (2, True)
    result = command("batch", "submit", "-m", "local/echo", "--category", "image", str(file))
    assert (result.code, f"{file}:1: line 'a': Local (embedded) has no image model" in result.stderr) == (2, True)
    result = command("batch", "submit", "-m", "local/echo", "--line-by-line", "--database", database, str(file))
    id = result.stdout.strip()
    again = f"betterai batch results {id[:12]} --database {database}"
    assert f"{again} asks its lines one by one" in result.stderr
    result = command("batch", "status", id, "--database", database)
    assert (result.stdout, f"somebody waits for them: {again}" in result.stderr) == ("running: 0 of 2\n", True)
    result = command("batch", "results", id, "--database", database, "--concurrency", "1")
    assert result.code == 0
    found = rows(result.stdout)
    assert {id: row["state"] for id, row in found.items()} == {"a": "succeeded", "b": "succeeded"}, result.stderr
    assert "say a" in found["a"]["content"]
    result = command("batch", "status", id)
    assert (result.code, "is not in this database" in result.stderr) == (2, True)


async def test_an_interrupted_wait_says_how_it_goes_on(
    command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C cancels the task that waits; what was asked line by line by then is kept."""
    file = tmp_path / "requests.jsonl"
    options = {"options": {"local": {"first_delay": 1.6}}}
    slow = {"id": "slow", "input": "Hello", "settings": options}
    file.write_text("\n".join(map(json.dumps, [{"id": "quick", "input": "Hello"}, slow])))
    submitted = await asyncio.to_thread(command, "batch", "submit", "-m", "local/echo", str(file))
    id, written = submitted.stdout.strip(), tmp_path / "answers.jsonl"
    arguments = build_parser()[0].parse_args(["batch results", id, "--save", str(written)])
    waiting = asyncio.create_task(_write_results(arguments, Output()))
    told = ""
    async with asyncio.timeout(20):
        while "running: 1 of 2" not in told:
            await asyncio.sleep(0.01)
            told += capsys.readouterr().err
    waiting.cancel()
    await asyncio.wait({waiting})
    assert waiting.cancelled()
    told = capsys.readouterr().err
    assert f"interrupted: betterai batch results {id[:12]} goes on" in told
    assert "no new calls; waiting up to 10 s" in told
