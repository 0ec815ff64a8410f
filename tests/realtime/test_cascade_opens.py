"""A cascade that cannot answer says so when it is opened, and not to those who speak to it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import web

import betterai
from betterai.core.exceptions import BetterAIError, ConfigurationError, ModelNotFoundError
from betterai.providers.local import espeak, extras
from doubles.servers import web_server
from providers.local.engines import need

LOCAL = {"audio": "local/pocketsphinx", "text": "local/echo", "tts": "local/espeak"}
WRONG: tuple[tuple[str, str, type[BetterAIError], str], ...] = (
    ("audio", "nosuch/nova", ModelNotFoundError, "there is no model"),
    ("audio", "local/pocketsphinks", ModelNotFoundError, "did you mean pocketsphinx"),
    ("audio", "anthropic/claude-opus-5", ModelNotFoundError, "offers no audio here"),
    ("audio", "groq/openai/gpt-oss-120b", ModelNotFoundError, "one for audio is groq/whisper"),
    ("audio", "openai/gpt-realtime-2.1", ModelNotFoundError, "it is a model for realtime, not for audio"),
    ("audio", "deepgram/nova-3", ConfigurationError, "DEEPGRAM_API_KEY"),
    ("text", "local/elisa", ModelNotFoundError, "did you mean eliza"),
    ("text", "elevenlabs/eleven_flash_v2_5", ModelNotFoundError, "offers no text here"),
    ("text", "groq/whisper-large-v3", ModelNotFoundError, "it is a model for audio, not for text"),
    (
        "text",
        "groq/openai/gpt-oss-121b",
        ModelNotFoundError,
        "does not list it – did you mean groq/openai/gpt-oss-120b",
    ),
    ("text", "local/gguf:/nowhere/model.gguf", ModelNotFoundError, "there is no file"),
    ("text", "router/nosuch", ModelNotFoundError, "no router .nosuch. is declared"),
    ("tts", "local/espeek", ModelNotFoundError, "did you mean espeak"),
    ("tts", "openai/gpt-6-luna", ModelNotFoundError, "it is a model for text, not for tts"),
    ("tts", "elevenlabs/eleven_flash_v2_5", ConfigurationError, "ELEVENLABS_API_KEY"),
)


async def open_and_close(**stages: Any) -> tuple[Any, ...]:
    async with asyncio.timeout(5), betterai.realtime(betterai.cascade(**{**LOCAL, **stages})) as session:
        return session.warnings


async def list_models(request: web.Request) -> web.Response:
    known = [{"id": "openai/gpt-oss-120b"}, {"id": "brand-new"}]
    return web.json_response({"data": known}, status=200 if "works" in request.headers["Authorization"] else 401)


async def test_e1_stages_that_cannot_be_asked_are_found_when_a_session_is_opened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    need("espeak", "pocketsphinx")
    for name in ("DEEPGRAM_API_KEY", "ELEVENLABS_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    async with web_server(list_models) as url:
        monkeypatch.setenv("GROQ_BASE_URL", url)
        monkeypatch.setenv("GROQ_API_KEY", "works")
        for category, model, error, said in WRONG:
            with pytest.raises(error, match=said):
                await open_and_close(**{category: model})
        assert await open_and_close() == ()
        assert await open_and_close(text="groq/openai/gpt-oss-120b") == ()
        [unlisted] = await open_and_close(text="groq/brand-new")
        assert unlisted.code == "unknown_model"
        monkeypatch.setenv("GROQ_API_KEY", "may not list")
        [unlisted] = await open_and_close(text="groq/openai/gpt-oss-121b")
        assert unlisted.message.endswith("is it groq/openai/gpt-oss-120b?")


async def test_e1_a_package_that_is_missing_is_named_when_a_session_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    def import_nothing(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(extras, "import_module", import_nothing)
    monkeypatch.setattr(espeak, "_library", None)
    with pytest.raises(ConfigurationError, match=r"betterai\[local\]"):
        await open_and_close()

    class Ears(betterai.BaseAudioProvider):
        pass

    with pytest.raises(ConfigurationError, match=r"betterai\[local-speech\]"):
        await open_and_close(audio=Ears())
