"""From an HTTP reply to our error: a table checked by hand, and any bytes at all."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from betterai.core import exceptions
from betterai.core.exceptions import BetterAIError, ProviderError
from betterai.core.wire import WireResponse
from betterai.wire.error_bodies import is_bare_error, read_error
from betterai.wire.errors import make_error, make_unreadable
from together import each
from wire.chats import CODECS, OPENAI

Headers = dict[str, str]


def fail(status: int, body: Any, headers: Headers | None = None, provider: str = "openai") -> ProviderError:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return CODECS[provider].parse_error(WireResponse(status=status, headers=headers or {}, body=data))


def openai(message: str, code: str | None = None, type: str = "invalid_request_error", param: str | None = None) -> Any:
    return {"error": {"message": message, "type": type, "param": param, "code": code}}


def coded(status: int, message: str, type: str) -> Any:
    """llama.cpp's form: the code repeats the HTTP status."""
    return {"error": {"code": status, "message": message, "type": type}}


YES, NO = True, False
TABLE: list[tuple[int, Any, str, bool, float | None]] = [
    # OpenAI, and all who copy its envelope
    (400, openai("Invalid 'temperature': decimal above maximum value.", "decimal_above_max_value"), "BadRequestError", NO, None),
    (400, openai("Unknown parameter: 'foo'.", "unknown_parameter"), "BadRequestError", NO, None),
    (400, openai("Unsupported parameter: 'max_tokens' is not supported with this model.", "unsupported_parameter"), "BadRequestError", NO, None),
    (400, openai("Maximum context length is 8192 tokens, you asked for 9000.", "context_length_exceeded"), "ContextLengthError", NO, None),
    (400, openai("Your input exceeds the context window of this model."), "ContextLengthError", NO, None),
    (400, openai("Your request was rejected as a result of our safety system.", "content_policy_violation"), "ContentFilterError", NO, None),
    (400, openai("Rejected by our safety system.", "moderation_blocked", "image_generation_user_error"), "ContentFilterError", NO, None),
    (400, {"error": "Generated image rejected by content moderation."}, "ContentFilterError", NO, None),
    (422, openai("NSFW content detected in the image.", "invalid_request_error"), "ContentFilterError", NO, None),
    (400, openai("Invalid prompt: your prompt was flagged as potentially violating our usage policy.", "invalid_prompt"), "ContentFilterError", NO, None),
    (400, openai("Billing hard limit has been reached.", "billing_hard_limit_reached"), "QuotaExceededError", NO, None),
    (400, openai("The requested model 'x' does not exist.", "model_not_found", param="model"), "ModelNotFoundError", NO, None),
    (400, openai("The model 'x' does not exist.", "invalid_value", param="model"), "ModelNotFoundError", NO, None),
    (401, openai("Incorrect API key provided: sk-x.", "invalid_api_key"), "AuthenticationError", NO, None),
    (401, openai("You exceeded your current quota.", "insufficient_quota"), "AuthenticationError", NO, None),
    (403, openai("Project `p` does not have access to model `x`.", "model_not_found"), "ModelNotFoundError", NO, None),
    (403, openai("You are not allowed to sample from this model"), "PermissionDeniedError", NO, None),
    (403, openai("Country, region, or territory not supported", "unsupported_country_region_territory", "request_forbidden"), "PermissionDeniedError", NO, None),
    (404, openai("The model `x` does not exist or you do not have access to it.", "model_not_found"), "ModelNotFoundError", NO, None),
    (404, openai("This is not a chat model.", param="model"), "ModelNotFoundError", NO, None),
    (404, openai("tools is not supported in this model. For a list of supported models, see the guide."), "BadRequestError", NO, None),
    (404, openai("Invalid URL (GET /v1/models/)"), "BadRequestError", NO, None),
    (404, openai("No run step found with id 'step_1'."), "BadRequestError", NO, None),
    (408, openai("Timed out."), "APITimeoutError", YES, None),
    (409, openai("Conflict."), "ProviderError", YES, None),
    (429, openai("Rate limit reached for x on requests per min: Limit 3. Please try again in 20s. You can increase your rate limit by "
                 "adding a payment method at https://example.com/account/billing.", "rate_limit_exceeded", "requests"),
     "RateLimitError", YES, 20.0),
    (429, openai("Rate limit reached. Please try again in 6m12.5s.", "rate_limit_exceeded"), "RateLimitError", YES, 372.5),
    (429, openai("Rate limit reached. Please try again in 450ms.", None, "tokens"), "RateLimitError", YES, 0.45),
    (429, openai("Request too large for x on tokens per min: Limit 10000, Requested 12000. The input or output tokens must be reduced.",
                 "rate_limit_exceeded", "tokens"), "RateLimitError", NO, None),
    (429, openai("You exceeded your current quota, please check your plan and billing details.", "insufficient_quota", "insufficient_quota"),
     "QuotaExceededError", NO, None),
    (500, openai("The server had an error while processing your request.", None, "server_error"), "ProviderError", YES, None),
    (501, openai("Not implemented."), "ProviderError", NO, None),
    (503, openai("That model is currently overloaded.", None, "server_error"), "OverloadedError", YES, None),
    (504, b"", "OverloadedError", YES, None),
    # Groq
    (400, openai("Tool call validation failed: parameters for tool f did not match schema: context_window not allowed", "tool_use_failed"),
     "BadRequestError", NO, None),
    (400, {"error": {"message": "Failed to generate JSON.", "type": "invalid_request_error", "code": "json_validate_failed",
                     "failed_generation": "content policy violation"}}, "BadRequestError", NO, None),
    (400, openai("The model `x` has been decommissioned and is no longer supported.", "model_decommissioned"), "ModelNotFoundError", NO, None),
    (400, openai("Please reduce the length of the messages or completion.", "context_length_exceeded"), "ContextLengthError", NO, None),
    (413, openai("Request too large for model `x` on tokens per minute: Limit 6000, Requested 9000, please reduce your message size and "
                 "try again. Need more tokens? Upgrade at https://example.com/settings/billing", "rate_limit_exceeded", "tokens"),
     "RateLimitError", NO, None),
    (429, openai("Rate limit reached for model `x` on tokens per day: Limit 100000. Please try again in 14m24s. Need more tokens? Upgrade at "
                 "https://example.com/settings/billing", "rate_limit_exceeded", "tokens"), "RateLimitError", YES, 864.0),
    (498, openai("Flex tier capacity exceeded.", "capacity_exceeded"), "OverloadedError", YES, None),
    (499, openai("Request cancelled."), "ProviderError", YES, None),
    # DeepSeek
    (400, openai("This model's maximum context length is 1048565 tokens. However, you requested 1250025 tokens.", "invalid_request_error"),
     "ContextLengthError", NO, None),
    (400, openai("Failed to deserialize the JSON body into the target type: messages[0]", "invalid_request_error"), "BadRequestError", NO, None),
    (400, openai("Content Exists Risk", "invalid_request_error"), "ContentFilterError", NO, None),
    (401, openai("Authentication Fails, Your api key: ****-key is invalid", "invalid_request_error", "authentication_error"),
     "AuthenticationError", NO, None),
    (402, openai("Insufficient Balance", "invalid_request_error", "unknown_error"), "QuotaExceededError", NO, None),
    (422, openai("Invalid max_tokens value", "invalid_request_error"), "BadRequestError", NO, None),
    (503, openai("Service is too busy.", "service_unavailable_error"), "OverloadedError", YES, None),
    # Azure
    (400, {"error": {"code": "content_filter", "message": "The response was filtered due to the prompt triggering the content management "
                     "policy.", "param": "prompt", "status": 400, "innererror": {"code": "ResponsibleAIPolicyViolation"}}},
     "ContentFilterError", NO, None),
    (401, {"error": {"code": "401", "message": "Access denied due to invalid subscription key."}}, "AuthenticationError", NO, None),
    (404, {"error": {"code": "DeploymentNotFound", "message": "The API deployment for this resource does not exist."}}, "ModelNotFoundError", NO, None),
    (404, {"error": {"code": "404", "message": "Resource not found"}}, "BadRequestError", NO, None),
    (422, {"error": {"code": "Invalid input", "message": "invalid input error", "details": [{"loc": ["body"]}], "status": 422}}, "BadRequestError", NO, None),
    (429, {"error": {"code": "RateLimitReached", "message": "Please retry after 26 seconds."}}, "RateLimitError", YES, 26.0),
    (429, {"error": {"code": "429", "message": "Requests have exceeded the token rate limit. Please retry after 1 second."}}, "RateLimitError", YES, 1.0),
    # Mistral
    (400, {"object": "error", "message": "Invalid model: x", "type": "invalid_model", "param": None, "code": "1500"}, "ModelNotFoundError", NO, None),
    (400, {"object": "error", "message": "Too many inputs in request, split into more batches.", "type": "invalid_request_prompt", "code": "3210"},
     "BadRequestError", NO, None),
    (401, {"detail": "Invalid API Key"}, "AuthenticationError", NO, None),
    (422, {"detail": [{"loc": ["body", "seed"], "msg": "Extra inputs are not permitted", "type": "extra_forbidden"}]}, "BadRequestError", NO, None),
    (422, {"object": "error", "message": {"detail": [{"msg": "Field required"}]}, "type": "invalid_request_error"}, "BadRequestError", NO, None),
    (429, {"object": "error", "message": "Service tier capacity exceeded for this model.", "type": "service_tier_capacity_exceeded", "code": "3505"},
     "RateLimitError", YES, None),
    # xAI: the error is a text
    (400, {"code": "Client specified an invalid argument", "error": "Incorrect API key provided: xx. You can obtain one from the console."},
     "AuthenticationError", NO, None),
    (400, {"code": "Client specified an invalid argument", "error": "Model x does not support parameter reasoningEffort."}, "BadRequestError", NO, None),
    (400, {"code": "invalid-argument", "error": "Model not found: x"}, "ModelNotFoundError", NO, None),
    (400, {"code": "c", "error": "This model's maximum prompt length is 131072 but the request contains 200000 tokens."}, "ContextLengthError", NO, None),
    (403, {"code": "permission-denied", "error": "Content violates usage guidelines. Failed check: SAFETY_CHECK"}, "ContentFilterError", NO, None),
    (403, {"code": "c", "error": "Your newly created team doesn't have any credits yet."}, "QuotaExceededError", NO, None),
    (404, {"code": "Some requested entity was not found", "error": "The model x was deprecated on 2025-09-15 and is no longer accessible."},
     "ModelNotFoundError", NO, None),
    (429, {"code": "c", "error": "Your team has either used all available credits or reached its monthly spending limit."}, "QuotaExceededError", NO, None),
    # Cerebras, vLLM: flat
    (400, {"message": "Please reduce the length of the messages or completion.", "type": "invalid_request_error", "param": "messages",
           "code": "context_length_exceeded"}, "ContextLengthError", NO, None),
    (404, {"message": "Model x does not exist or you do not have access to it.", "type": "not_found_error", "param": "model", "code": "model_not_found"},
     "ModelNotFoundError", NO, None),
    (429, {"message": "Requests per minute limit exceeded", "type": "too_many_requests_error", "param": "quota", "code": "request_quota_exceeded"},
     "RateLimitError", YES, None),
    (400, {"object": "error", "message": "This model's maximum context length is 4096 tokens.", "type": "BadRequestError", "param": None, "code": 400},
     "ContextLengthError", NO, None),
    (400, {"object": "error", "message": "The decoder prompt (length 40000) is longer than the maximum model length of 32768.", "type": "BadRequestError",
           "code": 400}, "ContextLengthError", NO, None),
    (404, {"object": "error", "message": "The model `x` does not exist.", "type": "NotFoundError", "param": None, "code": 404}, "ModelNotFoundError", NO, None),
    (404, {"detail": "Not Found"}, "BadRequestError", NO, None),
    # llama.cpp, Ollama
    (400, coded(400, "the request exceeds the available context size, try increasing it", "exceed_context_size_error"), "ContextLengthError", NO, None),
    (400, coded(400, "Failed to load image or audio file", "invalid_request_error"), "BadRequestError", NO, None),
    (401, coded(401, "Invalid API Key", "authentication_error"), "AuthenticationError", NO, None),
    (500, coded(500, "tools param requires --jinja flag", "server_error"), "ProviderError", YES, None),
    (501, coded(501, "The current model does not support audio input.", "not_supported_error"), "ProviderError", NO, None),
    (503, coded(503, "Loading model", "unavailable_error"), "OverloadedError", YES, None),
    (404, {"error": "model 'x:latest' not found"}, "ModelNotFoundError", NO, None),
    # OpenRouter: an int code, and the upstream's own words beside it
    (400, {"error": {"code": 400, "message": "x/y is not a valid model ID"}}, "ModelNotFoundError", NO, None),
    (400, {"error": {"code": 400, "message": "Provider returned error", "metadata": {"raw": '{"error":{"message":"prompt is too long: 9 > 8"}}'}}},
     "ContextLengthError", NO, None),
    (402, {"error": {"code": 402, "message": "This request requires more credits."}}, "QuotaExceededError", NO, None),
    (403, {"error": {"code": 403, "message": "x requires moderation. Your input was flagged.", "metadata": {"reasons": ["violence"]}}}, "ContentFilterError", NO, None),
    (404, {"error": {"code": 404, "message": "No endpoints found for x/y."}}, "ModelNotFoundError", NO, None),
    (404, {"error": {"code": 404, "message": "No endpoints found that support the provided 'tool_choice' value."}}, "BadRequestError", NO, None),
    (429, {"error": {"code": 429, "message": "Provider returned error", "metadata": {"raw": "x is temporarily rate-limited upstream."}}}, "RateLimitError", YES, None),
    # others
    (400, {"error": {"message": "The total length of all messages is too long.", "type": "too_many_prompt_tokens", "code": 400}}, "ContextLengthError", NO, None),
    (400, [{"error": {"code": 400, "message": "API key not valid. Please pass a valid API key.", "status": "INVALID_ARGUMENT"}}], "AuthenticationError", NO, None),
    (400, {"error": {"message": "Your credit balance is too low to access the API.", "type": "invalid_request_error"}}, "QuotaExceededError", NO, None),
    (400, {"error": {"message": "You have reached your specified API usage limits. You will regain access on 2026-04-01.", "type": "invalid_request_error"}},
     "QuotaExceededError", NO, None),
    (400, {"error": {"message": "The input token count (9) exceeds the maximum number of tokens allowed (8).", "code": 400}}, "ContextLengthError", NO, None),
    (400, {"message": "too many tokens: size limit exceeded by 25836 tokens."}, "ContextLengthError", NO, None),
    (400, {"message": "The provided model identifier is invalid."}, "ModelNotFoundError", NO, None),
    (401, {"error": "Invalid username or password."}, "AuthenticationError", NO, None),
    (429, {"error": {"code": 429, "message": "You exceeded your current quota, please check your plan and billing details. Please retry in 48.9s."}},
     "RateLimitError", YES, 48.9),
    (429, {"error": {"code": "1113", "message": "Insufficient balance or no resource package. Please recharge."}}, "QuotaExceededError", NO, None),
    (529, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, "OverloadedError", YES, None),
    # bodies that are no JSON, or none of ours
    (400, b'{"error":{"message":"cut', "BadRequestError", NO, None),
    (404, b"<html><head><title>404</title></head><body>nginx</body></html>", "BadRequestError", NO, None),
    (413, b"<html>Request Entity Too Large</html>", "BadRequestError", NO, None),
    (500, b"", "ProviderError", YES, None),
    (502, b"<html><script>var a = 1</script><h1>502 Bad Gateway</h1></html>", "OverloadedError", YES, None),
    (520, b"error code: 520", "OverloadedError", YES, None),
    (302, b"", "BadRequestError", NO, None),
    (418, [], "BadRequestError", NO, None),
    (400, "a text", "BadRequestError", NO, None),
    # words that stand in an error by chance
    (400, openai("The request exceeds the maximum number of images: 50."), "BadRequestError", NO, None),
    (400, openai("This image exceeds the maximum allowed size."), "BadRequestError", NO, None),
    (400, openai("max_tokens: 99999 > 64000, which is the maximum allowed number of output tokens"), "BadRequestError", NO, None),
    (400, openai("max_tokens is too large: 40000. This model supports at most 16384 completion tokens.", "invalid_value"), "BadRequestError", NO, None),
    (400, {"error": {"message": "web_search_options.search_context_size must be low, medium or high"}}, "BadRequestError", NO, None),
    (400, openai("Unknown parameter: 'content_filter'.", "unknown_parameter"), "BadRequestError", NO, None),
    (400, openai("metadata.billing must be a string", "invalid_type"), "BadRequestError", NO, None),
    (400, openai("metadata: 'billing' is too long"), "BadRequestError", NO, None),
    (400, openai("model: Field required"), "BadRequestError", NO, None),
    (400, openai("Too many strict tools (21). The maximum number of strict tools supported is 20."), "BadRequestError", NO, None),
    (400, openai("Could not finish the message because max_tokens or model output limit was reached."), "BadRequestError", NO, None),
    (404, {"error": {"code": 404, "message": "Not found: cache content metadata 1."}}, "BadRequestError", NO, None),
    (400, openai("Cached content model does not match the model in the request."), "BadRequestError", NO, None),
    (429, openai("Too many concurrent requests; see our content policy and billing pages.", "too_many_requests"), "RateLimitError", YES, None),
]  # fmt: skip


