"""What vendors say of quotas, limits, filters and names, each in its own dialect, as documented or reported (2026-11)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Body = tuple[int, Mapping[str, str], Any]
JSON: Mapping[str, str] = {"Content-Type": "application/json"}


def _openai(status: int, type: str, code: str | None, message: str) -> Body:
    return status, JSON, {"error": {"message": message, "type": type, "param": None, "code": code}}


def _both(body: Body) -> dict[str, Body]:
    return {"openai_chat": body, "openai_responses": body}


def _anthropic(status: int, type: str, message: str) -> dict[str, Body]:
    return {"anthropic_messages": (status, JSON, {"type": "error", "error": {"type": type, "message": message}})}


def _gemini(code: int, status: str, message: str) -> dict[str, Body]:
    return {"gemini": (code, JSON, [{"error": {"code": code, "message": message, "status": status}}])}


def _bedrock(status: int, kind: str, message: str) -> dict[str, Body]:
    headers = {**JSON, "x-amzn-ErrorType": f"{kind}:http://internal.amazon.com/coral/com.amazon.bedrock/"}
    return {"bedrock_converse": (status, headers, {"message": message})}


def _cohere(status: int, message: str) -> dict[str, Body]:
    return {"cohere_chat": (status, JSON, {"id": "r-1", "message": message})}


def _ollama(status: int, message: str) -> dict[str, Body]:
    return {"ollama_chat": (status, JSON, {"error": message})}


QUOTA = {
    **_both(_openai(429, "insufficient_quota", "insufficient_quota", "You exceeded your current quota, please check your plan and billing details.")),
    **_anthropic(400, "invalid_request_error", "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits."),
    **_gemini(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota, please check your plan and billing details."),
    **_bedrock(400, "ServiceQuotaExceededException", "Your request exceeds the service quota for your account."),
    **_cohere(429, "You are using a Trial key, which is limited to 1000 API calls / month."),
}  # fmt: skip
SPEND = {
    **_both(_openai(400, "invalid_request_error", "billing_hard_limit_reached", "Billing hard limit has been reached.")),
    **_anthropic(400, "invalid_request_error", "You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC."),
    **_gemini(429, "RESOURCE_EXHAUSTED", "Your project has exceeded its monthly spending limit. Raise it in AI Studio."),
    **_cohere(402, "Please set up a payment method: your spend limit was reached."),
}  # fmt: skip
CONTEXT = {
    **_both(_openai(400, "invalid_request_error", "context_length_exceeded", "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.")),
    **_anthropic(400, "invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"),
    **_gemini(400, "INVALID_ARGUMENT", "The input token count (1100000) exceeds the maximum number of tokens allowed (1048576)."),
    **_bedrock(400, "ValidationException", "Input is too long for requested model."),
    **_cohere(400, "too many tokens: size limit exceeded by 100 tokens. Try using shorter or fewer inputs, or setting prompt_truncation='AUTO'."),
    **_ollama(400, "the input length exceeds the context length"),
}  # fmt: skip
FILTERED = {
    **_both(_openai(400, "invalid_request_error", "content_policy_violation", "Your request was rejected as a result of our safety system.")),
    **_anthropic(400, "invalid_request_error", "Output blocked by content filtering policy"),
}  # fmt: skip
NO_MODEL = {
    **_both(_openai(404, "invalid_request_error", "model_not_found", "The model `neutral-model` does not exist or you do not have access to it.")),
    **_anthropic(404, "not_found_error", "model: neutral-model"),
    **_gemini(404, "NOT_FOUND", "models/neutral-model is not found for API version v1beta, or is not supported for generateContent."),
    **_bedrock(400, "ValidationException", "The provided model identifier is invalid."),
    **_cohere(404, "model 'neutral-model' not found, make sure the correct model ID was used"),
    **_ollama(404, "model 'neutral-model' not found"),
}  # fmt: skip
KEY = {
    **_both(_openai(401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided: sk-***.")),
    **_anthropic(401, "authentication_error", "invalid x-api-key"),
    **_gemini(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."),
    **_bedrock(403, "UnrecognizedClientException", "The security token included in the request is invalid."),
    **_cohere(401, "invalid api token"),
    **_ollama(401, "unauthorized"),
}  # fmt: skip
BUSY = {
    **_both(_openai(503, "server_error", None, "The engine is currently overloaded, please try again later.")),
    **_anthropic(529, "overloaded_error", "Overloaded"),
    **_gemini(503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
    **_bedrock(503, "ServiceUnavailableException", "Bedrock is unable to process your request."),
    **_cohere(503, "service unavailable"),
    **_ollama(503, "server busy, please try again. maximum pending requests exceeded"),
}  # fmt: skip
RATE = {
    **_both(_openai(429, "tokens", "rate_limit_exceeded", "Rate limit reached for neutral-model. Please try again in 20ms.")),
    **_anthropic(429, "rate_limit_error", "This request would exceed your account's rate limit. Please try again later."),
    **_gemini(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota)."),
    **_bedrock(429, "ThrottlingException", "Too many tokens, please wait before trying again."),
    **_cohere(429, "You are past the per minute request limit, please wait and try again later."),
    **_ollama(429, "too many concurrent requests"),
}  # fmt: skip
DELAY = {
    "gemini": (429, JSON, {"error": {"code": 429, "message": "Resource has been exhausted.", "status": "RESOURCE_EXHAUSTED",
               "details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "0.1s"}]}}),
}  # fmt: skip
