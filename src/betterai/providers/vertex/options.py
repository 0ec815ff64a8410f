"""What only Vertex AI understands, for `settings.options["vertex"]`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict


class VertexOptions(TypedDict, total=False):
    """Fields of Vertex AI, sent under these names (google-genai 3.6.1, types.py, and its converters for Vertex AI)."""

    audioTimestamp: bool
    audioTranscriptionConfig: Mapping[str, Any]
    cachedContent: str
    """The name of a cache of content: `projects/…/locations/…/cachedContents/…`."""
    continuationToken: str
    imageConfig: Mapping[str, Any]
    """aspectRatio, imageSize, personGeneration, imageOutputOptions, for models that draw."""
    labels: Mapping[str, str]
    """Shown in the bill."""
    mediaResolution: str
    """Of all media of the request: MEDIA_RESOLUTION_LOW, _MEDIUM or _HIGH."""
    modelArmorConfig: Mapping[str, str]
    """promptTemplateName and responseTemplateName."""
    modelSelectionConfig: Mapping[str, Any]
    responseJsonSchema: Mapping[str, Any]
    responseMimeType: str
    """`text/x.enum`, with a schema that has an enum; for JSON `response_format` says it."""
    responseSchema: Mapping[str, Any]
    routingConfig: Mapping[str, Any]
    safetySettings: Sequence[Mapping[str, str]]
    """A threshold for each category: `{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}`."""
    speechConfig: Mapping[str, Any]
    """Voices of one speaker or two; a single voice is said by `audio`."""
    thinkingConfig: Mapping[str, Any]
    toolConfig: Mapping[str, Any]
    """functionCallingConfig with streamFunctionCallArguments, retrievalConfig; merged with what `tool_choice` says."""