@each(
    ("status", "body", "kind", "retryable", "wait"),
    TABLE,
    ids=[f"{row[0]}-{index}-{row[2]}" for index, row in enumerate(TABLE)],
)
def test_e2_each_error_has_its_class(status: int, body: Any, kind: str, retryable: bool, wait: float | None) -> None:
    error = fail(status, body)
    assert (type(error).__name__, error.retryable) == (kind, retryable)
    assert error.retry_after == (None if wait is None else pytest.approx(wait))
    assert error.status == status


def test_the_table_is_long() -> None:
    assert len(TABLE) >= 100


def test_vendors_words_that_only_they_use() -> None:
    message = "The supported API model names are a or b, but you passed c."
    assert type(fail(400, openai(message), provider="deepseek")).__name__ == "ModelNotFoundError"
    assert type(fail(400, openai(message))).__name__ == "BadRequestError"


# ── E1: what an error carries ──


def test_e1_an_error_carries_all_that_the_provider_said() -> None:
    body = openai("The model `x` does not exist.", "model_not_found", param="model")
    headers = {"x-request-id": "req_1", "retry-after": "3", "set-cookie": "secret"}
    error = fail(404, body, headers)
    assert (error.provider_message, error.code, error.request_id) == (
        "The model `x` does not exist.",
        "model_not_found",
        "req_1",
    )
    assert (error.status, error.retry_after, json.loads(error.body)) == (404, 3.0, body)
    assert error.headers == {"x-request-id": "req_1", "retry-after": "3"}
    assert "does not exist" in str(error)
    assert "check the model's name" in str(error)
    assert "req_1" in str(error)
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.__dict__) == (type(error), str(error), error.__dict__)


