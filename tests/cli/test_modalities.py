"""`betterai image`, `speak`, `transcribe` and `video`, against services on the loopback."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from pathlib import Path

import pytest

import betterai
from cli.commands import Command
from runtime.film import FILM, KEY, FilmService, declare
from runtime.upstream import Upstream, reply
from shapes.server import serve

PNG = b"\x89PNG\r\n\x1a\n picture "
MP3 = b"ID3 sound "


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setenv("BETTERAI_STATE", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)


def test_a_picture_is_drawn_and_saved(command: Command, tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_bytes(PNG)
    with Upstream(
        reply(200, {"data": [{"b64_json": b64encode(PNG).decode()}], "usage": {"input_tokens": 3, "output_tokens": 4}})
    ) as upstream:
        words = ("image", "-m", "openai/gpt-image-2", "--base-url", upstream.url)
        result = command(*words, "--save", "out", "-o", "seed=5", "a", "cat")
        assert (result.code, result.stdout) == (0, "out/image-1.png\n")
        assert "seed: " in result.stderr
        said = json.loads(command(*words, "--json", "--save", "cat2.png", "-a", "cat.png", "a hat").stdout)
    assert said["files"] == ["cat2.png"]
    assert (said["model"], said["usage"]["image_out"]) == ("openai/gpt-image-2", 4)
    assert (tmp_path / "out" / "image-1.png").read_bytes() == (tmp_path / "cat2.png").read_bytes() == PNG
    assert [request.path for request in upstream.requests] == ["/v1/images/generations", "/v1/images/edits"]
    assert command("image").code == 2


def test_a_text_is_spoken_into_a_file(command: Command, tmp_path: Path) -> None:
    with Upstream(reply(200, MP3, content_type="audio/mpeg")) as upstream:
        words = ("speak", "-m", "openai/gpt-4o-mini-tts", "--base-url", upstream.url)
        assert command(*words, "-o", "voice=coral", stdin=b"Hello").stdout == "audio-1.mp3\n"
    assert (tmp_path / "audio-1.mp3").read_bytes() == MP3
    assert (upstream.requests[0].body["voice"], upstream.requests[0].body["input"]) == ("coral", "Hello")
    assert command("speak", "--json", "--save", "-", "Hello").code == 2


def test_a_recording_is_written_down_and_as_subtitles(command: Command, tmp_path: Path) -> None:
    (tmp_path / "talk.mp3").write_bytes(MP3)
    said = {"text": "Hi there.", "segments": [{"text": " Hi there.", "start": 0.5, "end": 61.25}]}
    with Upstream(reply(200, said)) as upstream:
        words = ("transcribe", "-m", "openai/whisper-1", "--base-url", upstream.url)
        assert command(*words, "talk.mp3").stdout == "Hi there.\n"
        assert command(*words, "--as", "srt", "talk.mp3").stdout == "1\n00:00:00,500 --> 00:01:01,250\nHi there.\n"
        assert json.loads(command(*words, "--json", "talk.mp3").stdout)["segments"][0]["end"] == 61.25
    assert b"verbose_json" in upstream.requests[1].raw
    assert b"verbose_json" not in upstream.requests[0].raw


def test_a_film_is_made(command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FILMER_API_KEY", KEY)
    betterai.register_video_provider("filmer", declare("filmer"), replace=True)

    async def play() -> None:
        async with serve(FilmService(looks=2)) as url:
            monkeypatch.setenv("FILMER_BASE_URL", url)
            result = await asyncio.to_thread(command, "video", "-m", "filmer", "--save", "film.mp4", "a", "cat")
            assert (result.code, result.stdout) == (0, "film.mp4\n"), result.stderr
            assert "betterai jobs resume" in result.stderr

    asyncio.run(play())
    assert (tmp_path / "film.mp4").read_bytes() == FILM


def test_a_file_in_a_folder_that_is_not_there_yet_loses_no_picture(command: Command, tmp_path: Path) -> None:
    with Upstream(reply(200, {"data": [{"b64_json": b64encode(PNG).decode()}]})) as upstream:
        words = ("image", "-m", "openai/gpt-image-2", "--base-url", upstream.url, "a cat")
        assert "cannot save into" in command(*words, "--save", "/dev/null/cat.png").stderr
        assert not upstream.requests, "what cannot be saved is not paid for"
        assert command(*words, "--save", "new/cats/cat.png").code == 0
    assert (tmp_path / "new/cats/cat.png").read_bytes() == PNG
