"""Counting tokens where plain texts, or whole conversations, are tokenized."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from betterai.core.exceptions import AuthenticationError, ProviderError
from betterai.core.media import Media
from betterai.core.message import MediaPart, Message, Reasoning, Text, ToolCall, ToolResult
from betterai.core.results import TokenCount
from betterai.core.tools import Tool
from betterai.core.wire import WireResponse
from betterai.providers.llamacpp.tokenize import LlamaCppTokenize
from betterai.providers.vllm.tokenize import VLLMTokenize
from betterai.providers.xai.tokenize import XAITokenize
from wire.chats import dropped, make_call, model

PICTURE = MediaPart(media=Media(kind="image", mime_type="image/png", data=b"x"))
TALK = (
    Message.system("Be brief."),
    Message(role="user", parts=(Text(text="Add."), PICTURE)),
    Message(role="assistant", parts=(Reasoning(text="Hm."), ToolCall(id="c", name="add", arguments="{}"))),
    Message(role="tool", parts=(ToolResult(id="c", parts=(Text(text="2"),)),)),
)
SAID = "Be brief.\nAdd.\nHm.\nadd {}\n2"
AT = {"base_url": "http://localhost:8000/v1"}


def test_texts_alone() -> None:
    request = XAITokenize().build_request(make_call(TALK, of=model("xai", "grok-4.7"), tools=[Tool(name="add")]))
    assert (request.url, request.body) == ("/tokenize-text", {"model": "grok-4.7", "text": SAID})
    assert dropped(request) == ["tools", "messages.media"]
    assert request.safe_to_repeat


def test_beside_the_base_url() -> None:
    call = replace(make_call(TALK, of=model("llamacpp", "m")), provider_settings=AT)
    request = LlamaCppTokenize().build_request(call)
    assert (request.url, request.body) == (
        "http://localhost:8000/tokenize", {"model": "m", "content": SAID, "add_special": True},
    )  # fmt: skip


def test_a_whole_conversation() -> None:
    tools = [Tool(name="add", parameters={"type": "object"})]
    call = replace(
        make_call((Message.user("Hi"),), of=model("vllm", "m"), tools=tools, temperature=0), provider_settings=AT
    )
    request = VLLMTokenize().build_request(call)
    assert (request.url, request.body) == ("http://localhost:8000/tokenize", {
        "model": "m", "messages": [{"role": "user", "content": "Hi"}],
        "tools": [{"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}],
    })  # fmt: skip
    assert request.warnings == ()
    counted = VLLMTokenize().parse_response(call, WireResponse(status=200, body=b'{"count":3,"tokens":[1,2,3]}'))
    assert isinstance(counted, TokenCount)
    assert (counted.tokens, counted.estimated) == (3, False)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"tokens":3}'])
def test_what_is_no_count_is_an_error(body: bytes) -> None:
    with pytest.raises(ProviderError):
        LlamaCppTokenize().parse_response(make_call(), WireResponse(status=200, body=body))


def test_errors_and_streams() -> None:
    body: Any = {"error": {"message": "no such key", "type": "invalid_request_error"}}
    error = XAITokenize().parse_error(WireResponse(status=401, body=json.dumps(body).encode()))
    assert type(error) is AuthenticationError
    assert error.provider_message == "no such key"
    with pytest.raises(ProviderError, match="no stream"):
        XAITokenize().open_stream(make_call())
