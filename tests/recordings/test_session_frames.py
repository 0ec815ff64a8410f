"""Recorded sessions of transcription, frame by frame: what is heard equals what an independent reading of them says.

Sessions of realtime voice are read elsewhere. There are none of the other sockets of speech and transcription.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from betterai.core.exceptions import StreamInterrupted
from betterai.core.results import TranscriptChunk
from betterai.core.settings import TranscriptionSettings
from betterai.core.wire import Call
from betterai.providers import load_provider
from betterai.runtime.replay.round_trip import find_model
from recordings.store import ROOT, load, name_of, needs_recordings

pytestmark = [pytest.mark.recordings, needs_recordings]
FILES = sorted((ROOT / "deepgram" / "realtime").glob("*.json"))


def test_there_is_one() -> None:
    assert len(FILES) == 1


def open_state(**settings: Any) -> Any:
    provider: Any = load_provider("deepgram")
    model = find_model("deepgram", "flux-general-en")
    call: Any = Call(model=model, input=None, settings=TranscriptionSettings(**settings))
    return provider.protocols["audio"]["deepgram_flux"].open(call)


@pytest.mark.parametrize("file", FILES, ids=map(name_of, FILES))
def test_flux_is_heard_as_its_frames_say(file: Path) -> None:
    frames = [frame["data"] for frame in load(file)["response"]["frames"] if frame["direction"] == "received"]
    told = [item for item in map(json.loads, frames) if item["type"] == "TurnInfo"]
    ended = [item for item in told if item["event"] == "EndOfTurn"]
    state, plain = open_state(interim=True), open_state()
    chunks: list[TranscriptChunk] = [chunk for frame in frames for chunk in state.receive(frame)[0]]
    few = [chunk for frame in frames for chunk in plain.receive(frame)[0]]
    kinds = {"StartOfTurn": "turn_started", "EagerEndOfTurn": "turn_ending", "TurnResumed": "turn_resumed",
             "EndOfTurn": "turn_ended", "Update": ""}  # fmt: skip
    expected = [item for item in told if item["transcript"] or item["event"] != "Update"]
    assert [(chunk.text.strip(), chunk.event, chunk.turn) for chunk in chunks] == [
        (item["transcript"], kinds[item["event"]], item["turn_index"]) for item in expected
    ]
    for chunk, item in zip(chunks, expected, strict=True):
        words = [(word["word"], word["start"], word["end"], word["confidence"]) for word in item["words"]]
        assert [(word.text, word.start, word.end, word.confidence) for word in chunk.words or ()] == words
    assert [chunk.text for chunk in chunks if chunk.final] == [item["transcript"] for item in ended]
    assert [chunk.event for chunk in few] == ["turn_started", "turn_ending", "turn_ended"]
    with pytest.raises(StreamInterrupted):
        state.finish(1000, "")
    state.send(None)
    *_, last = state.finish(1000, "")
    assert last.response.text == " ".join(item["transcript"] for item in ended)
    assert last.response.seconds == told[-1]["audio_window_end"]
    assert last.response.request_id == told[-1]["request_id"]
    assert len(last.response.words) == sum(len(item["words"]) for item in ended)
