"""Every parameter that an official client documents is read by our server half: none is left over as unknown, and our
client half writes each again as it came.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import anthropic
import msgspec
import openai
import pytest
from google import genai
from google.genai import types

from betterai.core.codec import TextCall
from betterai.core.model import ModelConfig
from betterai.core.wire import WireRequest
from betterai.runtime.encoding import encode_request
from betterai.wire.adoption import adopt_fields
from betterai.wire.surfaces import SURFACES
from contract.cases import TEXT_CODECS
from judges.app import serve
from judges.clients import client

pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class:DeprecationWarning")
HELLO = {"role": "user", "content": "Hello"}
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}
TRANSPORT = {"self", "extra_body", "extra_headers", "extra_query", "timeout"}
"""What is about the request, not in it."""


def parameters(create: Any) -> set[str]:
    return set(inspect.signature(create).parameters) - TRANSPORT


CHAT: dict[str, Any] = {
    "model": "m", "messages": [HELLO], "audio": {"voice": "alloy", "format": "wav"}, "frequency_penalty": 0.5,
    "function_call": "auto", "functions": [{"name": "f", "parameters": SCHEMA}], "logit_bias": {"1": 2},
    "logprobs": True, "max_completion_tokens": 9, "max_tokens": 8, "metadata": {"a": "b"},
    "modalities": ["text", "audio"], "moderation": {"model": "guard"}, "n": 2, "parallel_tool_calls": False,
    "prediction": {"type": "content", "content": "x"}, "presence_penalty": 0, "prompt_cache_key": "k",
    "prompt_cache_options": {"mode": "explicit", "ttl": "30m"}, "prompt_cache_retention": "24h",
    "reasoning_effort": "low", "response_format": {"type": "json_object"}, "safety_identifier": "s", "seed": 1,
    "service_tier": "flex", "stop": ["x"], "store": True, "stream": True, "stream_options": {"include_usage": True},
    "temperature": 0, "tool_choice": "required", "tools": [{"type": "function", "function": {"name": "f"}}],
    "top_logprobs": 2, "top_p": 0.5, "user": "u", "verbosity": "low",
    "web_search_options": {"search_context_size": "low"},
}  # fmt: skip
RESPONSES: dict[str, Any] = {
    "model": "m", "input": [HELLO], "access_programs": ["a"], "background": True, "background_options": {"a": 1},
    "context_management": [{"type": "compaction", "compact_threshold": 9}], "conversation": "conv_1",
    "image": {"a": 1}, "include": ["message.output_text.logprobs"], "instructions": "I", "max_output_tokens": 9,
    "max_tool_calls": 2, "metadata": {"a": "b"}, "moderation": {"model": "guard"}, "parallel_tool_calls": False,
    "previous_response_id": "resp_1", "prompt": {"id": "p", "variables": {"a": "b"}}, "prompt_cache_key": "k",
    "prompt_cache_options": {"mode": "explicit", "ttl": "30m"}, "prompt_cache_retention": "24h",
    "reasoning": {"effort": "low", "summary": "auto"}, "safety_identifier": "s", "service_tier": "flex",
    "store": False, "stream": True, "stream_options": {"include_obfuscation": False}, "temperature": 0,
    "text": {"format": {"type": "json_object"}, "verbosity": "low"}, "tool_choice": "required",
    "tools": [{"type": "function", "name": "f", "parameters": SCHEMA, "strict": True}], "top_logprobs": 2,
    "top_p": 0.5, "truncation": "auto", "user": "u",
}  # fmt: skip
MESSAGES: dict[str, Any] = {
    "model": "m", "messages": [HELLO], "max_tokens": 9, "cache_control": {"type": "ephemeral"}, "container": "c",
    "diagnostics": {"previous_message_id": None}, "inference_geo": "us", "metadata": {"user_id": "u"},
    "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": {**SCHEMA, "additionalProperties": False}}},
    "service_tier": "standard_only", "speed": "fast", "stop_sequences": ["x"], "stream": True, "system": "S",
    "thinking": {"type": "adaptive"}, "tool_choice": {"type": "any"},
    "tools": [{"name": "f", "input_schema": SCHEMA}], "user_profile_id": "p", "workspace_id": "w",
}  # fmt: skip
BETA: dict[str, Any] = {
    **MESSAGES, "betas": ["a-1"], "context_management": {"edits": []}, "mcp_servers": [{"type": "url", "url": "https://e.com", "name": "n"}],
    "billing_policy": {"a": 1}, "compaction": {"a": 1}, "fallback_credit_token": "t", "fallbacks": [{"model": "n"}], "thread": {"a": 1},
}  # fmt: skip
GEMINI: dict[str, Any] = {
    "audio_transcription_config": {}, "automatic_continuation": True, "cached_content": "cachedContents/x", "candidate_count": 2,
    "continuation_token": b"abc", "enable_enhanced_civic_answers": True, "frequency_penalty": 1, "image_config": {"aspect_ratio": "1:1"}, "logprobs": 2, "max_output_tokens": 9,
    "media_resolution": "MEDIA_RESOLUTION_LOW", "presence_penalty": 0, "response_json_schema": SCHEMA,
    "response_logprobs": True, "response_mime_type": "application/json", "response_modalities": ["TEXT"],
    "response_schema": {"type": "OBJECT"},
    "safety_settings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}], "seed": 1,
    "service_tier": "flex", "speech_config": {"voice_config": {"prebuilt_voice_config": {"voice_name": "Kore"}}},
    "stop_sequences": ["x"], "store": True, "system_instruction": "S", "temperature": 0,
    "thinking_config": {"thinking_level": "LOW"}, "tool_config": {"function_calling_config": {"mode": "ANY"}},
    "tools": [{"function_declarations": [{"name": "f"}]}], "top_k": 3, "top_p": 0.5,
}  # fmt: skip
NOT_ON_THE_WIRE = {
    "http_options": "is about the request, not in it",
    "should_return_http_response": "says what the client returns",
    "automatic_function_calling": "is done by the client",
}
NOT_HERE = {
    "labels",
    "routing_config",
    "model_selection_config",
    "audio_timestamp",
    "model_armor_config",
    "generation_output_config",
}
"""What the client refuses to send to the Gemini API: Vertex AI alone takes it."""


class Case(NamedTuple):
    protocol: str
    provider: str
    samples: Mapping[str, Any]
    send: Callable[[Any, dict[str, Any]], Any]
    always: frozenset[str]
    documented: set[str]


def of_gemini(sdk: Any, given: dict[str, Any]) -> Any:
    config = types.GenerateContentConfig(**given)
    return sdk.models.generate_content(model="m", contents="Hello", config=config)


CASES = {
    "chat": Case("openai_chat", "openai", CHAT, lambda sdk, given: sdk.chat.completions.create(**given),
                 frozenset({"model", "messages"}), parameters(openai.AsyncOpenAI(api_key="k").chat.completions.create)),
    "responses": Case("openai_responses", "openai", RESPONSES, lambda sdk, given: sdk.responses.create(**given),
                      frozenset({"model", "input"}), parameters(openai.AsyncOpenAI(api_key="k").responses.create)),
    "messages": Case("anthropic_messages", "anthropic", MESSAGES, lambda sdk, given: sdk.messages.create(**given),
                     frozenset({"model", "messages", "max_tokens"}),
                     parameters(anthropic.AsyncAnthropic(api_key="k").messages.create)),
    "beta": Case("anthropic_messages", "anthropic", BETA, lambda sdk, given: sdk.beta.messages.create(**given),
                 frozenset({"model", "messages", "max_tokens"}),
                 parameters(anthropic.AsyncAnthropic(api_key="k").beta.messages.create)),
    "gemini": Case("gemini", "google", GEMINI, of_gemini, frozenset(),
                   set(types.GenerateContentConfig.model_fields) - set(NOT_ON_THE_WIRE) - NOT_HERE),
}  # fmt: skip


async def hear(case: Case, names: set[str]) -> WireRequest:
    """What the client sends for these parameters. What the embedded model thinks of it does not matter."""
    async with serve() as (url, app), client(case.protocol, url) as asking:
        try:
            reply = await case.send(asking.sdk, {name: case.samples[name] for name in names})
            if hasattr(reply, "close"):
                await reply.close()
        except (openai.APIStatusError, anthropic.APIStatusError, genai.errors.APIError):
            pass
    (request,) = app.requests
    return request


def find_codec(case: Case) -> Any:
    wanted = (case.provider, case.protocol)
    (codec,) = [found.codec for found in TEXT_CODECS if (found.provider.name, found.protocol) == wanted]
    return codec


def read(case: Case, codec: Any, request: WireRequest) -> TextCall:
    """The request as the call to the vendor whose client wrote it."""
    call = SURFACES[case.protocol]().parse_request(request)
    return adopt_fields(codec, msgspec.structs.replace(call, model=ModelConfig(id="m", provider=case.provider)))


@pytest.mark.parametrize("name", CASES)
def test_the_table_has_all_that_the_client_documents(name: str) -> None:
    assert set(CASES[name].samples) == CASES[name].documented


RESPELLED = {"functions": "tools", "function_call": "tool_choice"}
"""Parameters that are not written again as they came, but by the name that took their place."""


@pytest.mark.parametrize(("name", "field"), [(name, field) for name, case in CASES.items() for field in case.samples])
async def test_the_parameter_is_read_and_written_again(name: str, field: str) -> None:
    case = CASES[name]
    beside = {"stream"} if field == "stream_options" else set()
    request = await hear(case, {field, *case.always, *beside})
    codec = find_codec(case)
    call = read(case, codec, request)
    assert call.settings.extra_body is None
    written = encode_request(codec.build_request(call), None)
    ours, theirs = msgspec.json.decode(written.body), msgspec.json.decode(request.body)  # type: ignore[arg-type]
    asked = {key: value for key, value in request.headers.items() if key.startswith("anthropic-")}
    assert asked.items() <= {key.lower(): value for key, value in written.headers.items()}.items()
    if field in RESPELLED:
        assert (RESPELLED[field] in ours, field in ours) == (True, False)
    else:
        assert without_ours(ours, theirs) == theirs


def without_ours(ours: dict[str, Any], theirs: dict[str, Any]) -> dict[str, Any]:
    """Without what only we add: usage is asked for in every stream of Chat."""
    return {key: value for key, value in ours.items() if key != "stream_options" or key in theirs}
