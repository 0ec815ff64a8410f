"""What a user writes, checked by mypy --strict: the public API must be typed without casts."""

from __future__ import annotations

import betterai
from betterai.providers.llamacpp.options import LlamaCppOptions
from betterai.providers.vllm.options import VLLMOptions


async def ask() -> str:
    response = await betterai.generate("local/echo", "Hello", temperature=0.2, max_tokens=10)
    cost: betterai.Cost | None = response.cost
    usage: betterai.Usage | None = response.usage
    print(cost.amount if cost else None, usage.input_tokens if usage else None)
    return response.content


async def follow() -> betterai.ProviderResponse:
    pieces: list[str] = []
    async with betterai.stream("local/echo", [{"role": "user", "content": "Hello"}]) as stream:
        async for chunk in stream:
            pieces.append(chunk.content)
            if chunk.tool_call is not None:
                index: int = chunk.tool_call.index
                print(index)
    return stream.response


class Mine(betterai.BaseTextProvider):
    def __init__(self, api_key: str) -> None:
        self.api_key = api_key


async def whole() -> None:
    betterai.register_text_provider("mine", Mine)
    provider: betterai.BaseTextProvider = betterai.get_text_provider(betterai.CoreConfig(model="local/echo"))
    settings = betterai.GenerationSettings(temperature=0.0, stop=["."], tools=[betterai.Tool(name="add")])
    temperature: float | None = settings.temperature
    print(temperature)
    response = await provider.generate([betterai.Message.user("Hi")], "echo", settings)
    calls: tuple[betterai.ToolCall, ...] = response.tool_calls
    print(calls)
    async with betterai.Client(timeout=5.0, retries=0) as client:
        await client.generate("local/echo", "Hello")
    text: str = betterai.sync.generate("local/eliza", "Hello").content
    print(text)
    try:
        await client.generate("local/echo", "Hello")
    except betterai.RateLimitError as error:
        seconds: float | None = error.retry_after
        print(seconds)


async def own_options() -> None:
    """A vendor's own options are typed, and closed: an unknown name is found before anything is sent."""
    options: VLLMOptions = {"structured_outputs": {"regex": "a+"}, "min_tokens": 3}
    wrong: VLLMOptions = {"min_tokens": "3"}  # type: ignore[typeddict-item]
    unknown: LlamaCppOptions = {"gramar": "x"}  # type: ignore[typeddict-unknown-key]
    for given in (options, wrong):
        await betterai.generate("vllm/any-model", "Hello", options={"vllm": given, "llamacpp": unknown})
