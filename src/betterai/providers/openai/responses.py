"""OpenAI's own Responses (https://platform.openai.com/docs/api-reference/responses)."""

from __future__ import annotations

from betterai.core.codec import TextCall
from betterai.providers.openai.options import OpenAIOptions
from betterai.wire.openai_responses import OpenAIResponses, OpenAIResponsesBackground, find_background


class OpenAIOwnResponses(OpenAIResponses):
    """The protocol as it is, with the options that only OpenAI has."""

    strict_default = True
    instead = "openai_chat"
    vendor_options = frozenset(OpenAIOptions.__annotations__)

    def background(self, call: TextCall) -> OpenAIResponsesBackground | None:
        return find_background(self, call)
