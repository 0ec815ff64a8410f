"""Recorded realtime sessions, and what an independent reading of their frames says: nothing of ours is used here."""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path
from typing import Any

from recordings.store import ROOT, load

PROVIDERS = ("openai", "azure", "xai")
LIVE = ("google",)
"""Those who speak Gemini Live."""
NOT_SESSIONS = {
    "openai/realtime/pydantic-ai--test-webrtc-test-create-client-secret--00": "a request over HTTP for a token",
    "openai/realtime/ruby-openai--cassettes-realtime-session-create-with-params--00": (
        "a request over HTTP of the beta, for a token in a form that is gone"
    ),
}


def session_files(providers: tuple[str, ...] = PROVIDERS) -> list[Path]:
    folders = [ROOT / name / "realtime" for name in providers]
    files = [file for folder in folders if ROOT.is_dir() for file in sorted(folder.glob("*.json"))]
    return [file for file in files if load(file)["response"].get("frames")]


def frames_of(file: Path, direction: str) -> list[dict[str, Any]]:
    return [frame["data"] for frame in load(file)["response"]["frames"] if frame["direction"] == direction]


def read_frames(frames: list[dict[str, Any]]) -> dict[str, Any]:
    """What a session says, by kind."""
    found: dict[str, Any] = {
        "said": "", "written": "", "heard": [], "heard_pieces": "", "sound": b"", "calls": [], "answers": [],
        "tokens": [], "speech": [], "sessions": 0, "items": 0, "limits": 0,
    }  # fmt: skip
    for frame in frames:
        kind = frame["type"].replace("response.audio", "response.output_audio")
        kind = kind.replace("response.text", "response.output_text")
        if kind in ("response.output_audio.delta", "session.output_audio.delta"):
            found["sound"] += b64decode(frame["delta"])
        elif kind in ("response.output_audio_transcript.delta", "session.output_transcript.delta"):
            found["said"] += frame["delta"]
        elif kind == "response.output_text.delta":
            found["written"] += frame["delta"]
        elif kind in ("conversation.item.input_audio_transcription.delta", "session.input_transcript.delta"):
            found["heard_pieces"] += frame["delta"]
        elif kind == "conversation.item.input_audio_transcription.completed":
            found["heard"].append(frame["transcript"])
        elif kind == "response.function_call_arguments.done":
            found["calls"].append((frame["call_id"], frame["name"], frame["arguments"]))
        elif kind in ("input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped"):
            found["speech"].append(frame.get("audio_start_ms", frame.get("audio_end_ms")))
        elif kind in ("session.created", "session.updated"):
            found["sessions"] += 1
        elif kind in ("conversation.item.added", "conversation.item.created", "conversation.item.done"):
            found["items"] += 1
        elif kind == "rate_limits.updated":
            found["limits"] += len(frame["rate_limits"])
        elif kind == "response.done":
            response = frame["response"]
            usage = frame.get("usage") or response["usage"]
            found["answers"].append((response["id"], response["status"], _words(response["output"])))
            found["tokens"].append((usage["input_tokens"], usage["output_tokens"], usage["total_tokens"]))
    return found


def _words(output: list[dict[str, Any]]) -> str:
    parts = [part for item in output for part in item.get("content") or ()]
    return "".join(part.get("transcript") or part.get("text") or "" for part in parts)
