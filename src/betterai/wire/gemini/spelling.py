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


_SAID = ("", "/generationConfig")
"""Where the other spelling is said: it is seldom. The official SDK uses it further inside, and it is kept there."""


def read_spelling(body: Mapping[str, Any], warnings: list[CallWarning]) -> tuple[dict[str, Any], frozenset[str]]:
    """The body with the protocol's own spelling everywhere, and the names for which all of it had the other one."""
    reader = _Reader()
    read = reader.read(body, "")
    kept = reader.inner.keys() - reader.camel
    for snake, name in {**reader.outer, **reader.inner}.items():
        if snake not in kept or snake in reader.outer:
            warnings.append(CallWarning(code="translated", field=snake, message=f"read as {name}"))
    return dict(read), frozenset(kept)


class _Reader:
    """`outer` and `inner` are the names that were read; `camel` those that were met in the protocol's own spelling."""

    def __init__(self) -> None:
        self.outer: dict[str, str] = {}
        self.inner: dict[str, str] = {}
        self.camel: set[str] = set()

    def read(self, value: Any, place: str) -> Any:
        if place not in _ON_THE_WAY:
            return value
        if isinstance(value, list):
            return [self.read(item, f"{place}/*") for item in value]
        if not isinstance(value, Mapping):
            return value
        names: Mapping[str, str] = _KNOWN.get(place, {})
        read: dict[str, Any] = {}
        key: str
        for key, item in value.items():
            name = names.get(key, key)
            if name != key and name not in value:
                (self.outer if place in _SAID else self.inner)[key] = name
            else:
                name = key
                self.camel.add(_to_snake(key))
            read[name] = self.read(item, f"{place}/{name}")
        return read


def write_spelling(value: Any, names: frozenset[str], place: str = "") -> Any:
    """The inverse, for the names that were kept."""
    if place not in _ON_THE_WAY:
        return value
    if isinstance(value, list):
        return [write_spelling(item, names, f"{place}/*") for item in value]
    if not isinstance(value, Mapping):
        return value
    kept = {name: snake for snake, name in _KNOWN.get(place, {}).items() if snake in names and place not in _SAID}
    return {kept.get(name, name): write_spelling(item, names, f"{place}/{name}") for name, item in value.items()}
