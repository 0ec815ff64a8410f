"""`betterai embed`: texts of arguments and of stdin, and a vector for each."""

from __future__ import annotations

import json

from cli.commands import Command


def test_each_argument_and_each_line_becomes_a_line_with_its_vector(command: Command) -> None:
    result = command("embed", "-m", "local/hashing", "-o", "dimensions=3", "one", stdin=b"two\n\nthree\n")
    assert result.code == 0
    assert [len(json.loads(line)) for line in result.stdout.splitlines()] == [3, 3, 3]


def test_json_says_model_usage_cost_and_warnings(command: Command) -> None:
    result = command("embed", "--json", "-m", "local", "-o", "task=query", "one two")
    said = json.loads(result.stdout)
    assert said["model"] == "local/hashing"
    assert (len(said["vectors"]), len(said["vectors"][0])) == (1, 256)
    assert (said["usage"]["text_in"], said["cost"]["amount"]) == (2, 0)
    assert said["warnings"][0]["field"] == "task"
    assert "task: " in result.stderr


def test_without_a_model_the_embedded_one_is_taken_and_without_texts_nothing(command: Command) -> None:
    assert command("embed", "one").code == 0
    result = command("embed")
    assert result.code == 2
    assert "there are no texts" in result.stderr


def test_a_setting_that_there_is_not_is_named(command: Command) -> None:
    result = command("embed", "-o", "dimension=3", "one")
    assert result.code == 2
    assert "did you mean dimensions" in result.stderr
