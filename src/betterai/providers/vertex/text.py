"""Gemini on Vertex AI: where it is asked, and what differs (google-genai 3.6.1, models.py, 2026-11-28)."""

from __future__ import annotations

from typing import ClassVar

from betterai.core.codec import TextCall
from betterai.providers.vertex.place import find_model_path
from betterai.wire.gemini import Gemini, GeminiCount
from betterai.wire.gemini.fields import BODY_OPTIONS, CONFIG_OPTIONS


class VertexText(Gemini):
    """A model of another publisher is PUBLISHER/MODEL; a tuned one is endpoints/NUMBER."""

    unsupported: ClassVar = {"store": "Vertex AI does not take it"}
    body_options: ClassVar = BODY_OPTIONS | {"modelArmorConfig"}
    config_options: ClassVar = CONFIG_OPTIONS | {"audioTimestamp", "routingConfig", "modelSelectionConfig"}

    def address(self, call: TextCall, method: str) -> str:
        """The path under the base URL, which names the project and the location."""
        return f"{find_model_path(call.model.id)}:{method}"


class VertexCount(GeminiCount):
    """It counts contents, instruction and tools as they are: they are not wrapped."""

    wrapped = False
