"""The four official clients behind one face: what each says of an answer, in words that can be compared."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import anthropic
import openai
from google import genai
from google.genai import types
from openai.lib.streaming.chat import ChatCompletionStreamState
from pydantic import BaseModel

WEATHER = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": False}
PIXEL = b"\x89PNG\r\n\x1a\n"
BASE64 = base64.b64encode(PIXEL).decode()


@dataclass(frozen=True)
class Ask:
    """A call in no client's words. `local` scripts the embedded model; `turns` are its earlier answers with the results
    of their tools.
    """

    prompt: str = "Hello there"
    local: Mapping[str, Any] = field(default_factory=dict)
    stream: bool = False
    tools: bool = False
    schema: bool = False
    image: bool = False
    turns: tuple[tuple[Any, str], ...] = ()


@dataclass(frozen=True)
class Said:
    """An answer. `tokens` are those in, those out, and those read from a cache; `reply` is the client's own object."""

    text: str
    reasoning: str
    calls: tuple[tuple[str, Any], ...]
    ended: str
    tokens: tuple[int, int, int]
    reply: Any = field(compare=False, repr=False)


class Client:
    """One official client at a service. `error` is the base of its errors, `extras` what services say that its
    types do not know: thoughts beside Chat; of Responses `store`, and `name` where the arguments of a call end.
    """

    protocol: ClassVar[str]
    error: ClassVar[type[Exception]]
    limited: ClassVar[type[Exception]]
    extras: ClassVar[frozenset[str]] = frozenset()
    ends: ClassVar[Mapping[str, str]]

    def __init__(self, sdk: Any) -> None:
        self.sdk = sdk

    async def ask(self, ask: Ask) -> Said:
        said = await self.read(ask)
        return replace(said, ended=self.ends[said.ended])

    async def read(self, ask: Ask) -> Said:
        raise NotImplementedError

    def check(self, received: Any) -> None:
        """That the client's types know all of what came."""
        unknown = [place for place in find_extras(received) if place[0] not in self.extras]
        if unknown:
            raise AssertionError(unknown)

    def status(self, error: Any) -> int:
        return int(error.status_code)


class Chat(Client):
    protocol = "openai_chat"
    error, limited = openai.APIError, openai.RateLimitError
    extras = frozenset({"reasoning_content"})
    ends: ClassVar[Mapping[str, str]] = {"stop": "stop", "tool_calls": "calls", "length": "length"}

    @staticmethod
    def connect(url: str) -> Any:
        return openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="k", max_retries=0, _strict_response_validation=True)

    async def read(self, ask: Ask) -> Said:
        content: Any = ask.prompt
        if ask.image:
            picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{BASE64}"}}
            content = [{"type": "text", "text": ask.prompt}, picture]
        messages: list[Any] = [{"role": "user", "content": content}]
        for reply, result in ask.turns:
            message = reply.choices[0].message
            messages.append(message.model_dump(exclude_none=True, exclude={"parsed"}))
            messages += [{"role": "tool", "tool_call_id": call.id, "content": result} for call in message.tool_calls]
        given: dict[str, Any] = {"model": "echo", "messages": messages, "extra_body": {"local": ask.local}}
        if ask.tools:
            given["tools"] = [{"type": "function", "function": {"name": "weather", "parameters": WEATHER}}]
        if ask.schema:
            given["response_format"] = {
                "type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA, "strict": True},
            }  # fmt: skip
        if ask.stream:
            state = ChatCompletionStreamState()
            options: Any = {"include_usage": True}
            async for chunk in await self.sdk.chat.completions.create(**given, stream=True, stream_options=options):
                self.check(chunk)
                state.handle_chunk(chunk)
            reply = state.current_completion_snapshot
        else:
            reply = await self.sdk.chat.completions.create(**given)
            self.check(reply)
        (choice,) = reply.choices
        usage = reply.usage
        return Said(
            text=choice.message.content or "",
            reasoning=(choice.message.model_extra or {}).get("reasoning_content", ""),
            calls=tuple((c.function.name, json.loads(c.function.arguments)) for c in choice.message.tool_calls or ()),
            ended=choice.finish_reason,
            tokens=(usage.prompt_tokens, usage.completion_tokens, _count(usage.prompt_tokens_details, "cached_tokens")),
            reply=reply,
        )


