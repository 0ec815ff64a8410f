"""Mistral's moderation (https://docs.mistral.ai/capabilities/guardrailing, mistralai 3.7.0)."""

from __future__ import annotations

from typing import ClassVar

from betterai.wire.openai_moderations import OpenAIModerations


class MistralModerations(OpenAIModerations):
    """Texts alone are judged. A reply says of each category whether it was met, and of none that it is flagged."""

    accepts: ClassVar = {}
    vendor_options: ClassVar = frozenset({"metadata"})
