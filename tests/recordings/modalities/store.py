"""Which recorded exchanges are of the categories other than text."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from recordings.modalities.readings import READINGS
from recordings.store import ROOT, load

PROVIDERS = (
    "azure",
    "cohere",
    "deepgram",
    "elevenlabs",
    "google",
    "groq",
    "llamacpp",
    "mistral",
    "ollama",
    "openai",
    "openrouter",
    "perplexity",
    "together",
    "vertex",
    "voyage",
    "xai",
)


def kind_of(file: Path) -> str:
    exchange = load(file)
    return str(exchange.get("base_kind") if exchange["kind"] == "error" else exchange["kind"])


@cache
def modality_files() -> tuple[Path, ...]:
    """Those of the providers that offer one of these here, and the errors over them, as they were on the wire."""
    return tuple(
        file
        for provider in PROVIDERS
        for kind in (*READINGS, "error")
        for file in sorted((ROOT / provider / kind).glob("*.json"))
        if kind_of(file) in READINGS and load(file)["fidelity"] in ("wire", "wire-body", "response-fixture")
    )