class Responses(Client):
    protocol = "openai_responses"
    error, limited = openai.APIError, openai.RateLimitError
    extras = frozenset({"store", "name"})
    ends: ClassVar[Mapping[str, str]] = {"completed": "stop", "calls": "calls", "incomplete": "length"}
    connect = staticmethod(Chat.connect)

    async def read(self, ask: Ask) -> Said:
        content: list[Any] = [{"type": "input_text", "text": ask.prompt}]
        if ask.image:
            content.append({"type": "input_image", "image_url": f"data:image/png;base64,{BASE64}"})
        items: list[Any] = [{"role": "user", "content": content}]
        for reply, result in ask.turns:
            items += [item.model_dump(exclude_none=True) for item in reply.output]
            calls = [item for item in reply.output if item.type == "function_call"]
            items += [{"type": "function_call_output", "call_id": call.call_id, "output": result} for call in calls]
        given: dict[str, Any] = {"model": "echo", "input": items, "extra_body": {"local": ask.local}}
        if ask.tools:
            given["tools"] = [{"type": "function", "name": "weather", "parameters": WEATHER, "strict": True}]
        if ask.schema:
            given["text"] = {"format": {"type": "json_schema", "name": "n", "schema": SCHEMA, "strict": True}}
        if ask.stream:
            async with self.sdk.responses.stream(**given) as events:
                async for event in events:
                    self.check(event)
                reply = event.response
        else:
            reply = await self.sdk.responses.create(**given)
            self.check(reply)
        calls = [item for item in reply.output if item.type == "function_call"]
        thoughts = [part.text for item in reply.output if item.type == "reasoning" for part in item.summary]
        return Said(
            text=reply.output_text,
            reasoning="".join(thoughts),
            calls=tuple((call.name, json.loads(call.arguments)) for call in calls),
            ended="calls" if calls else reply.status,
            tokens=(
                reply.usage.input_tokens,
                reply.usage.output_tokens,
                reply.usage.input_tokens_details.cached_tokens,
            ),
            reply=reply,
        )


class Messages(Client):
    protocol = "anthropic_messages"
    error, limited = anthropic.APIError, anthropic.RateLimitError
    ends: ClassVar[Mapping[str, str]] = {"end_turn": "stop", "tool_use": "calls", "max_tokens": "length"}

    @staticmethod
    def connect(url: str) -> Any:
        return anthropic.AsyncAnthropic(base_url=url, api_key="k", max_retries=0, _strict_response_validation=True)

    async def read(self, ask: Ask) -> Said:
        content: list[Any] = [{"type": "text", "text": ask.prompt}]
        if ask.image:
            source = {"type": "base64", "media_type": "image/png", "data": BASE64}
            content.append({"type": "image", "source": source})
        messages: list[Any] = [{"role": "user", "content": content}]
        for reply, result in ask.turns:
            messages.append({"role": "assistant", "content": reply.content})
            ids = [block.id for block in reply.content if block.type == "tool_use"]
            results = [{"type": "tool_result", "tool_use_id": id, "content": result} for id in ids]
            messages.append({"role": "user", "content": results})
        given: dict[str, Any] = {
            "model": "echo", "max_tokens": 999, "messages": messages, "extra_body": {"local": ask.local},
        }  # fmt: skip
        if ask.tools:
            given["tools"] = [{"name": "weather", "input_schema": WEATHER}]
        if ask.schema:
            given["output_config"] = {"format": {"type": "json_schema", "schema": SCHEMA}}
        if ask.stream:
            async with self.sdk.messages.stream(**given) as events:
                async for event in events:
                    self.check(event)
                reply = await events.get_final_message()
        else:
            reply = await self.sdk.messages.create(**given)
            self.check(reply)
        blocks, usage = reply.content, reply.usage
        cached = usage.cache_read_input_tokens or 0
        return Said(
            text="".join(block.text for block in blocks if block.type == "text"),
            reasoning="".join(block.thinking for block in blocks if block.type == "thinking"),
            calls=tuple((block.name, block.input) for block in blocks if block.type == "tool_use"),
            ended=reply.stop_reason,
            tokens=(usage.input_tokens + cached, usage.output_tokens, cached),
            reply=reply,
        )


