"""R4 and E2: what each failure of each protocol is, whether it may be tried again, and where."""

from __future__ import annotations

import json
from typing import Any

from betterai.core.exceptions import (
    APIConnectionError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    BetterAIError,
    ConfigurationError,
    ConnectTimeout,
    ContentFilterError,
    ContextLengthError,
    FirstByteTimeout,
    IdleTimeout,
    JobInDoubt,
    LimitReached,
    ModelNotFoundError,
    OutputInvalidError,
    OverloadedError,
    PermissionDeniedError,
    ProviderError,
    QuotaExceededError,
    RateLimitError,
    SpendLimitReached,
    StreamInterrupted,
    TotalTimeout,
    UnsupportedParam,
    ValidationError,
)
from betterai.core.wire import WireResponse
from betterai.providers.cohere.chat import CohereChat
from betterai.providers.ollama.native import OllamaNative
from betterai.runtime.verdicts import Verdict, judge
from betterai.wire.anthropic_messages import AnthropicMessages
from betterai.wire.bedrock_converse import BedrockConverse
from betterai.wire.gemini import Gemini
from betterai.wire.openai_chat import OpenAIChat
from betterai.wire.openai_responses import OpenAIResponses
from contract.cases import ASKED, Case
from together import each

STOP = Verdict(domain="call")
ELSEWHERE = Verdict(domain="endpoint", onward=True)
SILENT = Verdict(domain="endpoint", onward=True, silent=True)
KEY = Verdict(domain="key", rotate=True, onward=True)
ACCOUNT = Verdict(domain="account", rotate=True, onward=True)
MODEL = Verdict(domain="model", onward=True)
LONGER = Verdict(domain="call", onward=True, other_model=True)
FILTER = Verdict(domain="call", onward=True, other_model=True, asks="content_filter")


def again(verdict: Verdict) -> Verdict:
    return Verdict(**{**{name: getattr(verdict, name) for name in verdict.__struct_fields__}, "again": True})


OPENAI = (OpenAIChat(), OpenAIResponses())
ANTHROPIC, GEMINI, BEDROCK = AnthropicMessages(), Gemini(), BedrockConverse()
COHERE, OLLAMA = CohereChat(), OllamaNative()


def openai(message: str, code: str | None = None, type: str = "invalid_request_error") -> dict[str, Any]:
    return {"error": {"message": message, "type": type, "param": None, "code": code}}


def anthropic(type: str, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": type, "message": message}}


def google(code: int, status: str, message: str, *details: dict[str, Any]) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "status": status, "details": list(details)}}


