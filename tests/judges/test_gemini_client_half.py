"""What the official SDK sends for a call is what our client half writes for the same call."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from google import genai
from google.genai import errors, types
from msgspec import Raw
from pydantic import BaseModel

from betterai.core.codec import TextCall
from betterai.core.media import Media
from betterai.core.message import MediaPart, Message, Opaque, Reasoning, Text, ToolCall, ToolResult
from betterai.core.settings import AudioOutput, ReasoningControl
from betterai.core.tools import JsonObject, JsonSchema, ServerTool, Tool, ToolChoice
from betterai.core.wire import WireRequest
from betterai.runtime.schema import prepare_settings
from judges.app import serve
from wire.geminis import CODECS, SURFACE, again, make_call, sent

pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class:DeprecationWarning")
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
PIXEL = b"\x89PNG"
SIGNED = base64.b64encode(b"sig").decode()

Ask = Callable[[Any], Awaitable[Any]]


def create(contents: Any = "Hello", **config: Any) -> Ask:
    given = types.GenerateContentConfig(**config) if config else None
    return lambda client: client.aio.models.generate_content(model="any-model", contents=contents, config=given)


def stream(**config: Any) -> Ask:
    async def ask(client: Any) -> None:
        given = types.GenerateContentConfig(**config) if config else None
        reply = await client.aio.models.generate_content_stream(model="any-model", contents="Hello", config=given)
        async for _ in reply:
            pass

    return ask


def signed(**kept: Any) -> Opaque:
    return Opaque(protocol="gemini", provider="google", data=Raw(json.dumps(kept).encode()))


class Shape(BaseModel):
    a: str


def function(**fields: Any) -> types.Tool:
    return types.Tool(function_declarations=[types.FunctionDeclaration(name="weather", **fields)])


PAIRS: dict[str, tuple[Ask, TextCall]] = {
    "text": (create(), make_call()),
    "stream": (stream(temperature=0), make_call(stream=True, temperature=0)),
    "instruction": (
        create(system_instruction="Be brief"), make_call([Message.system("Be brief"), Message.user("Hello")]),
    ),
    "sampling": (
        create(
            temperature=0, top_p=0.5, top_k=7, seed=7, candidate_count=2, frequency_penalty=-1, presence_penalty=1,
            stop_sequences=["x"], max_output_tokens=9, response_logprobs=True, logprobs=3,
        ),
        make_call(
            temperature=0, top_p=0.5, top_k=7, seed=7, n=2, frequency_penalty=-1, presence_penalty=1, stop="x",
            max_tokens=9, logprobs=True, top_logprobs=3,
        ),
    ),
    "tools": (
        create(
            tools=[function(description="d", parameters_json_schema=SCHEMA), types.Tool(google_search={}),
                   types.Tool(url_context={}), types.Tool(code_execution={}), types.Tool(google_maps={})],
            tool_config=types.ToolConfig(function_calling_config=types.FunctionCallingConfig(mode="ANY")),
        ),
        make_call(
            tools=[ServerTool(type="web_search"), ServerTool(type="web_fetch"), ServerTool(type="code_execution"),
                   ServerTool(type="googleMaps"), Tool(name="weather", description="d", parameters=SCHEMA)],
            tool_choice="required",
        ),
    ),
    "one tool": (
        create(
            tools=[function()],
            tool_config=types.ToolConfig(
                function_calling_config=types.FunctionCallingConfig(mode="ANY", allowed_function_names=["weather"]),
                include_server_side_tool_invocations=True,
            ),
        ),
        make_call(
            tools=[Tool(name="weather")],
            tool_choice=ToolChoice(mode="required", names=("weather",)),
            options={"google": {"toolConfig": {"includeServerSideToolInvocations": True}}},
        ),
    ),
    "a search": (create(tools=[types.Tool(google_search={})]), make_call(web_search=True)),
    "a turn with tools": (
        create(
            [
                types.UserContent("Hello"),
                types.Content(role="model", parts=[
                    types.Part(text="Hm.", thought=True),
                    types.Part(
                        function_call=types.FunctionCall(id="a", name="weather", args={"a": "é"}),
                        thought_signature=b"sig",
                    ),
                    types.Part(function_call=types.FunctionCall(name="weather", args={"a": "x"})),
                ]),
                types.Content(role="user", parts=[
                    types.Part(function_response=types.FunctionResponse(
                        id="a", name="weather", response={"output": "sunny"})),
                    types.Part(function_response=types.FunctionResponse(name="weather", response={"error": "no"})),
                ]),
            ]
        ),
        make_call(
            [
                Message.user("Hello"),
                Message(role="assistant", parts=(
                    Reasoning(text="Hm."),
                    ToolCall(id="a", name="weather", arguments='{"a":"é"}', opaque=signed(thoughtSignature=SIGNED)),
                    ToolCall(id="b", name="weather", arguments='{"a":"x"}', opaque=signed(functionCall={})),
                )),
                Message.tool("a", "sunny"),
                Message.tool("b", "no", is_error=True),
            ]
        ),
    ),
    "media": (
        create([types.Content(role="user", parts=[
            types.Part.from_text(text="Look"),
            types.Part.from_bytes(data=PIXEL, mime_type="image/png"),
            types.Part.from_uri(file_uri="https://x/files/abc", mime_type="application/pdf"),
            types.Part(
                file_data=types.FileData(file_uri="https://youtu.be/x"),
                video_metadata=types.VideoMetadata(start_offset="10s"),
            ),
            types.Part(
                inline_data=types.Blob(data=PIXEL, mime_type="image/png"),
                media_resolution=types.PartMediaResolution(level="MEDIA_RESOLUTION_LOW"),
            ),
        ])]),
        make_call([Message(role="user", parts=(
            Text(text="Look"),
            MediaPart(media=Media(kind="image", mime_type="image/png", data=PIXEL)),
            MediaPart(media=Media(kind="document", mime_type="application/pdf", file_id="https://x/files/abc")),
            MediaPart(
                media=Media(kind="video", url="https://youtu.be/x"), opaque=signed(videoMetadata={"startOffset": "10s"})
            ),
            MediaPart(media=Media(kind="image", mime_type="image/png", data=PIXEL), detail="low"),
        ))]),
    ),
    "a picture from a tool": (
        create([types.Content(role="user", parts=[types.Part(function_response=types.FunctionResponse(
            id="a", name="draw", response={"output": "done"},
            parts=[types.FunctionResponsePart.from_bytes(data=PIXEL, mime_type="image/png")],
        ))])]),
        make_call([Message(role="tool", parts=(ToolResult(id="a", name="draw", parts=(
            Text(text="done"), MediaPart(media=Media(kind="image", mime_type="image/png", data=PIXEL)),
        )),))]),
    ),
    "a JSON Schema": (
        create(response_mime_type="application/json", response_json_schema=SCHEMA),
        make_call(response_format=JsonSchema(schema=SCHEMA)),
    ),
    "a JSON object": (create(response_mime_type="application/json"), make_call(response_format=JsonObject())),
    "thinking": (
        create(thinking_config=types.ThinkingConfig(thinking_level="LOW", include_thoughts=True)),
        make_call(reasoning=ReasoningControl(effort="low", include=True)),
    ),
    "a budget": (create(thinking_config=types.ThinkingConfig(thinking_budget=0)), make_call(reasoning=0)),
    "sound": (
        create(response_modalities=["AUDIO"], speech_config=types.SpeechConfig(voice_config=types.VoiceConfig(
            prebuilt_voice_config=types.PrebuiltVoiceConfig(voice_name="Kore")))),
        make_call(modalities=["audio"], audio=AudioOutput(voice="Kore")),
    ),
    "service": (
        create(
            service_tier="flex", cached_content="cachedContents/x",
            safety_settings=[types.SafetySetting(category="HARM_CATEGORY_HARASSMENT", threshold="BLOCK_NONE")],
            image_config=types.ImageConfig(aspect_ratio="1:1"), media_resolution="MEDIA_RESOLUTION_LOW",
        ),
        make_call(service_tier="flex", options={"google": {
            "cachedContent": "cachedContents/x",
            "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
            "imageConfig": {"aspectRatio": "1:1"}, "mediaResolution": "MEDIA_RESOLUTION_LOW",
        }}),
    ),
    "a new field": (
        create(http_options=types.HttpOptions(extra_body={"brandNew": 1, "generationConfig": {"newer": 2}}), top_k=3),
        make_call(extra_body={"brandNew": 1, "generationConfig": {"newer": 2}}, top_k=3),
    ),
}  # fmt: skip


async def sent_by_sdk(ask: Ask) -> tuple[str, dict[str, Any]]:
    """What the SDK sends. What the embedded model thinks of it does not matter."""
    async with serve() as (url, app):
        client = genai.Client(api_key="key", http_options=types.HttpOptions(base_url=url, api_version="v1beta"))
        try:
            await ask(client)
        except (errors.APIError, ValueError):
            pass
        finally:
            await client.aio.aclose()
        ((request,), (body,)) = app.requests, app.bodies
        return request.url.removesuffix("?"), body


def sent_by_us(call: TextCall) -> tuple[str, dict[str, Any]]:
    settings, _ = prepare_settings(call.settings)
    ready = make_call(call.input, stream=call.stream, **settings.given())
    request = CODECS["google"].build_request(ready)
    query = "&".join(f"{name}={value}" for name, value in request.query.items())
    return f"{request.url}?{query}" if query else request.url, sent(ready)


def plain(value: Any) -> Any:
    """Names with underscores, and base64 in the alphabet of URLs, as the SDK writes them, are the same."""
    if isinstance(value, dict):
        return {re.sub("_([a-z])", lambda found: found[1].upper(), name): plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value.replace("-", "+").replace("_", "/") if isinstance(value, str) else value


def without_what_the_sdk_adds(body: dict[str, Any]) -> dict[str, Any]:
    """An empty object of settings, and a role for the instruction."""
    kept = {name: value for name, value in body.items() if name != "generationConfig" or value}
    if "systemInstruction" in kept:
        kept["systemInstruction"] = {"parts": kept["systemInstruction"]["parts"]}
    return kept


@pytest.mark.parametrize("name", PAIRS)
async def test_the_sdk_sends_what_we_send(name: str) -> None:
    ask, call = PAIRS[name]
    (their_path, theirs), (our_path, ours) = await sent_by_sdk(ask), sent_by_us(call)
    assert our_path == their_path
    assert plain(ours) == plain(without_what_the_sdk_adds(theirs))


@pytest.mark.parametrize("name", PAIRS)
async def test_our_server_half_reads_the_sdks_request_as_the_same_call(name: str) -> None:
    path, theirs = await sent_by_sdk(PAIRS[name][0])
    read = SURFACE.parse_request(WireRequest(url=path, body=theirs))
    assert read.warnings == ()
    assert (read.model.id, read.stream) == ("any-model", name == "stream")
    assert again(read) == theirs


async def test_a_type_is_sent_as_the_sdk_sends_it_or_as_json_schema() -> None:
    _, theirs = await sent_by_sdk(create(response_mime_type="application/json", response_schema=Shape))
    _, ours = sent_by_us(make_call(response_format=Shape))
    assert theirs["generationConfig"].keys() == {"responseMimeType", "responseSchema"}
    assert ours["generationConfig"]["responseJsonSchema"]["properties"]["a"]["type"] == "string"
    read = SURFACE.parse_request(WireRequest(url="/v1beta/models/m:generateContent", body=theirs))
    assert again(read) == theirs