class Gemini(Client):
    protocol = "gemini"
    error, limited = genai.errors.APIError, genai.errors.ClientError
    ends: ClassVar[Mapping[str, str]] = {"STOP": "stop", "calls": "calls", "MAX_TOKENS": "length"}

    @staticmethod
    def connect(url: str) -> Any:
        return genai.Client(api_key="k", http_options=types.HttpOptions(base_url=url)).aio

    def status(self, error: Any) -> int:
        return int(error.code)

    async def read(self, ask: Ask) -> Said:
        parts = [types.Part.from_text(text=ask.prompt)]
        if ask.image:
            parts.append(types.Part.from_bytes(data=PIXEL, mime_type="image/png"))
        contents: list[Any] = [types.Content(role="user", parts=parts)]
        for reply, result in ask.turns:
            contents.append(reply.candidates[0].content)
            answers = [types.FunctionResponse(id=call.id, name=call.name, response={"output": result})
                       for call in reply.function_calls]  # fmt: skip
            contents.append(
                types.Content(role="user", parts=[types.Part(function_response=answer) for answer in answers])
            )
        config: dict[str, Any] = {"http_options": types.HttpOptions(extra_body={"local": ask.local})}
        if ask.tools:
            function = types.FunctionDeclaration(name="weather", parameters_json_schema=WEATHER)
            config["tools"] = [types.Tool(function_declarations=[function])]
            config["automatic_function_calling"] = types.AutomaticFunctionCallingConfig(disable=True)
        if ask.schema:
            config |= {"response_mime_type": "application/json", "response_json_schema": SCHEMA}
        given: dict[str, Any] = {
            "model": "echo", "contents": contents, "config": types.GenerateContentConfig(**config),
        }  # fmt: skip
        if ask.stream:
            replies = [event async for event in await self.sdk.models.generate_content_stream(**given)]
        else:
            replies = [await self.sdk.models.generate_content(**given)]
        said = [part for reply in replies for part in reply.candidates[0].content.parts]
        calls = tuple((part.function_call.name, part.function_call.args) for part in said if part.function_call)
        last, usage = replies[-1], replies[-1].usage_metadata
        last.candidates[0].content.parts = said
        return Said(
            text="".join(part.text for part in said if part.text and not part.thought),
            reasoning="".join(part.text for part in said if part.text and part.thought),
            calls=calls,
            ended="calls" if calls else last.candidates[0].finish_reason.value,
            tokens=(
                usage.prompt_token_count,
                (usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0),
                usage.cached_content_token_count or 0,
            ),
            reply=last,
        )


CLIENTS: dict[str, type[Any]] = {kind.protocol: kind for kind in (Chat, Responses, Messages, Gemini)}


@asynccontextmanager
async def client(protocol: str, url: str) -> AsyncIterator[Client]:
    """The official client of a protocol, strict where it can be."""
    kind = CLIENTS[protocol]
    async with kind.connect(url) as sdk:
        yield kind(sdk)


def find_extras(value: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """The fields, with their places, that a client's types do not know."""
    if isinstance(value, BaseModel):
        yield from ((name, where) for name in value.model_extra or {} if name != "parsed_arguments")
        for name in type(value).model_fields:
            yield from find_extras(getattr(value, name), f"{where}.{name}")
    elif isinstance(value, list):
        for item in value:
            yield from find_extras(item, where)


def _count(details: Any, name: str) -> int:
    return (getattr(details, name) or 0) if details is not None else 0
