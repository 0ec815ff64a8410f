"""A router asked by itself: settings as the short ways take them, streams that hold their response, and a look ahead."""

from __future__ import annotations

from typing import Any

import pytest

import betterai
from betterai import ConfigurationError, GenerationSettings, ModelNotFoundError, Router, Target, ValidationError
from betterai.runtime.stream import TextStream
from runtime.providers import KEY
from runtime.router.targets import Scripted, down


async def test_settings_are_a_dict_or_keywords_as_for_the_short_ways() -> None:
    first, second = Scripted(down()), Scripted("hi there")
    router = Router([first, second])
    wanted = GenerationSettings(temperature=0.2, max_tokens=9)
    assert (await router.generate("Hello", settings={"temperature": 0.2, "max_tokens": 9})).content == "hi there"
    assert (await router.generate("Hello", temperature=0.2, max_tokens=9)).content == "hi there"
    await router.generate("Hello", settings={"temperature": 1, "max_tokens": 9}, temperature=0.2, system="Be brief")
    await betterai.generate(router, "Hello", settings={"temperature": 0.2, "max_tokens": 9})  # type: ignore[call-overload]
    assert [settings for _, settings in second.asked] == [wanted] * 4
    assert second.asked[2][0][0] == {"role": "system", "content": "Be brief"}
    async with router.stream("Hello", settings={"temperature": 0.2}, max_tokens=9) as stream:
        assert isinstance(stream, TextStream)
        assert "".join([chunk.content async for chunk in stream]) == "hi there"
    assert stream.response.content == "hi there"
    chunks = router.generate_stream("Hello", "", {"temperature": 0.2, "max_tokens": 9})
    assert "".join([chunk.content async for chunk in chunks]) == "hi there"
    assert [settings for _, settings in second.asked[4:]] == [wanted] * 2


@pytest.mark.parametrize(("settings", "said"), [({"temprature": 1}, "did you mean temperature"), (7, "or a dict")])
async def test_what_are_no_settings_is_said(settings: Any, said: str) -> None:
    router = Router([Scripted("hi")])
    for ask in (
        lambda: router.generate("Hello", settings=settings),
        lambda: router.stream("Hello", settings=settings).collect(),
        lambda: betterai.generate(router, "Hello", settings=settings),
    ):
        with pytest.raises(ValidationError, match=said):
            await ask()


def test_check_finds_what_no_call_has_asked_for_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    keyed = Target("openai/gpt-4o-mini", keys=(KEY,))
    assert Router([keyed, "local/echo", Scripted("hi")]).check() == ()
    with pytest.raises(ModelNotFoundError, match="did you mean openai/gpt-4o-mini"):
        Router([keyed, "opnai/gpt-4o-mini"]).check()
    with pytest.raises(ConfigurationError, match="no key for OpenAI"):
        Router(["openai/gpt-4o-mini", keyed]).check()
    inner = Router(["opnai/gpt-4o-mini", keyed])
    with pytest.raises(
        ConfigurationError, match=r"2 targets .*target 0: .*no key for OpenAI.*target 2: .*did you mean"
    ):
        Router(["openai/gpt-4o-mini", keyed, inner]).check()
    (warning,) = Router([Target("openai/gpt-4o-minni", keys=(KEY,)), keyed]).check()
    assert (warning.code, warning.field) == ("unknown_model", "targets[0]")
    assert "did you mean openai/gpt-4o-mini" in warning.message
