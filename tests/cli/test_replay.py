"""`betterai replay`: failures, tallies, JSON lines and exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.processes import run


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """One exchange that is read, and one of a kind that is not."""
    message = {"role": "assistant", "content": "Hello"}
    body = {"id": "c", "model": "m", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    exchange = {"provider": "groq", "kind": "chat", "stream": False, "response": {"status": 200, "body": body}}
    (tmp_path / "a.json").write_text(json.dumps(exchange))
    (tmp_path / "b.json").write_text(json.dumps({**exchange, "kind": "carrier-pigeon"}))
    return tmp_path


def test_what_was_read_is_tallied(recordings: Path):
    result = run("replay", str(recordings))
    assert (result.code, result.stderr) == (0, "")
    assert [line.split() for line in result.stdout.splitlines()] == [
        ["PROVIDER", "KIND", "READ", "UNSUPPORTED", "FAILED"],
        ["groq", "carrier-pigeon", "0", "1", "0"],
        ["groq", "chat", "1", "0", "0"],
        ["total", "2", "1", "1", "0"],
    ]


def test_a_failure_has_its_line_and_exit_code_1(recordings: Path):
    (recordings / "c.json").write_text("not JSON")
    result = run("replay", str(recordings))
    assert result.code == 1
    assert result.stdout.startswith(f"failed {recordings / 'c.json'}: not a recorded exchange")
    assert result.stdout.splitlines()[-1].split() == ["total", "3", "1", "1", "1"]


def test_json_is_one_object_a_line(recordings: Path):
    (recordings / "c.json").write_text("not JSON")
    result = run("replay", "--json", str(recordings / "a.json"), str(recordings / "c.json"))
    reports = [json.loads(line) for line in result.stdout.splitlines()]
    assert [report["verdict"] for report in reports] == ["read", "failed"]
    assert (result.code, reports[0]["content"], result.stderr) == (1, "Hello", "")


def test_a_path_that_does_not_exist_is_exit_code_2_before_anything_is_read(recordings: Path):
    result = run("replay", str(recordings), str(recordings / "nowhere"))
    assert (result.code, result.stdout) == (2, "")
    assert "there is no file or folder" in result.stderr


def test_an_empty_folder_is_said_to_be_empty(tmp_path: Path):
    result = run("replay", str(tmp_path))
    assert (result.code, result.stdout) == (2, "")
    assert "no exchanges" in result.stderr
