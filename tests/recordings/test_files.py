"""Recorded exchanges about files: what our codecs read of them is what the bodies say."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import pytest

from betterai.runtime.replay.exchanges import replay_exchange
from recordings.store import ROOT, load, name_of, needs_recordings

FILES = [file for name in ("openai", "anthropic", "google") for file in sorted((ROOT / name / "files").glob("*.json"))]
OTHERS = ("/vector_stores/", "/fileSearchStores/")
"""What is about files, and not the keeping of them."""

NAMES = {"filename": ("filename", "displayName"), "size": ("bytes", "size_bytes", "sizeBytes"),
         "mime_type": ("mime_type", "mimeType"), "purpose": ("purpose",)}  # fmt: skip


def described(said: dict[str, Any]) -> dict[str, Any]:
    """One file as the vendors describe it, read here by plain means."""
    found = {ours: next((said[name] for name in names if name in said), "") for ours, names in NAMES.items()}
    found["id"] = said["name"] if "uri" in said else said["id"]
    found["size"] = int(found["size"])
    found["state"] = said.get("state") or said.get("status") or ""
    found["reference"] = said.get("uri", "")
    expires = said.get("expirationTime") or said.get("expires_at")
    found["expires_at"] = datetime.fromisoformat(expires).timestamp() if isinstance(expires, str) else expires
    return {name: value for name, value in found.items() if value not in ("", None)}


@needs_recordings
@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_files_are_read_as_the_bodies_say(file: Any) -> None:
    exchange = load(file)
    report = replay_exchange(exchange)
    path = urlsplit(exchange["request"]["url"]).path
    if any(other in path for other in OTHERS):
        assert report.verdict == "unsupported"
        return
    assert report.verdict == "read", report.detail
    content = json.loads(report.content)
    if path.endswith("/content"):
        assert content.get("bytes") or content["lines"]
        return
    body = exchange["response"]["body"]
    if exchange["request"]["method"] == "DELETE":
        assert content == {"deleted": path.rpartition("/")[2]}
    elif (rows := body.get("data", body.get("files"))) is not None:
        assert content["files"] == [described(row) for row in rows]
        assert bool(content["after"]) == bool(body.get("has_more") or body.get("nextPageToken"))
    else:
        assert content == described(body.get("file", body))


@needs_recordings
def test_most_of_them_are_read() -> None:
    read = [file for file in FILES if replay_exchange(load(file)).verdict == "read"]
    assert len(read) >= 40
