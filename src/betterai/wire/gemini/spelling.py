"""Fields that clients spell with underscores, which the protocol takes as well (ProtoJSON): read as it writes them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from betterai.core.response import CallWarning

_PART = (
    "inlineData fileData functionCall functionResponse executableCode codeExecutionResult toolCall toolResponse "
    "thoughtSignature videoMetadata mediaResolution partMetadata audioTranscription"
)
_NAMES: dict[str, str] = {
    "": "systemInstruction toolConfig generationConfig safetySettings cachedContent serviceTier continuationToken "
    "modelArmorConfig",
    "/generationConfig": "topP topK candidateCount maxOutputTokens stopSequences responseLogprobs presencePenalty "
    "frequencyPenalty responseMimeType responseSchema responseJsonSchema responseModalities mediaResolution "
    "speechConfig thinkingConfig imageConfig enableEnhancedCivicAnswers audioTranscriptionConfig audioTimestamp "
    "routingConfig modelSelectionConfig",
    "/generationConfig/thinkingConfig": "includeThoughts thinkingBudget thinkingLevel",
    "/generationConfig/imageConfig": "aspectRatio imageSize",
    "/generationConfig/speechConfig": "voiceConfig multiSpeakerVoiceConfig languageCode",
    "/generationConfig/speechConfig/voiceConfig": "prebuiltVoiceConfig",
    "/generationConfig/speechConfig/voiceConfig/prebuiltVoiceConfig": "voiceName",
    "/contents/*/parts/*": _PART,
    "/contents/*/parts/*/functionResponse": "willContinue",
    "/contents/*/parts/*/functionResponse/parts/*": _PART,
    "/contents/*/parts/*/toolCall": "toolType",
    "/contents/*/parts/*/toolResponse": "toolType",
    "/contents/*/parts/*/videoMetadata": "startOffset endOffset",
    "/systemInstruction/parts/*": _PART,
    "/tools/*": "functionDeclarations googleSearch urlContext codeExecution googleMaps fileSearch computerUse "
    "mcpServers googleSearchRetrieval",
    "/tools/*/functionDeclarations/*": "parametersJsonSchema responseJsonSchema",
    "/tools/*/fileSearch": "fileSearchStoreNames topK metadataFilter",
    "/toolConfig": "functionCallingConfig retrievalConfig includeServerSideToolInvocations",
    "/toolConfig/functionCallingConfig": "allowedFunctionNames streamFunctionCallArguments",
    "/modelArmorConfig": "promptTemplateName responseTemplateName",
}
for _parts in ("/contents/*/parts/*", "/contents/*/parts/*/functionResponse/parts/*", "/systemInstruction/parts/*"):
    _NAMES[f"{_parts}/inlineData"] = "mimeType displayName"
    _NAMES[f"{_parts}/fileData"] = "mimeType fileUri displayName"


def _to_snake(name: str) -> str:
    return re.sub("([A-Z])", r"_\1", name).lower()


_KNOWN = {
    place: {_to_snake(name): name for name in names.split() if _to_snake(name) != name}
    for place, names in _NAMES.items()
}
_ON_THE_WAY = frozenset(
    place[:end] for place in _NAMES for end in range(len(place) + 1) if end == len(place) or place[end] == "/"
)
"""Every place that is one of those, or holds one."""


def _find_pointers() -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for place, names in _KNOWN.items():
        for snake, name in names.items():
            found.setdefault(snake, []).extend((f"{place}/{snake}", f"{place}/{name}"))
    return {name: tuple(places) for name, places in found.items()}


SNAKE_POINTERS: Mapping[str, tuple[str, ...]] = _find_pointers()
"""For each name with underscores, where it and the other spelling of it stand."""


def read_spelling(body: Mapping[str, Any], warnings: list[CallWarning]) -> dict[str, Any]:
    """The body with the protocol's own spelling everywhere; each other one is said once."""
    used: dict[str, str] = {}
    read = _read(body, "", used)
    for snake, name in used.items():
        warnings.append(CallWarning(code="translated", field=snake, message=f"read as {name}"))
    return dict(read)


def _read(value: Any, place: str, used: dict[str, str]) -> Any:
    if place not in _ON_THE_WAY:
        return value
    if isinstance(value, list):
        return [_read(item, f"{place}/*", used) for item in value]
    if not isinstance(value, Mapping):
        return value
    names = _KNOWN.get(place, {})
    read: dict[str, Any] = {}
    for key, item in value.items():
        name = key
        if key in names and names[key] not in value:
            name = used[key] = names[key]
        read[name] = _read(item, f"{place}/{name}", used)
    return read
