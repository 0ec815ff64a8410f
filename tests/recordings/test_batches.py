"""Recorded exchanges about batches: what our codecs read of them is what the bodies say."""

from __future__ import annotations

import json
from typing import Any

import pytest

from betterai.runtime.replay.exchanges import replay_exchange
from recordings.store import ROOT, load, name_of, needs_recordings

FILES = sorted(ROOT.glob("*/batch/*.json")) if ROOT.is_dir() else []
OUTPUTS = [
    file
    for file in (sorted((ROOT / "openai" / "files").glob("*.json")) if ROOT.is_dir() else [])
    if '"custom_id"' in str(load(file)["response"].get("body_text"))
]
OVER = {"completed", "ended"}
RUNNING = {"validating", "in_progress", "cancelling", "QUEUED", "BATCH_STATE_PENDING", "failed"}


def stated(body: dict[str, Any]) -> dict[str, Any]:
    """What one batch says of itself, read here by plain means."""
    metadata = body.get("metadata") or {}
    word = body.get("status") or body.get("processing_status") or metadata.get("state") or ""
    counts = body.get("request_counts") or body.get("state") or {}
    names = {"succeeded": ("completed", "succeeded", "num_success"), "failed": ("failed", "errored", "num_error")}
    found = {ours: next((counts[name] for name in theirs if counts.get(name)), 0) for ours, theirs in names.items()}
    state = "done" if word in OVER else "failed" if word == "failed" else "running"
    said = {
        "id": body.get("id") or body.get("batch_id") or body.get("name"), "state": state, "raw_state": word,
        "counts": {name: value for name, value in found.items() if value},
    }  # fmt: skip
    return {name: value for name, value in said.items() if value}


@needs_recordings
@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_batches_are_read_as_the_bodies_say(file: Any) -> None:
    exchange = load(file)
    report = replay_exchange(exchange)
    assert report.verdict == "read", report.detail
    content, body = json.loads(report.content), exchange["response"].get("body")
    if (text := exchange["response"].get("body_text")) is not None:
        if text == "null":
            assert content["submitted"].startswith("batch_")
            return
        rows = [json.loads(line) for line in text.splitlines()]
        assert [(line["id"], line["content"]) for line in content["lines"]] == [
            (row["custom_id"], row["result"]["message"]["content"][0]["text"]) for row in rows
        ]
        return
    found = content.get("batches", [content])
    rows = body.get("data", [body])
    for row in found:
        row.pop("error", None)
    assert found == [stated(row) for row in rows]


@needs_recordings
@pytest.mark.parametrize("file", OUTPUTS, ids=name_of)
def test_files_of_answers_are_read_line_by_line(file: Any) -> None:
    exchange = load(file)
    report = replay_exchange(exchange)
    assert report.verdict == "read", report.detail
    rows = [json.loads(line) for line in exchange["response"]["body_text"].splitlines()]
    lines = json.loads(report.content)["lines"]
    assert [line["id"] for line in lines] == [row["custom_id"] for row in rows]
    for line, row in zip(lines, rows, strict=True):
        usage = row["response"]["body"]["usage"]
        assert line["state"] == "succeeded"
        assert line["usage"] == [usage.get("input_tokens", usage.get("prompt_tokens")), usage.get("output_tokens", 0)]
        assert line.get("content") or line.get("vectors")


@needs_recordings
def test_all_of_them_are_read() -> None:
    assert len(FILES) == 22
    assert len(OUTPUTS) == 2
