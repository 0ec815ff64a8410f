"""Cases that run in one test: all run, and a failure names each that failed, with its assertion."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

import together
from together import each

ran: list[Any] = []


@each("status", [400, 500], ids=["refused", "broken"])
@each("word, length", [("a", 1), ("bb", 1), ("ccc", 3)])
def body(word: str, length: int, status: int, tmp_path: Any) -> None:
    ran.append((word, status))
    assert len(word) == length


@each("word", ["a", "b", "bc"], by=lambda word: word[0])
async def grouped(word: str) -> None:
    ran.append(word)
    if word == "b":
        pytest.skip("not today")
    with pytest.raises(ValueError, match="b"):
        raise ValueError(word)


@pytest.fixture(autouse=True)
def _fresh() -> None:
    ran.clear()


def test_each_case_runs_and_the_failure_names_those_that_failed_with_their_assertions() -> None:
    assert list(inspect.signature(body).parameters) == ["tmp_path"]
    with pytest.raises(pytest.fail.Exception) as caught:
        body(tmp_path=None)
    assert ran == [(word, status) for word in ("a", "bb", "ccc") for status in (400, 500)]
    said = str(caught.value)
    assert said.startswith("2 of 6 cases failed:\n  bb-1-refused: AssertionError: assert 2 == 1\n  bb-1-broken: Assert")
    assert said.count("assert len(word) == length") == 2
    assert "where 2 = len('bb')" in said


async def test_a_group_is_a_test_and_a_case_that_is_skipped_is_told() -> None:
    assert list(inspect.signature(grouped).parameters) == ["group"]
    [mark] = grouped.pytestmark  # type: ignore[attr-defined]
    assert list(mark.args[1]) == ["a", "b"]
    with pytest.raises(pytest.fail.Exception, match="1 of 1 cases failed:\n  a: AssertionError: Regex"):
        await grouped(group="a")
    with pytest.raises(pytest.skip.Exception, match="1 of 2 cases: b: not today"):
        await grouped(group="b")
    assert ran == ["a", "b", "bc"]


def test_one_case_can_be_chosen_and_none_is_never_a_success(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "only", "a-1-broken")
    body(tmp_path=None)
    assert ran == [("a", 500)]
    monkeypatch.setattr(together, "only", "zz")
    with pytest.raises(pytest.skip.Exception, match="no case has 'zz'"):
        body(tmp_path=None)
    monkeypatch.setattr(together, "only", "")
    with pytest.raises(AssertionError, match="there are no cases"):
        each("word", [])(lambda word: None)()


def test_without_a_case_there_is_no_group_and_nothing_to_collect_that_fails() -> None:
    nothing = each("file", [], by=str)(lambda file: None)
    assert list(inspect.signature(nothing).parameters) == ["file"]
    assert nothing.pytestmark == []  # type: ignore[attr-defined]
