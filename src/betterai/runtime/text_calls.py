"""The module's functions of text, such as `betterai.generate`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from betterai.core.base import BaseTextProvider
from betterai.core.config import CoreConfig
from betterai.core.message import Messages
from betterai.core.options import GenerationOptions
from betterai.core.response import Output, ProviderResponse
from betterai.core.results import TokenCount
from betterai.core.settings import GenerationSettings
from betterai.runtime.client import default_client
from betterai.runtime.stream import TextStream

if TYPE_CHECKING:
    from betterai.core.runs import ToolRun
    from betterai.runtime.tools.loop import Approve
    from betterai.runtime.tools.stream import ToolStream


async def generate(
    model: str | BaseTextProvider,
    messages: Messages,
    *,
    system: str | None = None,
    config: CoreConfig | None = None,
    settings: GenerationSettings | None = None,
    **options: Unpack[GenerationOptions[Output]],
) -> ProviderResponse[Output]:
    """Generate one answer: `await betterai.generate("groq/openai/gpt-oss-120b", "Hello")`. Raises `BetterAIError`."""
    client = default_client()
    return await client.generate(model, messages, system=system, config=config, settings=settings, **options)


def stream(
    model: str | BaseTextProvider,
    messages: Messages,
    *,
    system: str | None = None,
    config: CoreConfig | None = None,
    settings: GenerationSettings | None = None,
    **options: Unpack[GenerationOptions[Output]],
) -> TextStream[Output]:
    """Stream one answer: `async for chunk in betterai.stream("groq/openai/gpt-oss-120b", "Hello")`."""
    return default_client().stream(model, messages, system=system, config=config, settings=settings, **options)


async def run_tools(
    model: str | BaseTextProvider,
    messages: Messages,
    *,
    system: str | None = None,
    max_steps: int = 8,
    approve: Approve | None = None,
    config: CoreConfig | None = None,
    settings: GenerationSettings | None = None,
    **options: Unpack[GenerationOptions],
) -> ToolRun:
    """Generate, run the tools that the model calls, and go on until it has answered.

    `tools` are made by `betterai.tool`; those of one answer run at once, sync ones in threads. What a tool raises is
    told to the model. `max_steps` is how many answers the model may give: then `StepLimitReached` is raised, which
    holds the run. `approve` is asked before each call. A history that ends with calls goes on with these.
    """
    client = default_client()
    return await client.run_tools(
        model,
        messages,
        system=system,
        max_steps=max_steps,
        approve=approve,
        config=config,
        settings=settings,
        **options,
    )


def stream_tools(
    model: str | BaseTextProvider,
    messages: Messages,
    *,
    system: str | None = None,
    max_steps: int = 8,
    approve: Approve | None = None,
    config: CoreConfig | None = None,
    settings: GenerationSettings | None = None,
    **options: Unpack[GenerationOptions],
) -> ToolStream:
    """`run_tools` as a stream; `stream.run` holds what was done, also after an error."""
    return default_client().stream_tools(
        model,
        messages,
        system=system,
        max_steps=max_steps,
        approve=approve,
        config=config,
        settings=settings,
        **options,
    )


async def count_tokens(
    model: str | BaseTextProvider,
    messages: Messages,
    *,
    system: str | None = None,
    config: CoreConfig | None = None,
    settings: GenerationSettings | None = None,
    **options: Unpack[GenerationOptions],
) -> TokenCount:
    """How many input tokens a call would have: `await betterai.count_tokens("groq/openai/gpt-oss-120b", "Hello")`."""
    client = default_client()
    return await client.count_tokens(model, messages, system=system, config=config, settings=settings, **options)
