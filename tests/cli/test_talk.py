"""`betterai talk`, against a voice service on the loopback: recordings, texts, a pipe, and a device that is none."""

from __future__ import annotations

import asyncio
import json
import sys
import wave
from pathlib import Path
from typing import Any

import pytest

import betterai
from betterai.cli.microphone import converse
from betterai.cli.output import Output
from betterai.cli.parser import build_parser
from betterai.cli.talk import _talk
from betterai.core.config import CoreConfig
from betterai.core.exceptions import ConfigurationError
from betterai.core.realtime import RealtimeOutput
from betterai.core.realtime_settings import RealtimeSettings
from cli.commands import Command
from doubles.voices import HEARD, WORD_BYTES, VoiceService, serve_voice

MODEL = "openai/gpt-realtime-2.1"


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "test-key")
    monkeypatch.chdir(tmp_path)


def record(path: Path, *, rate: int = 16000, channels: int = 1, width: int = 2, loud: int = 16) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(bytes([loud, 0]) * (rate // 10) * channels)


async def test_recordings_and_texts_are_turns_that_are_answered_into_a_file(command: Command, tmp_path: Path) -> None:
    record(tmp_path / "question.wav", channels=2)
    service = VoiceService()
    async with serve_voice(service) as url:
        words = ("talk", "-m", MODEL, "--base-url", url)
        result = await asyncio.to_thread(command, *words, "--save", "answer.wav", "question.wav", "and now?")
        assert (result.code, result.stdout) == (0, f"You said {HEARD}\nYou said and now?\n")
        assert f"you: {HEARD}" in result.stderr
        said = json.loads((await asyncio.to_thread(command, *words, "--json", "hello")).stdout)
    with wave.open("answer.wav") as file:
        assert (file.getframerate(), file.getnframes() * 2) == (24000, 8 * WORD_BYTES)
    assert said["turns"] == [{"role": "assistant", "text": "You said hello"}]
    assert said["usage"]["audio_out"] == 15
    assert said["cost"]["status"] == "exact"
    heard = service.sessions[0]
    assert heard.heard_bytes == pytest.approx(24000 * 2 // 10, abs=64)


async def test_a_pipe_goes_on_until_it_ends(command: Command) -> None:
    service = VoiceService()
    async with serve_voice(service) as url:
        words = ("talk", "-m", MODEL, "--base-url", url, "--save", "-", "--linger", "0.2", "-")
        sound = b"\x10\x10" * 4096 + bytes(8192)
        result = await asyncio.to_thread(command, *words, stdin=sound)
    assert result.code == 0
    assert result.stdout.encode().count(b"\x01") == WORD_BYTES // 2
    assert f"You said {HEARD}" not in result.stdout


async def test_what_cannot_be_is_said_before_anything_is_sent(command: Command, tmp_path: Path) -> None:
    record(tmp_path / "bytes.wav", width=1)
    record(tmp_path / "low.wav", rate=8000)
    record(tmp_path / "high.wav", rate=48000)
    for words, said in (
        ((), "nothing to listen to"), (("missing.wav",), "cannot read missing.wav"), (("bytes.wav",), "8 bits"),
        (("low.wav", "high.wav"), "different rates"), (("-", "a"), "alone"), (("--json", "--save", "-", "a"), "stdout"),
    ):  # fmt: skip
        result = await asyncio.to_thread(command, "talk", "-m", MODEL, *words)
        assert result.code == 2
        assert said in result.stderr


DEVICE = """
import threading

played = bytearray()


class RawInputStream:
    def __init__(self, samplerate, blocksize, channels, dtype, callback):
        self.callback, self.size = callback, blocksize * 2

    def __enter__(self):
        for loud in (16, 16, 0):
            self.callback(bytes([loud]) * self.size, self.size // 2, None, None)

    def __exit__(self, *_):
        pass


class RawOutputStream:
    def __init__(self, samplerate, channels, dtype, callback):
        self.callback, self.over = callback, threading.Event()

    def __enter__(self):
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.over.wait(0.001):
            target = bytearray(480)
            self.callback(target, 240, None, None)
            played.extend(target)

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
"""


async def test_a_microphone_is_listened_to_and_answers_are_played(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sounddevice.py").write_text(DEVICE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    said: list[RealtimeOutput] = []
    async with serve_voice(VoiceService()) as url:
        config = CoreConfig(base_url=url, api_key="test-key")
        async with asyncio.timeout(10), betterai.realtime(MODEL, config=config) as session:
            talking = asyncio.create_task(converse(session, RealtimeSettings(), said.append))
            device: Any = None
            while device is None or len(device.played.replace(b"\0", b"")) < 4 * WORD_BYTES // 2:
                await asyncio.sleep(0.01)
                device = sys.modules.get("sounddevice")
            talking.cancel()
            await asyncio.wait({talking})
    assert [event.text for event in said if isinstance(event, betterai.OutputTranscript) and event.final] == [
        f"You said {HEARD}"
    ]
    monkeypatch.delitem(sys.modules, "sounddevice")


async def test_a_microphone_that_is_not_there_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(ConfigurationError, match=r"betterai\[microphone\]"):
        await converse(betterai.RealtimeSession(), RealtimeSettings(), print)


def test_what_is_missing_here_is_found_before_a_session_is_opened(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody listens at that address: an attempt to connect would say so."""
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    (tmp_path / "empty.wav").touch()
    words = ("talk", "-m", MODEL, "--base-url", "http://127.0.0.1:1")
    assert "betterai[microphone]" in command(*words, "--microphone").stderr
    (tmp_path / "sounddevice.py").write_text('raise OSError("PortAudio library not found")')
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "sounddevice")
    assert "not found – install the system's PortAudio" in command(*words, "--microphone").stderr
    assert "cannot read no.wav: No such file" in command(*words, "no.wav").stderr
    assert "empty.wav is no whole WAV file – " in command(*words, "empty.wav").stderr
    assert "cannot save into '/dev/null'" in command(*words, "--save", "/dev/null/answer.wav", "hello").stderr


async def test_what_was_said_is_saved_when_ctrl_c_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A microphone has no end of its own."""
    (tmp_path / "sounddevice.py").write_text(DEVICE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    service = VoiceService()
    async with serve_voice(service) as url:
        words = ("talk", "-m", MODEL, "--base-url", url, "--microphone", "--save", "answer.wav")
        arguments = build_parser()[0].parse_args(words)
        output = Output()
        talking = asyncio.create_task(_talk(arguments, output))
        while not service.sessions or service.sessions[0].answering is None:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)
        await service.sessions[0].answering
        device = sys.modules["sounddevice"]
        while len(device.played.replace(b"\0", b"")) < 4 * WORD_BYTES // 2:  # noqa: ASYNC110 - a thread plays it
            await asyncio.sleep(0.01)
        talking.cancel()
        await asyncio.wait({talking})
        assert talking.cancelled()
    with wave.open("answer.wav") as file:
        assert file.getnframes() * 2 == 4 * WORD_BYTES
    monkeypatch.delitem(sys.modules, "sounddevice")


async def test_a_stdin_that_was_closed_before_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    from betterai.cli.talk import _feed

    async def send(piece: bytes) -> None:
        raise AssertionError(piece)

    monkeypatch.setattr("sys.stdin", None)
    ended = asyncio.Event()
    await _feed(send, ended)
    assert ended.is_set()
