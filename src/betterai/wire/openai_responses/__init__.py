"""The Responses protocol, both halves (https://platform.openai.com/docs/api-reference/responses)."""

from betterai.wire.openai_responses.background import OpenAIResponsesBackground, find_background
from betterai.wire.openai_responses.client import OpenAIResponses
from betterai.wire.openai_responses.count import OpenAIResponsesCount
from betterai.wire.openai_responses.open_models import OpenModelsResponses
from betterai.wire.openai_responses.server import OpenAIResponsesSurface

__all__ = [
    "OpenAIResponses",
    "OpenAIResponsesBackground",
    "OpenAIResponsesCount",
    "OpenAIResponsesSurface",
    "OpenModelsResponses",
    "find_background",
]
