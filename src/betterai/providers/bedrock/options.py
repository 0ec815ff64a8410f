"""What only Bedrock understands, for `settings.options["bedrock"]`.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html; botocore 1.44, ConverseStreamRequest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict


class GuardrailConfig(TypedDict, total=False):
    guardrailIdentifier: str
    guardrailVersion: str
    trace: Literal["enabled", "disabled", "enabled_full"]
    streamProcessingMode: Literal["sync", "async"]
    """For streams only."""


class PerformanceConfig(TypedDict, total=False):
    latency: Literal["standard", "optimized"]


class PromptVariable(TypedDict, total=False):
    text: str


class BedrockOptions(TypedDict, total=False):
    """Fields of Converse that our settings do not name, sent under these names."""

    guardrailConfig: GuardrailConfig
    performanceConfig: PerformanceConfig
    promptVariables: Mapping[str, PromptVariable]
    projectIdentifier: str
    additionalModelRequestFields: Mapping[str, Any]
    """The model's own fields, such as `anthropic_beta`; merged with those that our settings become."""
    additionalModelResponseFieldPaths: Sequence[str]
    """JSON pointers of fields of the model's own answer; they are in `response.raw`."""


class BedrockResponsesOptions(TypedDict, total=False):
    """Fields of Responses that our settings do not name."""

    include: Sequence[str]
    previous_response_id: str
    truncation: str
    max_tool_calls: int
