"""Recorded embeddings of Bedrock, which are filed under what they were asked over: our requests and readings of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec
import pytest

from betterai.core.model import ModelConfig
from betterai.core.settings import EmbeddingSettings
from betterai.core.wire import Call, WireResponse
from betterai.providers.bedrock import PROVIDER
from recordings.store import ROOT, load, name_of, needs_recordings

pytestmark = [pytest.mark.recordings, needs_recordings]
FILES = [file for file in sorted((ROOT / "bedrock" / "invoke").glob("*embed*.json")) if "req-llm" not in file.name]
"""One recorder wrote an envelope of its own around the vectors."""


@pytest.mark.parametrize("file", FILES, ids=map(name_of, FILES))
def test_is_asked_and_read_as_it_was_recorded(file: Path) -> None:
    exchange: dict[str, Any] = load(file)
    sent, response = exchange["request"]["body"], exchange["response"]
    path = urlsplit(exchange["request"]["url"]).path
    id = unquote(path.removeprefix("/model/").removesuffix("/invoke"))
    model = PROVIDER.models().get(id) or ModelConfig(id=id, provider="bedrock", category="embeddings")
    codec = PROVIDER.protocols["embeddings"][model.protocol or "titan_embed"]
    given: dict[str, Any] = {"dimensions": sent["output_dimension"]} if "output_dimension" in sent else {}
    if "input_type" in sent:
        given |= {"task": "query", "truncate": sent["truncate"] == "END"}
    if "normalize" in sent:
        given["options"] = {"bedrock": {"normalize": sent["normalize"]}}
    texts = tuple(sent.get("texts") or (sent["inputText"],))
    call: Any = Call(model=model, input=texts, settings=EmbeddingSettings(**given), id="a")
    request = codec.build_request(call)
    assert unquote(request.url) == unquote(path)
    assert {name: value for name, value in request.body.items() if name != "embedding_types"} == sent
    assert request.warnings == ()
    assert codec.answers(path)
    reply = WireResponse(status=200, headers=response["headers"], body=msgspec.json.encode(response["body"]))
    read = codec.parse_response(call, reply)
    found = response["body"].get("embedding") or response["body"]["embeddings"]
    rows = next(iter(found.values())) if isinstance(found, dict) else found
    expected = [rows] if isinstance(rows[0], float) else rows
    assert [list(vector) for vector in read.vectors] == expected
    assert read.usage.input_tokens == int(response["headers"]["x-amzn-bedrock-input-token-count"])


def test_there_are_some() -> None:
    assert len(FILES) >= 6
