"""Results of tools as the items that answer the calls: one form for functions, others for built-in tools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from betterai.core.media import Media
from betterai.core.message import MediaPart, Text, ToolResult
from betterai.core.model import ModelConfig
from betterai.wire.cache_marks import NO_PLACE, mark_last
from betterai.wire.openai_responses.content import build_cache_mark, build_media
from betterai.wire.openai_responses.protocol import PROTOCOL
from betterai.wire.report import Report
from betterai.wire.residue import write_back

if TYPE_CHECKING:
    from betterai.wire.openai_responses.client import OpenAIResponses


def build_output(
    codec: OpenAIResponses, part: ToolResult, kind: str, model: ModelConfig, report: Report
) -> dict[str, Any]:
    """The item that answers a call of type `kind`."""
    if part.cache is not None and not kind.startswith(("function", "custom")):
        report.drop("messages.cache", NO_PLACE)
    if kind == "computer_call":
        return {"type": "computer_call_output", "call_id": part.id, "output": _build_screenshot(part, report)}
    if kind == "mcp_approval_request":
        answer = {"type": "mcp_approval_response", "approval_request_id": part.id, "approve": not part.is_error}
        return {**answer, "reason": part.text} if part.text else answer
    if kind == "apply_patch_call":
        status = "failed" if part.is_error else "completed"
        return {"type": "apply_patch_call_output", "call_id": part.id, "status": status, "output": part.text}
    if kind == "shell_call":
        outcome = {"type": "exit", "exit_code": 1 if part.is_error else 0}
        output = [{"stdout": "" if part.is_error else part.text, "stderr": "", "outcome": outcome}]
        if part.is_error:
            output[0]["stderr"] = part.text
        return {"type": "shell_call_output", "call_id": part.id, "output": output}
    if part.is_error:
        report.drop("messages.is_error", "this protocol has no mark for failed tools: say it in the text")
    if kind == "local_shell_call":
        return {"type": "local_shell_call_output", "id": part.id, "output": part.text}
    named = "custom_tool_call_output" if kind == "custom_tool_call" else "function_call_output"
    return {"type": named, "call_id": part.id, "output": _build_content(codec, part, model, report)}


def _build_content(codec: OpenAIResponses, part: ToolResult, model: ModelConfig, report: Report) -> Any:
    """A text, or a list of parts where there is more than one plain text."""
    parts = mark_last(part, report)
    if not parts:
        return ""
    if len(parts) == 1 and isinstance(parts[0], Text) and parts[0].opaque is None and parts[0].cache is None:
        return parts[0].text
    if not codec.tool_media and any(isinstance(item, MediaPart) for item in parts):
        report.drop("media", "tool results hold text only here", hint="put media into a user message")
    return [_build_part(codec, item, model, report) for item in parts]


def _build_part(codec: OpenAIResponses, part: Text | MediaPart, model: ModelConfig, report: Report) -> dict[str, Any]:
    body = (
        build_media(codec, part, report) if isinstance(part, MediaPart) else {"type": "input_text", "text": part.text}
    )
    if part.cache is not None:
        build_cache_mark(codec, body, part.cache, report, taken=True)
    write_back(body, part.opaque, PROTOCOL, model, report)
    return body


def _build_screenshot(part: ToolResult, report: Report) -> dict[str, Any]:
    """The picture of the screen after what the model did."""
    found = [item.media for item in part.parts if isinstance(item, MediaPart) and item.media.kind == "image"]
    if not found:
        report.drop("media", "a computer call is answered with a picture of the screen", hint="add an image part")
    if part.text:
        report.drop("messages.tool_calls", "the text beside a picture of the screen has no place")
    media: Media = found[-1]
    shown = {"file_id": media.file_id} if media.file_id is not None else {"image_url": media.url or media.to_data_url()}
    return {"type": "computer_screenshot", **shown}
