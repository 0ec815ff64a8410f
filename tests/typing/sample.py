"""What a user writes, checked by mypy --strict: the public API must be typed without casts."""

from __future__ import annotations

from typing import Any

import msgspec

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


class City(msgspec.Struct):
    name: str


async def typed_answers(own: Any) -> str:
    """`parsed` has the type that was asked for."""
    response = await betterai.generate("local/echo", "Invent a city.", response_format=City)
    city: City = response.parsed
    wrong: int = response.parsed  # type: ignore[assignment]
    cities: list[City] = (await betterai.generate("local/echo", "Two.", response_format=list[City])).parsed
    async with betterai.stream("local/echo", "Invent a city.", response_format=City) as stream:
        async for partial in stream.partials():
            print(partial)
    city = stream.response.parsed
    city = (await betterai.stream("local/echo", "Invent a city.", response_format=City)).parsed
    city = betterai.sync.generate("local/echo", "Invent a city.", response_format=City).parsed
    anything = (await betterai.generate("local/echo", "Choose.", response_format={"type": "object"})).parsed
    print(anything["colour"], cities, wrong)
    untyped: betterai.ProviderResponse = await betterai.generate("local/echo", "Choose.", response_format=own)
    return city.name + str(untyped.parsed.name)


@betterai.tool
def add(a: int, b: int = 0) -> int:
    return a + b


@betterai.tool(name="wait", strict=True)
async def pause(seconds: float) -> str:
    return f"{seconds} s"


async def tools() -> None:
    """A tool is called as the function that it was, and goes wherever tools go."""
    total: int = add(1, b=2)
    add("1")  # type: ignore[arg-type]
    said: str = await pause(1.0)
    run = await betterai.run_tools("local/echo", "Add.", tools=[add, pause], max_steps=3, temperature=0)
    amount = run.cost.amount
    print(total, said, run.content, amount, [outcome.error for step in run.steps for outcome in step.outcomes])
    async with betterai.stream_tools("local/echo", "Add.", tools=[add]) as stream:
        async for chunk in stream:
            print(chunk.content, chunk.part)
    print(stream.run.finished, betterai.generate("local/echo", "Add.", tools=[add]))


async def talk() -> list[betterai.Message]:
    conversation = betterai.Conversation("local/echo", system="Be brief.", tools=[add], max_cost=0.5, temperature=0)
    city: City = (await conversation.ask("Hello", response_format=City)).parsed
    async with conversation.stream(city.name) as stream:
        async for chunk in stream:
            print(chunk.content)
    fork = betterai.Conversation.from_json(conversation.to_json(), tools=[add]).fork()
    other: betterai.sync.Conversation = betterai.sync.Conversation("local/echo")
    print(other.ask("Hello").content, fork.cost.amount)
    return betterai.load_messages(betterai.dump_messages(conversation.messages))


async def routed(provider: betterai.BaseTextProvider) -> str:
    target = betterai.Target("local/echo", weight=2, keys=("key",), concurrency=8)
    router = betterai.Router([target, provider, "local/eliza"], choose="weight", hedge=betterai.Hedge(after=2.0))
    answer = await router.generate("Invent a city.", settings={"temperature": 0.2}, response_format=City)
    async with router.stream("Hello", temperature=0.2) as stream:
        async for chunk in stream:
            print(chunk.reset, chunk.content)
    status: betterai.RouterStatus = router.status()
    print(status.targets[0].routes[0].state, status.lost.amount)
    return answer.parsed.name


async def talk_by_voice(provider: betterai.BaseRealtimeProvider, sound: bytes) -> str:
    said = ""
    detection = betterai.TurnDetection(mode="semantic", eagerness="low")
    async with betterai.realtime(provider, voice="marin", tools=[add], turn_detection=detection) as session:
        await session.send_audio(sound)
        await session.respond(instructions="Be brief.", metadata={"a": "b"})
        async for event in session:
            match event:
                case betterai.OutputAudio(audio=audio):
                    session.played(len(audio) / 48)
                case betterai.OutputTranscript(delta=delta):
                    said += delta
                case betterai.ResponseDone(finish_reason="interrupted", usage=usage):
                    print(usage.total_tokens if usage else None)
                    await session.interrupt(heard_ms=40)
        cost: betterai.Cost | None = session.cost
    other: betterai.RealtimeSession = await betterai.realtime("openai/gpt-realtime-2.1")
    token: betterai.RealtimeToken = await betterai.realtime_token("openai/gpt-realtime-2.1", seconds=60)
    with betterai.sync.realtime("openai/gpt-realtime-2.1") as plain:
        print([event.type for event in plain], cost, other.info.id, token.expires_at)
    return said