@pytest.mark.parametrize("name", ["x-request-id", "request-id", "x-amzn-requestid", "apim-request-id", "cf-ray"])
def test_request_ids_under_every_name(name: str) -> None:
    assert fail(500, b"", {name: "r-1"}).request_id == "r-1"


@each(
    ("body", "message", "code"),
    [
        (openai("m", "c", "t"), "m", "c"),
        (openai("m", None, "t"), "m", "t"),
        ({"error": "m"}, "m", ""),
        ({"error": "m", "code": "c"}, "m", "c"),
        ({"message": "m", "type": "t"}, "m", "t"),
        ({"detail": "m"}, "m", ""),
        ({"msg": "m", "code": "1500", "type": "t"}, "m", "1500"),
        ({"detail": [{"msg": "a"}]}, "a", ""),
        ({"detail": [{"loc": ["body", "n"], "msg": "a"}, {"loc": ["m", 0], "msg": "b"}]}, "body.n: a; m.0: b", ""),
        ({"message": {"detail": [{"loc": ["body"], "msg": "a"}]}, "code": 1}, "body: a", "1"),
        ({"message": {"detail": ["a"]}}, '{"detail":["a"]}', ""),
        ({"error": {"code": 429, "message": "m"}}, "m", "429"),
        (
            {"error": {"code": 400, "type": "exceed_context_size_error", "message": "m"}},
            "m",
            "exceed_context_size_error",
        ),
        ({"error": {"code": 400, "message": "m", "metadata": {"raw": "r"}}}, "m: r", "400"),
        ({"error": {"code": 400, "message": "m", "metadata": {"raw": {}}}}, "m", "400"),
        ([{"error": {"message": "m"}}], "m", ""),
        ("m", "m", ""),
        ({}, "", ""),
        ([], "", ""),
        (5, "", ""),
        ({"error": {"message": None, "code": {"a": 1}}}, "", '{"a":1}'),
    ],
)
def test_every_envelope_is_read(body: Any, message: str, code: str) -> None:
    found = read_error(json.dumps(body).encode())
    assert (found.message, found.code) == (message, code)