ROWS: list[tuple[Any, int, Any, type[BetterAIError], Verdict]] = [
    # OpenAI's, over Chat Completions and Responses
    *[
        (codec, *row)
        for codec in OPENAI
        for row in [
            (400, openai("Invalid value: 'x'.", "invalid_value"), BadRequestError, STOP),
            (400, openai("This model's maximum context length is 8192 tokens.", "context_length_exceeded"), ContextLengthError, LONGER),
            (400, openai("Your request was rejected by the safety system.", "content_policy_violation"), ContentFilterError, FILTER),
            (401, openai("Incorrect API key provided: sk-x.", "invalid_api_key"), AuthenticationError, KEY),
            (402, openai("Insufficient Balance", "invalid_request_error"), QuotaExceededError, ACCOUNT),
            (403, openai("You are not allowed to sample from this model", None, "insufficient_permissions"), PermissionDeniedError, KEY),
            (404, openai("The model `x` does not exist or you do not have access to it.", "model_not_found"), ModelNotFoundError, MODEL),
            (404, b"", BadRequestError, ELSEWHERE),
            (405, b"", BadRequestError, ELSEWHERE),
            (307, b"", BadRequestError, ELSEWHERE),
            (408, b"", APITimeoutError, again(ELSEWHERE)),
            (409, openai("Conflict"), ProviderError, again(ELSEWHERE)),
            (413, b"<html>413 Request Entity Too Large</html>", BadRequestError, ELSEWHERE),
            (422, {"detail": [{"loc": ["body", "n"], "msg": "too many"}]}, BadRequestError, STOP),
            (425, b"", ProviderError, again(ELSEWHERE)),
            (429, openai("Rate limit reached for gpt-x. Please try again in 20s.", "rate_limit_exceeded", "requests"), RateLimitError, again(KEY)),
            (429, openai("You exceeded your current quota, please check your plan and billing details.", "insufficient_quota", "insufficient_quota"), QuotaExceededError, ACCOUNT),
            (429, openai("Request too large for gpt-x on tokens per min (TPM): Limit 10000, Requested 20000.", "rate_limit_exceeded", "tokens"), RateLimitError, KEY),
            (500, openai("The server had an error", None, "server_error"), ProviderError, again(ELSEWHERE)),
            (501, b"", ProviderError, ELSEWHERE),
            (502, b"<html>Bad gateway</html>", OverloadedError, again(ELSEWHERE)),
            (503, openai("The engine is currently overloaded", None, "server_error"), OverloadedError, again(MODEL)),
            (504, b"", OverloadedError, again(ELSEWHERE)),
        ]
    ],
    # Anthropic's (https://docs.anthropic.com/en/api/errors)
    (ANTHROPIC, 400, anthropic("invalid_request_error", "messages: at least one message is required"), BadRequestError, STOP),
    (ANTHROPIC, 400, anthropic("invalid_request_error", "prompt is too long: 208310 tokens > 200000 maximum"), ContextLengthError, LONGER),
    (ANTHROPIC, 400, anthropic("invalid_request_error", "Your credit balance is too low to access the Anthropic API."), QuotaExceededError, ACCOUNT),
    (ANTHROPIC, 400, anthropic("invalid_request_error", "Output blocked by content filtering policy"), ContentFilterError, FILTER),
    (ANTHROPIC, 401, anthropic("authentication_error", "invalid x-api-key"), AuthenticationError, KEY),
    (ANTHROPIC, 403, anthropic("permission_error", "Your API key does not have permission"), PermissionDeniedError, KEY),
    (ANTHROPIC, 404, anthropic("not_found_error", "model: claude-x"), ModelNotFoundError, MODEL),
    (ANTHROPIC, 413, anthropic("request_too_large", "Request exceeds the maximum size"), BadRequestError, ELSEWHERE),
    (ANTHROPIC, 429, anthropic("rate_limit_error", "This request would exceed your organization's rate limit"), RateLimitError, again(KEY)),
    (ANTHROPIC, 500, anthropic("api_error", "Internal server error"), ProviderError, again(ELSEWHERE)),
    (ANTHROPIC, 529, anthropic("overloaded_error", "Overloaded"), OverloadedError, again(MODEL)),
    # Google's (https://ai.google.dev/gemini-api/docs/troubleshooting)
    (GEMINI, 400, google(400, "INVALID_ARGUMENT", "Request contains an invalid argument."), BadRequestError, STOP),
    (GEMINI, 400, google(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."), AuthenticationError, KEY),
    (GEMINI, 400, google(400, "INVALID_ARGUMENT", "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."), ContextLengthError, LONGER),
    (GEMINI, 403, google(403, "PERMISSION_DENIED", "Your API key doesn't have the required permissions."), PermissionDeniedError, KEY),
    (GEMINI, 404, google(404, "NOT_FOUND", "models/gemini-x is not found for API version v1beta"), ModelNotFoundError, MODEL),
    (GEMINI, 429, google(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota)."), RateLimitError, again(KEY)),
    (GEMINI, 500, google(500, "INTERNAL", "An internal error has occurred."), ProviderError, again(ELSEWHERE)),
    (GEMINI, 503, google(503, "UNAVAILABLE", "The model is overloaded. Please try again later."), OverloadedError, again(MODEL)),
    (GEMINI, 504, google(504, "DEADLINE_EXCEEDED", "Deadline expired"), OverloadedError, again(ELSEWHERE)),
    # Bedrock's (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html)
    (BEDROCK, 400, {"__type": "ValidationException", "message": "Malformed input request"}, BadRequestError, STOP),
    (BEDROCK, 400, {"__type": "ValidationException", "message": "Input is too long for requested model."}, ContextLengthError, LONGER),
    (BEDROCK, 400, {"__type": "ValidationException", "message": "The provided model identifier is invalid."}, ModelNotFoundError, MODEL),
    (BEDROCK, 403, {"__type": "AccessDeniedException", "message": "You don't have access to the model"}, PermissionDeniedError, KEY),
    (BEDROCK, 403, {"__type": "UnrecognizedClientException", "message": "The security token included in the request is invalid."}, AuthenticationError, KEY),
    (BEDROCK, 404, {"__type": "ResourceNotFoundException", "message": "This model version has reached the end of its life."}, ModelNotFoundError, MODEL),
    (BEDROCK, 408, {"__type": "ModelTimeoutException", "message": "The request took too long"}, APITimeoutError, again(ELSEWHERE)),
    (BEDROCK, 424, {"__type": "ModelErrorException", "message": "The model failed"}, ProviderError, ELSEWHERE),
    (BEDROCK, 429, {"__type": "ThrottlingException", "message": "Too many requests, please wait before trying again."}, RateLimitError, again(KEY)),
    (BEDROCK, 429, {"__type": "ModelNotReadyException", "message": "The model is not ready"}, OverloadedError, again(MODEL)),
    (BEDROCK, 500, {"__type": "InternalServerException", "message": "An internal server error occurred"}, ProviderError, again(ELSEWHERE)),
    (BEDROCK, 503, {"__type": "ServiceUnavailableException", "message": "The service isn't available"}, OverloadedError, again(MODEL)),
    # Cohere's (https://docs.cohere.com/reference/errors) and Ollama's
    (COHERE, 400, {"message": "invalid request: message must be at least 1 token long"}, BadRequestError, STOP),
    (COHERE, 401, {"message": "invalid api token"}, AuthenticationError, KEY),
    (COHERE, 402, {"message": "You have reached your billing limit"}, QuotaExceededError, ACCOUNT),
    (COHERE, 404, {"message": "model 'x' not found, make sure the correct model ID was used"}, ModelNotFoundError, MODEL),
    (COHERE, 429, {"message": "You are using a Trial key, which is limited to 10 API calls / minute."}, RateLimitError, again(KEY)),
    (COHERE, 499, {"message": "request cancelled"}, ProviderError, again(ELSEWHERE)),
    (COHERE, 500, {"message": "internal server error"}, ProviderError, again(ELSEWHERE)),
    (OLLAMA, 400, {"error": "\"x\" does not support tools"}, BadRequestError, STOP),
    (OLLAMA, 404, {"error": "model \"x\" not found, try pulling it first"}, ModelNotFoundError, MODEL),
    (OLLAMA, 500, {"error": "model runner has unexpectedly stopped"}, ProviderError, again(ELSEWHERE)),
    (OLLAMA, 503, {"error": "server busy, please try again. maximum pending requests exceeded"}, OverloadedError, again(MODEL)),
]  # fmt: skip


@each(
    ("codec", "status", "body", "kind", "verdict"),
    ROWS,
    ids=[f"{codec.protocol}-{status}-{kind.__name__}" for codec, status, _, kind, _ in ROWS],
)
def test_r4_what_a_providers_words_allow(
    codec: Any, status: int, body: Any, kind: type[BetterAIError], verdict: Verdict
) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    error = codec.parse_error(WireResponse(status=status, body=content))
    assert type(error) is kind
    assert judge(error) == verdict
    assert error.retryable is verdict.again


OURS: list[tuple[BetterAIError, Verdict]] = [
    (ConnectTimeout("10 s"), again(SILENT)),
    (FirstByteTimeout("300 s"), again(SILENT)),
    (IdleTimeout("120 s"), again(SILENT)),
    (TotalTimeout("1800 s"), STOP),
    (APIConnectionError("refused"), again(ELSEWHERE)),
    (APIConnectionError("no trust", retryable=False), ELSEWHERE),
    (StreamInterrupted("cut"), Verdict(domain="endpoint", onward=True, asks="stream")),
    (StreamInterrupted("cut before anything was shown", retryable=True), again(ELSEWHERE)),
    (OutputInvalidError("no JSON"), Verdict(domain="call", onward=True, asks="output")),
    (JobInDoubt("who knows"), STOP),
    (UnsupportedParam("stop"), Verdict(domain="call", onward=True)),
    (ConfigurationError("no key"), KEY),
    (ValidationError("no messages"), STOP),
    (LimitReached("used up"), STOP),
    (SpendLimitReached("1 $"), Verdict(domain="call", onward=True)),
    (ProviderError("no choices", code="no_choices"), ELSEWHERE),
    (BetterAIError("odd"), STOP),
]


@each(("error", "verdict"), OURS, ids=lambda value: type(value).__name__)
def test_r4_what_our_own_errors_allow(error: BetterAIError, verdict: Verdict) -> None:
    assert judge(error) == verdict


@each("case", ASKED, ids=str)
def test_r4_the_provider_overrules_but_not_for_the_same_model_and_conversation(case: Case) -> None:
    for word in ("true", "false"):
        headers = {"x-should-retry": word}
        for status in (400, 503):
            error = case.codec.parse_error(WireResponse(status=status, headers=headers, body=b""))
            assert judge(error).again is (word == "true")
        for code in ("context_length_exceeded", "content_filter"):
            body = json.dumps({"error": {"message": "This model's maximum context length is 10", "code": code}})
            if code == "content_filter":
                body = json.dumps({"error": {"message": "The prompt was flagged by moderation", "code": code}})
            error = case.codec.parse_error(WireResponse(status=400, headers=headers, body=body.encode()))
            assert isinstance(error, ContextLengthError | ContentFilterError)
            assert not judge(error).again


@each("case", ASKED, ids=str)
def test_r4_every_status_has_a_verdict_that_its_class_explains(case: Case) -> None:
    for status in range(300, 600):
        error = case.codec.parse_error(WireResponse(status=status, body=b""))
        verdict = judge(error)
        assert verdict.again is error.retryable
        assert verdict.onward or status not in {401, 402, 403, 404, 408, 429, *range(500, 600)}
        assert not verdict.silent, "who answers is not silent"
