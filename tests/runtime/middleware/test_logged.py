"""One line a call, and nothing in it that must not be."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

import betterai
from betterai import Cached, Logged
from betterai.testing import scripted
from runtime.middleware.priced import Priced


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "betterai.logged")
    return caplog


async def test_each_call_has_one_line(lines: pytest.LogCaptureFixture) -> None:
    logged = Logged(Cached(Priced()))
    await logged.generate("Hi")
    await betterai.stream(logged, "Hi")
    first, second = [record.getMessage() for record in lines.records]
    assert first.startswith("tests/priced answered: stop, tokens 5 in, 2 out, $0.5, ")
    assert second.startswith("tests/priced answered from a cache: stop, tokens 5 in, 2 out, $0, ")
    assert {record.levelname for record in lines.records} == {"INFO"}
    assert "Hi" not in lines.text
    assert "Hello" not in lines.text


async def test_a_failure_is_a_warning_with_its_class(lines: pytest.LogCaptureFixture) -> None:
    logged = Logged(
        Priced(fail=lambda: betterai.RateLimitError("key-123 is slow", status=429, provider="p", model="m"))
    )
    with pytest.raises(betterai.RateLimitError):
        await logged.generate("Hi")
    [record] = lines.records
    assert record.levelname == "WARNING"
    assert record.getMessage().startswith("p/m failed with RateLimitError (429) after ")
    assert "key-123" not in lines.text


@pytest.mark.parametrize(
    ("inner", "name"),
    [("scripted/any", "scripted/any"), (betterai.Router(["scripted/any"]), "Router")],
    ids=["name", "router"],
)
async def test_who_failed_is_named_where_the_error_does_not_say(
    inner: object, name: str, lines: pytest.LogCaptureFixture
) -> None:
    def fail(call: object) -> str:
        raise KeyError("a bug")

    with scripted([fail] * 3), pytest.raises(KeyError):
        await Logged(inner).generate("Hi")  # type: ignore[arg-type]
    assert lines.records[-1].getMessage().startswith(f"{name} failed with KeyError after ")


async def test_leaving_early_is_told_and_reading_to_the_end_is_not(lines: pytest.LogCaptureFixture) -> None:
    logged = Logged(Priced(gate=asyncio.Event()))
    async with betterai.stream(logged, "Hi") as stream:
        await anext(stream)
    assert "tests/priced was left with GeneratorExit after " in lines.text
    lines.clear()
    async with betterai.stream(Logged(Priced()), "Hi") as stream:
        async for chunk in stream:
            if chunk.response is not None:
                break
    assert [record.levelname for record in lines.records] == ["INFO"]


async def test_x9_what_was_said_is_written_only_when_asked_for_and_never_a_key(lines: pytest.LogCaptureFixture) -> None:
    key = "sk-proj-abcdefghijklmnopqrstuvwx"
    with scripted([f"It is {key}\nand passed-secret", betterai.OverloadedError("down")]):
        logged = Logged("scripted/any", content=True)
        headers = {"x-api-key": "passed-secret"}
        question = f"My key is {key} or passed-secret. " + "x" * 600
        await betterai.generate(logged, question, extra_headers=headers)
        with pytest.raises(betterai.OverloadedError):
            await betterai.generate(logged, "short", extra_headers=headers)
    answered, failed = [record.getMessage() for record in lines.records]
    assert "asked 'My key is *** or ***. xxx" in answered
    assert answered.endswith(r"x…', answered 'It is ***\nand ***'")
    assert failed.endswith("asked 'short'")
    assert key not in lines.text
    assert "passed-secret" not in lines.text


async def test_logger_and_level_are_the_callers(caplog: pytest.LogCaptureFixture) -> None:
    own = logging.getLogger("mine")
    caplog.set_level(logging.DEBUG, "mine")
    for logger in (own, "mine"):
        await Logged(Priced(), logger=logger, level=logging.DEBUG).generate("Hi")
    caplog.set_level(logging.INFO, "mine")
    await Logged(Priced(), logger=own, level=logging.DEBUG).generate("Hi")
    assert [(record.name, record.levelname) for record in caplog.records] == [("mine", "DEBUG")] * 2


@pytest.mark.parametrize("wrong", [{"level": "INFO"}, {"level": None}, {"logger": 7}], ids=str)
def test_what_cannot_be_meant_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(betterai.ValidationError, match="must be"):
        Logged("local/echo", **wrong)