def test_a_body_that_is_no_json_is_shown_without_its_markup() -> None:
    error = fail(502, b"<html><style>p {}</style><script>x < 1</script><h1>502 Bad\nGateway</h1></html>")
    assert error.message == "HTTP 502: 502 Bad Gateway"
    assert fail(500, b"").message == "HTTP 500 with an empty body"
    assert "redirect" in str(fail(302, b""))
    assert "base URL" in str(fail(404, b"<html>not here</html>"))
    assert "base URL" not in str(fail(404, openai("No such run.")))


@pytest.mark.parametrize(("should", "retryable"), [("true", True), ("false", False), ("maybe", None)])
def test_the_providers_word_on_retrying_goes_first(should: str, retryable: bool | None) -> None:
    headers = {"x-should-retry": should}
    assert fail(400, b"", headers).retryable is (retryable or False)
    assert fail(500, b"", headers).retryable is (True if retryable is None else retryable)


def test_a_class_that_is_given_wins() -> None:
    error = make_error(200, {}, message="m", kind=exceptions.RateLimitError)
    assert (type(error), error.retryable) == (exceptions.RateLimitError, True)


# ── any bytes ──

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["error", "message", "code", "type", "detail", "param", "metadata", "raw", "status", "status_code"]), inner,
        max_size=4),
    max_leaves=8,
)  # fmt: skip
anything = st.one_of(
    st.binary(max_size=80),
    values.map(lambda value: json.dumps(value).encode()),
    values.map(lambda value: json.dumps({"error": value}).encode()[:-2]),
    st.sampled_from(
        [b"[" * 100_000, b'{"error":' * 50_000, b"<script" * 3000, b"<" * 20_000, b'{"error":{"message":"\\ud800"}}']
    ),
)
statuses = st.integers(300, 599) | st.sampled_from([100, 200, 204, 600, 999])


