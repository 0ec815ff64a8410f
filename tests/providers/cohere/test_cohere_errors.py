"""Cohere: errors by status and body, the count of tokens, and where it is."""

from __future__ import annotations

import json

import pytest

import betterai
from betterai.core.exceptions import (
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    BetterAIError,
    ContextLengthError,
    ModelNotFoundError,
    OverloadedError,
    PermissionDeniedError,
    ProviderError,
    QuotaExceededError,
    RateLimitError,
)
from betterai.core.media import Media
from betterai.core.message import Message
from betterai.core.wire import WireResponse
from betterai.providers.cohere.tokenize import CohereTokenize
from providers.cohere.replies import COHERE, call, events_of, whole
from runtime.upstream import Upstream, reply, stream
from together import each
from wire.chats import dropped

TRIAL = "You are using a Trial key, which is limited to {} API calls / {}. Please wait."
TABLE: list[tuple[int, str, str, type[BetterAIError], bool]] = [
    (400, "invalid request: message must not be empty", "", BadRequestError, False),
    (400, "too many tokens: size limit exceeded by 25836 tokens.", "TOO_MANY_TOKENS", ContextLengthError, False),
    (401, "invalid api token", "", AuthenticationError, False),
    (402, "Please add or update your payment method", "", QuotaExceededError, False),
    (403, "no access", "", PermissionDeniedError, False),
    (404, "model 'x' not found, make sure the correct model ID was used", "", ModelNotFoundError, False),
    (422, "your request resulted in an invalid tool generation.", "INVALID_TOOL_GENERATION", BadRequestError, False),
    (429, TRIAL.format(40, "minute"), "", RateLimitError, True),
    (429, TRIAL.format(1000, "month"), "", QuotaExceededError, False),
    (498, "invalid token", "", AuthenticationError, False),
    (499, "request cancelled", "", ProviderError, True),
    (500, "internal server error", "", ProviderError, True),
    (501, "not implemented", "", ProviderError, False),
    (503, "unavailable", "", OverloadedError, True),
    (504, "timed out", "", OverloadedError, True),
    (408, "timed out", "", APITimeoutError, True),
]


@each(("status", "said", "word", "kind", "retryable"), TABLE)
def test_errors(status: int, said: str, word: str, kind: type[BetterAIError], retryable: bool) -> None:
    body = {"id": "e-1", "message": said} | ({"error_type": word} if word else {})
    found = COHERE.parse_error(WireResponse(status=status, body=json.dumps(body).encode()))
    assert type(found) is kind
    assert (found.status, found.provider_message, found.code, found.request_id) == (status, said, word, "e-1")
    assert found.retryable is retryable


def test_the_count_is_of_the_texts() -> None:
    codec = CohereTokenize()
    picture = Media(kind="image", mime_type="image/png", data=b"x")
    request = codec.build_request(call(Message.system("Be brief."), Message.user("Hello", picture)))
    assert (request.url, request.body) == ("/v1/tokenize", {"model": "command-a-03-2025", "text": "Be brief.\nHello"})
    assert dropped(request) == ["messages.media"]
    counted = codec.parse_response(call(), WireResponse(status=200, body=b'{"tokens":[1,2,3],"token_strings":[]}'))
    assert isinstance(counted, betterai.core.results.TokenCount)
    assert (counted.tokens, counted.estimated) == (3, True)
    with pytest.raises(ProviderError):
        codec.parse_response(call(), WireResponse(status=200, body=b'{"tokens":3}'))


async def test_a_call_and_a_stream_for_real(monkeypatch: pytest.MonkeyPatch) -> None:
    body = whole({"content": [{"type": "text", "text": "Hello"}]})
    sse = [f"event: {item['type']}\ndata: {json.dumps(item)}\n\n".encode() for item in events_of(body)]
    with Upstream(reply(200, body), stream(sse)) as upstream:
        monkeypatch.setenv("CO_API_URL", upstream.url.removesuffix("/v1"))
        monkeypatch.setenv("CO_API_KEY", "co-key")
        provider = betterai.get_text_provider("cohere/command-a-03-2025")
        response = await provider.generate([Message.user("Hi")])
        chunks = [chunk async for chunk in provider.generate_stream([Message.user("Hi")])]
    assert response.content == "Hello"
    assert response.cost is not None
    assert response.cost.status == "exact"
    assert chunks[-1].response is not None
    assert chunks[-1].response.message == response.message
    assert [request.path for request in upstream.requests] == ["/v2/chat"] * 2
    assert upstream.requests[0].headers["Authorization"] == "Bearer co-key"
    assert "X-Client-Name" not in upstream.requests[0].headers
