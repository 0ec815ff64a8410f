"""What a user writes, checked by mypy --strict: the public API must be typed without casts."""

from __future__ import annotations

import betterai


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
