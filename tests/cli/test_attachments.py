"""`-a`: pictures, sounds, documents and text reach the provider; and what a picture in an answer becomes."""

from __future__ import annotations

import base64
import struct
import zlib
from pathlib import Path

import pytest

from betterai.cli.attachments import read_attachment
from betterai.core.exceptions import ValidationError
from betterai.core.message import MediaPart, Text
from cli.commands import Command
from cli.processes import finish, run, start
from cli.terminal import Terminal
from cli.upstream import KEY, Upstream
from judges.app import serve


def png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")


PNG = png()
WAV = b"RIFF\x24\0\0\0WAVEfmt " + b"\0" * 28
PDF = b"%PDF-1.7\n%%EOF\n\xff"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for name, content in {
        "photo": PNG,
        "latin.txt": "café".encode("latin-1"),
        "unknown": b"\0\1\2\3",
        "voice.wav": WAV,
        "song.m4a": b"\0\0\0\x20ftypisom" + b"\0" * 30 + b"\xff",
        "paper.pdf": PDF,
        "code.ts": b"\xef\xbb\xbflet x = 1\n\n",
        "table.xlsx": b"PK\x03\x04\0\0",
        "empty": b"",
    }.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("photo", "image"),
        ("voice.wav", "audio"),
        ("song.m4a", "audio"),
        ("paper.pdf", "document"),
        ("table.xlsx", "document"),
    ],
)
def test_a_file_is_what_its_bytes_show_and_else_what_its_name_says(name: str, kind: str, files: Path):
    part = read_attachment(str(files / name))
    assert isinstance(part, MediaPart)
    assert (part.media.kind, part.media.path) == (kind, str(files / name))


def test_a_file_of_text_is_sent_as_text_whatever_its_name(files: Path):
    assert read_attachment(str(files / "code.ts")) == Text(text='<file name="code.ts">\nlet x = 1\n</file>')


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://example.com/a.jpg?size=1#x", "image"),
        ("HTTPS://example.com/a.mp3", "audio"),
        ("data:image/png;base64,AAAA", "image"),
        ("https://example.com/a.pdf", "document"),
        ("image:https://example.com/a", "image"),
        ("document:https://example.com/a.jpg", "document"),
    ],
)
def test_an_address_is_passed_on_as_what_it_shows_or_what_is_said(url: str, kind: str):
    part = read_attachment(url)
    assert isinstance(part, MediaPart)
    assert (part.media.kind, part.media.url) == (kind, url.removeprefix(f"{kind}:"))


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("https://user:secret@example.com/a?token=secret", "example.com/a does not show what it is – write image:URL"),
        ("no/such/file", "cannot attach 'no/such/file': No such file or directory"),
        (".", "cannot attach '.': Is a directory"),
        ("{files}/empty", "empty is empty"),
        ("{files}/latin.txt", "latin.txt is neither UTF-8 text nor of a kind that its bytes or its name show"),
        ("{files}/unknown", "unknown is neither UTF-8 text nor of a kind"),
    ],
)
def test_what_cannot_be_attached_is_said(word: str, said: str, files: Path):
    with pytest.raises(ValidationError) as caught:
        read_attachment(word.format(files=files))
    assert said in str(caught.value)
    assert "secret" not in str(caught.value)


async def test_attachments_reach_the_provider_before_the_prompt(files: Path):
    async with serve() as (url, app):
        words = [word for name in ("photo", "voice.wav", "paper.pdf", "code.ts") for word in ("-a", str(files / name))]
        model = ("-m", "openai/some-model", "--base-url", url)
        result = await finish(await start("chat", *model, *words, "--json", "What is this?", OPENAI_API_KEY=KEY))
    assert result.code == 0, result
    (message,) = app.bodies[0]["input"]
    kinds = [part["type"] for part in message["content"]]
    assert kinds == ["input_image", "input_audio", "input_file", "input_text", "input_text"]
    assert message["content"][0]["image_url"] == f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
    assert message["content"][-1]["text"] == "What is this?"


async def test_the_protocol_may_be_chosen():
    async with serve() as (url, app):
        words = ("chat", "-m", "openai/some-model", "--base-url", url, "--protocol", "openai_chat", "Hello")
        result = await finish(await start(*words, OPENAI_API_KEY=KEY))
    assert result.stdout == "Hello\n", result
    assert app.bodies[0]["messages"] == [{"role": "user", "content": "Hello"}]


def test_a_kind_that_is_not_taken_is_named_with_what_to_do(files: Path):
    result = run("chat", "-m", "groq/openai/gpt-oss-120b", "-a", str(files / "paper.pdf"), "x", GROQ_API_KEY=KEY)
    assert (result.code, result.stdout) == (2, "")
    assert "no document can be sent to this provider over this protocol – send its text" in result.stderr


def test_stdin_may_be_the_attachment(command: Command):
    assert command("chat", "-m", "local/echo", "-a", "-", "Say", stdin=b"one\n").stdout.endswith("Say\n")
    assert command("chat", "-m", "local/echo", "-a", "-", stdin=b"").stderr.endswith("stdin is empty\n")


def test_a_file_alone_is_a_question(command: Command, files: Path):
    assert "let x = 1" in command("chat", "-m", "local/echo", "-a", str(files / "code.ts")).stdout


async def test_files_are_attached_to_the_next_question_of_a_conversation(upstream: Upstream, files: Path):
    async with Terminal(*upstream.words, GROQ_API_KEY=KEY) as terminal:
        await terminal.expect("> ")
        terminal.type(f"/attach {files}/photo\n/attach no/such\n/attach\nFirst\n")
        await terminal.expect("cannot attach 'no/such'")
        await terminal.expect(f"attached: {files}/photo")
        await terminal.expect("one two")
        await terminal.expect("> ")
        terminal.type("/attach\nSecond\n/clear\nThird\n")
        await terminal.expect("attached: nothing")
        await terminal.expect("one two")
        await terminal.expect("forgotten")
        await terminal.expect("one two")
    first, second, third = (request["messages"] for request in upstream.requests)
    assert [part["type"] for part in first[0]["content"]] == ["image_url", "text"]
    assert [message["role"] for message in second] == ["user", "assistant", "user"]
    assert second[0] == first[0]
    assert third == [{"role": "user", "content": "Third"}]