@settings(max_examples=120)
@given(status=statuses, body=anything, headers=st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=2))
def test_e1_any_reply_is_an_error_of_ours_with_its_text_kept(status: int, body: bytes, headers: Headers) -> None:
    for codec in CODECS.values():
        error = codec.parse_error(WireResponse(status=status, headers=headers, body=body))
        assert isinstance(error, BetterAIError)
        assert isinstance(error, ProviderError)
        assert (error.status, error.body) == (status, body[:65536])
        assert error.message
        assert str(error)
        pickle.loads(pickle.dumps(error))


@settings(max_examples=60)
@given(body=anything)
def test_e1_any_error_inside_a_200_is_an_error_of_ours(body: bytes) -> None:
    is_bare_error(body)
    error = OPENAI.error_in_body(None, WireResponse(status=200, body=body))
    assert isinstance(error, ProviderError)
    assert error.body == body[:65536]


def test_a_long_body_is_kept_in_part_and_quickly() -> None:
    error = fail(500, b"<script" * 100_000)
    assert len(error.body) == 65536


def test_a_long_wait_and_a_reply_that_is_no_answer_say_what_to_do() -> None:
    assert "it asks to wait 3601 s" in str(make_error(429, {"retry-after": "3600.5"}, message="slow down"))
    unread = make_unreadable(WireResponse(status=200, headers={}, body=b"<html>Welcome</html>"))
    assert "check the base URL" in str(unread)
