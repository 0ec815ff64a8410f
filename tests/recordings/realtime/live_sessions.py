"""Recorded sessions of Gemini Live, and what an independent reading of their frames says: nothing of ours is used."""

from __future__ import annotations

import re
from base64 import b64decode
from typing import Any

ELIDED = re.compile(r"<<ELIDED[^>]*>>")
"""Stands in long base64 for what the recording left out."""


def whole(frame: Any) -> Any:
    """A frame without what is no base64 in it."""
    if isinstance(frame, dict):
        return {name: whole(value) for name, value in frame.items()}
    if isinstance(frame, list):
        return [whole(value) for value in frame]
    return ELIDED.sub("", frame) if isinstance(frame, str) else frame


def as_protocol(frame: dict[str, Any]) -> dict[str, Any]:
    """The exceptions: the name of the frame in the protocol's own spelling, base64 in its usual alphabet. The client
    that was recorded writes underscores there, and the alphabet of URLs; the provider takes both.
    """
    names = {
        "realtime_input": "realtimeInput",
        "client_content": "clientContent",
        "tool_response": "toolResponse",
    }
    frame = {names.get(name, name): value for name, value in frame.items()}
    audio = frame.get("realtimeInput", {}).get("audio")
    if audio is not None:
        audio["data"] = audio["data"].replace("-", "+").replace("_", "/")
    return frame


def read_live(frames: list[dict[str, Any]]) -> dict[str, Any]:
    """What a session says, by kind. A turn ends with `turnComplete`."""
    found: dict[str, Any] = {
        "said": "", "thought": "", "heard": "", "sound": b"", "calls": [], "turns": [], "handles": [], "sessions": [],
    }  # fmt: skip
    spoken = ""
    for frame in frames:
        if "setupComplete" in frame:
            found["sessions"].append(frame["setupComplete"].get("sessionId", ""))
        for call in frame.get("toolCall", {}).get("functionCalls", []):
            found["calls"].append((call["id"], call["name"], call["args"]))
        if "sessionResumptionUpdate" in frame:
            found["handles"].append(frame["sessionResumptionUpdate"]["newHandle"])
        content = frame.get("serverContent", {})
        found["heard"] += content.get("inputTranscription", {}).get("text", "")
        words = content.get("outputTranscription", {}).get("text", "")
        spoken += words
        found["said"] += words
        for part in content.get("modelTurn", {}).get("parts", []):
            if part.get("thought"):
                found["thought"] += part["text"]
            elif "inlineData" in part:
                found["sound"] += b64decode(part["inlineData"]["data"])
        if content.get("turnComplete"):
            usage = frame["usageMetadata"]
            output = usage.get("responseTokenCount", usage.get("candidatesTokenCount", 0))
            thoughts = usage.get("thoughtsTokenCount", 0)
            found["turns"].append((spoken, usage["promptTokenCount"], output + thoughts, thoughts))
            spoken = ""
    return found
