"""Gemini's generateContent, read independently."""

from __future__ import annotations

import json
from typing import Any

from recordings.reading import Reading

FINISH = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "MODEL_ARMOR": "content_filter",
    "IMAGE_SAFETY": "content_filter",
    "MALFORMED_FUNCTION_CALL": "error",
    "UNEXPECTED_TOOL_CALL": "error",
    "NO_IMAGE": "error",
    "MISSING_THOUGHT_SIGNATURE": "error",
    "TOO_MANY_TOOL_CALLS": "error",
    "MALFORMED_RESPONSE": "error",
    "CONTINUATION": "pause",
}
NUMBERS = {1: "STOP", 2: "MAX_TOKENS", 3: "SAFETY", 4: "RECITATION"}
"""What some clients ask for in place of words (`$alt=json;enum-encoding=int`)."""


def expect(exchange: dict[str, Any]) -> dict[str, Any]:
    response = exchange["response"]
    body = response.get("body")
    if response["status"] >= 400:
        error = (body[0] if isinstance(body, list) else body)["error"]
        return {"status": response["status"], "message": error if isinstance(error, str) else error["message"]}
    if isinstance(body, dict):
        return _expect([body], streamed=False)
    return _expect(body if isinstance(body, list) else list(_events(response["body_text"])), streamed=True)


def _events(text: str) -> Any:
    for line in text.replace("\r\n", "\n").split("\n"):
        if line.startswith("data:"):
            yield json.loads(line[5:])


def _expect(replies: list[dict[str, Any]], *, streamed: bool) -> dict[str, Any]:
    content, reasoning, finish = "", "", ""
    calls: list[tuple[str, str]] = []
    usage: dict[str, Any] | None = None
    for reply in replies:
        if "error" in reply:
            return {"status": reply["error"]["code"], "message": reply["error"]["message"]}
        usage = reply.get("usageMetadata") or usage
        if blocked := (reply.get("promptFeedback") or {}).get("blockReason"):
            finish = blocked
        for candidate in reply.get("candidates") or []:
            if candidate.get("index", 0) != 0:
                continue
            word = candidate.get("finishReason") or finish
            finish = NUMBERS.get(word, word)
            for part in (candidate.get("content") or {}).get("parts") or []:
                if part.get("thought"):
                    reasoning += part.get("text", "")
                else:
                    content += part.get("text", "")
                calls.extend(_calls(part))
    asked = any(not name.startswith("server:") for name, _ in calls)
    return {
        "content": content,
        "reasoning": reasoning,
        "tool_calls": [(name.removeprefix("server:"), text) for name, text in calls],
        "raw_finish_reason": finish,
        "finish_reason": "tool_calls"
        if asked and finish == "STOP"
        else FINISH.get(finish, "other")
        if finish
        else None,
        "usage": _usage(usage),
    }


def _calls(part: dict[str, Any]) -> Any:
    """Calls of functions; and of tools that run at the provider, under the names that are neutral here."""
    if call := part.get("functionCall"):
        yield call["name"], json.dumps(call.get("args") or {})
    if code := part.get("executableCode"):
        yield "server:code_execution", json.dumps({name: value for name, value in code.items() if name != "id"})
    if call := part.get("toolCall"):
        yield f"server:{call['toolType'].lower()}", json.dumps(call.get("args") or {})


def _usage(body: dict[str, Any] | None) -> dict[str, Any] | None:
    if not body or not body.keys() & {"promptTokenCount", "candidatesTokenCount", "totalTokenCount"}:
        return None
    thoughts = body.get("thoughtsTokenCount")
    prompt = body.get("promptTokenCount", 0) + body.get("toolUsePromptTokenCount", 0)
    return {
        "input": prompt,
        "output": body.get("candidatesTokenCount", 0) + (thoughts or 0),
        "cache_read": body.get("cachedContentTokenCount"),
        "cache_write": None,
        "reasoning": thoughts,
    }


def is_own(exchange: dict[str, Any], path: str) -> bool:
    """Where no address was kept, the reply tells: one of them made a cache."""
    body = exchange["response"].get("body")
    if not path and isinstance(body, dict):
        return bool(body.keys() & {"candidates", "promptFeedback", "error"})
    return not path or path.endswith((":generateContent", ":streamGenerateContent"))


SHEET = frozenset(
    [
        "contents", "systemInstruction", "tools", "toolConfig", "safetySettings", "cachedContent", "labels",
        "serviceTier", "store", "continuationToken", "generationConfig", "temperature", "topP", "topK",
        "candidateCount", "maxOutputTokens", "stopSequences", "responseLogprobs", "logprobs", "presencePenalty",
        "frequencyPenalty", "seed", "responseMimeType", "responseSchema", "responseJsonSchema", "responseModalities",
        "mediaResolution", "speechConfig", "thinkingConfig", "imageConfig", "enableEnhancedCivicAnswers",
        "audioTranscriptionConfig", "role", "parts", "text", "inlineData", "mimeType", "data", "fileData", "fileUri",
        "functionCall", "id", "name", "args", "functionResponse", "response", "thought", "functionDeclarations",
        "description", "parameters", "parametersJsonSchema", "googleSearch", "urlContext", "codeExecution",
        "googleMaps", "fileSearch", "computerUse", "mcpServers", "functionCallingConfig", "mode",
        "allowedFunctionNames", "streamFunctionCallArguments", "includeServerSideToolInvocations",
        "retrievalConfig", "includeThoughts", "thinkingBudget", "thinkingLevel",
    ]
)  # fmt: skip
"""Signatures, what tools of the provider said, and the modifiers of films are carried on purpose: they are verbatim."""
CARRIED = tuple(f"/functionDeclarations/{index}/responseJsonSchema" for index in range(8))
"""What a function answers, which our tools do not say."""
VENDORS_SHEETS = {"vertex": frozenset(["audioTimestamp", "modelArmorConfig", "routingConfig", "modelSelectionConfig"])}

READING = Reading(
    kinds=("gemini",),
    providers=("google", "vertex"),
    is_own=is_own,
    expect=expect,
    sheet=SHEET,
    vendors_sheets=VENDORS_SHEETS,
    not_read=("/thought", "/systemInstruction/role", "/generationConfig", "/codeExecution", *CARRIED),
    added=(),
)
"""An explicit `thought: false`, the role of an instruction, an empty `generationConfig` say nothing."""
