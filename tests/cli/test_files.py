"""`betterai files`: uploaded, listed, written here and deleted, over a double of a vendor."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from cli.commands import Command
from doubles.servers import web_server
from runtime.file_services import FileService


def test_files_are_uploaded_listed_downloaded_and_deleted(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    service = FileService("openai", "key-1")
    monkeypatch.setenv("OPENAI_API_KEY", "key-1")
    (tmp_path / "a.txt").write_text("content")

    def act() -> None:
        assert "there are no files" in command("files", "openai").stderr
        uploaded = command("files", "upload", "openai", str(tmp_path / "a.txt"), "--purpose", "batch")
        assert (uploaded.code, uploaded.stdout) == (0, "file-1\n"), uploaded.stderr
        said = json.loads(command("files", "upload", "openai", str(tmp_path / "a.txt"), "--json").stdout)
        assert (said["id"], said["size"], said["provider"]) == ("file-2", 7, "openai")
        listed = command("files", "openai")
        assert [word in listed.stdout for word in ("file-1", "a.txt", "7", "batch", "file-2")] == [True] * 5
        assert len(json.loads(command("files", "openai", "--json").stdout)["files"]) == 2
        saved = command("files", "download", "openai", "file-1", "--save", str(tmp_path))
        assert saved.stdout == f"{tmp_path / 'a-1.txt'}\n", saved.stderr
        assert (tmp_path / "a-1.txt").read_text() == "content"
        assert "file-1 is deleted" in command("files", "delete", "openai", "file-1").stderr
        assert list(service.files) == ["file-2"]
        assert command("files", "groq").code == 2

    async def play() -> None:
        async with web_server(service.answer) as url:
            monkeypatch.setenv("OPENAI_BASE_URL", url)
            await asyncio.to_thread(act)

    asyncio.run(play())
