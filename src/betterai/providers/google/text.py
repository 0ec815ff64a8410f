"""The Gemini API's deviations from its protocol (https://ai.google.dev/api/generate-content, 2026-11-22)."""

from __future__ import annotations

from typing import ClassVar

from betterai.wire.gemini import Gemini
from betterai.wire.gemini.fields import CONFIG_OPTIONS


class GoogleText(Gemini):
    """Its own protocol, as it is."""

    config_options: ClassVar = CONFIG_OPTIONS | {"enableEnhancedCivicAnswers"}
