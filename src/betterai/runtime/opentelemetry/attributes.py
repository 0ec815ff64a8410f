"""What spans and metrics say of calls, under the names that the conventions give. Our own names begin with betterai."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TypeAlias

from betterai.core.events import CallEnded, CallInfo, ToolInfo, TransportEvent
from betterai.core.exceptions import BetterAIError
from betterai.core.response import ProviderResponse
from betterai.core.settings import GenerationSettings
from betterai.core.usage import Usage
from betterai.runtime.registry import get_provider, registry_version

Value: TypeAlias = str | bool | int | float | Sequence[str]
Attributes: TypeAlias = dict[str, Value]

_SETTINGS = {
    "temperature": "gen_ai.request.temperature",
    "top_p": "gen_ai.request.top_p",
    "top_k": "gen_ai.request.top_k",
    "max_tokens": "gen_ai.request.max_tokens",
    "frequency_penalty": "gen_ai.request.frequency_penalty",
    "presence_penalty": "gen_ai.request.presence_penalty",
    "seed": "gen_ai.request.seed",
}


def find_name(provider: str) -> str:
    """A provider's name in the conventions: its own id, but where its declaration says another."""
    return _find_name(provider, registry_version())


@lru_cache(maxsize=256)
def _find_name(provider: str, version: object) -> str:
    try:
        return get_provider(provider).otel_name or provider
    except BetterAIError:
        return provider


_OPERATIONS = {"text": "chat", "embeddings": "embeddings", "rerank": "rerank", "moderation": "moderation"}


def find_operation(call: CallInfo) -> str:
    """The conventions' word for what is asked; pictures, sound and films have none of their own yet."""
    return _OPERATIONS.get(call.category, "generate_content")


def describe_call(call: CallInfo) -> Attributes:
    """What spans and metrics have in common. A call that is made of others says nothing that would be counted twice."""
    if call.wraps:
        return {"betterai.provider": call.provider, "betterai.model": call.model}
    said: Attributes = {
        "gen_ai.operation.name": find_operation(call),
        "gen_ai.provider.name": find_name(call.provider),
        "gen_ai.request.model": call.model,
    }
    if call.host:
        said["server.address"] = call.host
        if call.port is not None:
            said["server.port"] = call.port
    return said


def describe_settings(call: CallInfo, settings: GenerationSettings) -> Attributes:
    """What was asked for, as far as it is no content."""
    given = settings.given()
    said: Attributes = {}
    for field, value in given.items():
        if field in _SETTINGS and isinstance(value, int | float):
            said[_SETTINGS[field]] = value
    stop = given.get("stop")
    if stop:
        said["gen_ai.request.stop_sequences"] = [stop] if isinstance(stop, str) else list(stop)
    if (count := given.get("n")) is not None and count != 1:
        said["gen_ai.request.choice.count"] = count
    if given.get("response_format") is not None:
        said["gen_ai.output.type"] = "json"
    if call.stream:
        said["gen_ai.request.stream"] = True
    if call.protocol:
        said["betterai.protocol"] = call.protocol
    return said


def describe_end(event: CallEnded, response: ProviderResponse | None) -> Attributes:
    said = describe_error(event.error if event.kind == "failed" else "")
    if event.kind == "cancelled":
        said["betterai.cancelled"] = True
    if event.timing is not None and event.timing.attempts:
        said["betterai.attempts"] = len(event.timing.attempts)
    if event.request_id:
        said["betterai.request_id"] = event.request_id
    if event.call.wraps:
        return said | {"betterai.response.provider": event.provider, "betterai.response.model": event.model}
    if event.model:
        said["gen_ai.response.model"] = event.model
    if event.id:
        said["gen_ai.response.id"] = event.id
    if response is not None:
        reasons = [answer.finish_reason for answer in (response, *response.alternatives) if answer.finish_reason]
        if reasons:
            said["gen_ai.response.finish_reasons"] = reasons
    if event.first_content is not None:
        said["gen_ai.response.time_to_first_chunk"] = event.first_content
    if event.usage is not None:
        said |= _describe_usage(event.usage)
    if event.cost is not None and event.cost.amount is not None:
        said["betterai.cost.usd"] = float(event.cost.amount)
    return said


def _describe_usage(usage: Usage) -> Attributes:
    """Input tokens hold the cached ones, output tokens those of thoughts, as the conventions have it."""
    said: Attributes = {
        "gen_ai.usage.input_tokens": usage.input_tokens,
        "gen_ai.usage.output_tokens": usage.output_tokens,
    }
    if usage.cached:
        said["gen_ai.usage.cache_read.input_tokens"] = usage.cache_read_tokens
    if usage.cache_write:
        said["gen_ai.usage.cache_creation.input_tokens"] = usage.cache_write_tokens
    if usage.reasoning is not None:
        said["gen_ai.usage.reasoning.output_tokens"] = usage.reasoning
    return said


def describe_error(name: str) -> Attributes:
    return {"error.type": name} if name else {}


def describe_tool(tool: ToolInfo) -> Attributes:
    said: Attributes = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": tool.name,
        "gen_ai.tool.type": "function",
    }
    return said | {"gen_ai.tool.call.id": tool.call_id} if tool.call_id else said


def describe_request(event: TransportEvent, before: int) -> Mapping[str, Value]:
    """By the conventions for HTTP clients; `before` is how many requests the call has made already.
    https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-client-span
    """
    said: Attributes = {
        "http.request.method": event.method,
        "server.address": event.host,
        "url.full": event.url,
        "http.response.body.size": event.bytes,
    }
    if event.port is not None:
        said["server.port"] = event.port
    if event.status is not None:
        said["http.response.status_code"] = event.status
    if before:
        said["http.request.resend_count"] = before
    if event.request_id:
        said["betterai.request_id"] = event.request_id
    return said | describe_error(find_request_error(event))


def find_request_error(event: TransportEvent) -> str:
    if event.kind == "failed":
        return event.error
    return str(event.status) if event.status is not None and event.status >= 400 else ""
