"""OpenAI's own Responses (https://platform.openai.com/docs/api-reference/responses)."""

from __future__ import annotations

from betterai.providers.openai.options import OpenAIOptions
from betterai.wire.openai_responses import OpenAIResponses


class OpenAIOwnResponses(OpenAIResponses):
    """The protocol as it is, with the options that only OpenAI has."""

    strict_default = True
    instead = "openai_chat"
    vendor_options = frozenset(OpenAIOptions.__annotations__)
