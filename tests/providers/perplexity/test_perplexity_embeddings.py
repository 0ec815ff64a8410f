"""Perplexity's vectors: whole numbers in base64."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest

from betterai.core.exceptions import UnsupportedParam
from betterai.core.model import ModelConfig
from betterai.core.settings import EmbeddingSettings
from betterai.core.wire import Call, WireResponse
from betterai.providers.perplexity import PROVIDER

CODEC = PROVIDER.protocols["embeddings"]["openai_embeddings"]


def call(**settings: Any) -> Any:
    model = ModelConfig(id="pplx-embed-v1-0.6b", provider="perplexity", category="embeddings")
    return Call(model=model, input=("a", "b"), settings=EmbeddingSettings(**settings), id="a")


def test_what_is_asked_for() -> None:
    request = CODEC.build_request(call(dimensions=256))
    assert request.url == "/v1/embeddings"
    assert request.body == {"model": "pplx-embed-v1-0.6b", "input": ["a", "b"], "dimensions": 256}
    assert CODEC.build_request(call(encoding="int8")).body["encoding_format"] == "base64_int8"
    with pytest.raises(UnsupportedParam, match="encoding"):
        CODEC.build_request(call(encoding="float"))


def test_vectors_are_whole_numbers_in_their_order() -> None:
    rows = [(1, b"\x80\x00\x7f"), (0, b"\xff\x01\x02")]
    data = [{"index": index, "embedding": b64encode(row).decode()} for index, row in rows]
    body = {"object": "list", "data": data, "model": "m", "usage": {"prompt_tokens": 3, "total_tokens": 3}}
    read = CODEC.parse_response(call(), WireResponse(status=200, body=json.dumps(body).encode()))
    assert read.vectors == ((-1, 1, 2), (-128, 0, 127))
    assert (read.encoding, read.usage.input_tokens) == ("int8", 3)
