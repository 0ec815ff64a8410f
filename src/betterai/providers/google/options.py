"""What only Google understands, for `settings.options["google"]` (https://ai.google.dev/api/generate-content)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict


class GoogleOptions(TypedDict, total=False):
    """Fields of the Gemini API, sent under these names (google-genai 3.6.1, types.py)."""

    audioTranscriptionConfig: Mapping[str, Any]
    """languageCodes, customVocabulary, wordTimestamp, diarization, mode: for models that transcribe."""
    cachedContent: str
    """The name of a cache of content: `cachedContents/…`."""
    continuationToken: str
    enableEnhancedCivicAnswers: bool
    imageConfig: Mapping[str, Any]
    """aspectRatio and imageSize, for models that draw."""
    labels: Mapping[str, str]
    mediaResolution: str
    """Of all media of the request: MEDIA_RESOLUTION_LOW, _MEDIUM or _HIGH."""
    responseJsonSchema: Mapping[str, Any]
    responseMimeType: str
    """`text/x.enum`, with a schema that has an enum; for JSON `response_format` says it."""
    responseSchema: Mapping[str, Any]
    safetySettings: Sequence[Mapping[str, str]]
    """A threshold for each category: `{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}`."""
    speechConfig: Mapping[str, Any]
    """Voices of one speaker or two; a single voice is said by `audio`."""
    thinkingConfig: Mapping[str, Any]
    toolConfig: Mapping[str, Any]
    """functionCallingConfig, includeServerSideToolInvocations, retrievalConfig; merged with what `tool_choice` says."""
