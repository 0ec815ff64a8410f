"""What the contract tests of realtime ask with: a value for every setting of a session, and what then goes out."""

from __future__ import annotations

from typing import Any

import msgspec

from betterai.core.media import Media
from betterai.core.realtime_input import UpdateSession
from betterai.core.realtime_settings import AudioFormat, RealtimeSettings, Transcription, TurnDetection
from betterai.core.settings import ReasoningControl
from betterai.core.tools import Tool
from betterai.core.wire import Call
from contract.cases import CODECS, Case, flatten

CASES = [case for case in CODECS if case.category == "realtime"]
CANARY = "canary-17"
GREETINGS = {"gemini_live": '{"setupComplete":{}}', "openai_live": '{"type":"session.started","session":{}}'}
"""What the server says before it takes anything behind the settings, by protocol."""
PIXEL = Media(kind="image", mime_type="image/png", data=b"\x89PNG")
SETTINGS: dict[str, Any] = {
    "instructions": CANARY, "voice": CANARY, "speed": 1.25, "language": "de", "modalities": ("text",),
    "input_format": AudioFormat(mime_type="audio/pcmu", rate=8000),
    "output_format": AudioFormat(mime_type="audio/pcmu", rate=8000),
    "tools": (Tool(name=CANARY, parameters={"type": "object", "properties": {}}),), "tool_choice": CANARY,
    "parallel_tool_calls": False, "turn_detection": TurnDetection(mode="server", threshold=0.375, silence_ms=1717),
    "transcription": Transcription(model=CANARY), "output_transcription": False, "noise_reduction": "far_field",
    "temperature": 0.0, "top_p": 0.375, "top_k": 17, "seed": 0, "max_tokens": 1717,
    "reasoning": ReasoningControl(effort="low"), "truncation": 0.375, "resumption": CANARY,
    "extra_body": {"unheard_of": CANARY}, "extra_headers": {"X-Unheard-Of": CANARY}, "extra_query": {"unheard_of": CANARY},
}  # fmt: skip
"""A value for every setting of a session, none of them a usual default. History is sent by the session itself."""


def begin(case: Case, **given: Any) -> tuple[Any, dict[str, Any], Any]:
    """A state whose settings were sent, all that went out for them, and the state's warnings."""
    call: Any = Call(model=case.model, input=None, settings=RealtimeSettings(**given), id="id", now=1.0)
    request = case.codec.connect(call)
    state = case.codec.open(call)
    frames = [msgspec.json.decode(frame) for frame in state.send(UpdateSession(settings=call.settings))]
    if greeting := GREETINGS.get(case.protocol):
        state.receive(greeting)
    sent = flatten(
        {"frames": frames, "query": dict(request.query), "headers": dict(request.headers), "url": request.url}
    )
    return state, sent, [*state.warnings, *request.warnings]
