"""Where the recorded exchanges are, and which of them this work speaks of."""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(os.environ.get("BETTERAI_RECORDINGS") or Path(__file__).parents[3] / "shared" / "recordings")
PROVIDERS = (
    "openai", "groq", "deepseek", "ollama", "llamacpp", "azure", "openrouter", "huggingface", "together", "cerebras",
    "mistral", "perplexity", "xai", "zai", "moonshot",
)  # fmt: skip
KINDS = ("chat", "chat-stream")
PATH = "/chat/completions"

needs_recordings = pytest.mark.skipif(not ROOT.is_dir(), reason="the recorded exchanges are not here")


@cache
def chat_files() -> tuple[Path, ...]:
    """The chat exchanges, and the errors over them, as they were on the wire."""
    if not ROOT.is_dir():
        return ()
    files = [
        file for name in PROVIDERS for kind in (*KINDS, "error") for file in sorted((ROOT / name / kind).glob("*.json"))
    ]
    return tuple(file for file in files if _is_ours(load(file)))


def _is_ours(exchange: dict[str, Any]) -> bool:
    """Whether it is of a kind that we speak of, and not in a provider's own protocol, which has another address; where
    none was kept, the reply tells.
    """
    kind = exchange["base_kind"] if exchange["kind"] == "error" else exchange["kind"]
    url = (exchange["request"] or {}).get("url")
    if url:
        return kind in KINDS and url.partition("?")[0].endswith(PATH)
    body, text = exchange["response"].get("body"), exchange["response"].get("body_text", "")
    return kind in KINDS and not (isinstance(body, dict) and "created_at" in body) and not text.startswith("{")


@cache
def load(file: Path) -> dict[str, Any]:
    exchange: dict[str, Any] = json.loads(file.read_text())
    return exchange


def name_of(file: Path) -> str:
    return str(file.relative_to(ROOT)).removesuffix(".json")


def streamed(exchange: dict[str, Any]) -> bool:
    return exchange["kind"] == "chat-stream" and "body_text" in exchange["response"]
