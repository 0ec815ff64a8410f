"""The server halves by protocol: what a gateway can serve, and a relay can pass through."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from betterai.core.codec import TextSurface
from betterai.wire.openai_chat import OpenAIChatSurface
from betterai.wire.openai_responses import OpenAIResponsesSurface

SURFACES: Mapping[str, Callable[[], TextSurface]] = {
    OpenAIChatSurface.protocol: OpenAIChatSurface,
    OpenAIResponsesSurface.protocol: OpenAIResponsesSurface,
}
