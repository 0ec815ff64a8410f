"""Defaults, by category and overridable by environment. Nothing is read before it is asked for."""

from __future__ import annotations

from typing import Any

from betterai.config.environment import read_config_file, read_variable
from betterai.core.model import Category
from betterai.providers import declared_providers

MODEL_VARIABLES: dict[Category, str] = {
    "text": "BETTERAI_MODEL",
    "image": "BETTERAI_IMAGE_MODEL",
    "video": "BETTERAI_VIDEO_MODEL",
    "audio": "BETTERAI_STT_MODEL",
    "tts": "BETTERAI_TTS_MODEL",
    "realtime": "BETTERAI_REALTIME_MODEL",
    "embeddings": "BETTERAI_EMBEDDING_MODEL",
    "rerank": "BETTERAI_RERANK_MODEL",
    "moderation": "BETTERAI_MODERATION_MODEL",
}
"""Which variable sets the default model of a category."""


def chosen_model(category: Category = "text") -> tuple[str, str]:
    """The model that the user chose, and where: the category's variable, or the configuration file; "" for none."""
    variable = MODEL_VARIABLES.get(category)
    if variable and (chosen := read_variable(variable)):
        return chosen, variable
    file = read_config_file()
    return (file.models[category], file.path) if category in file.models else ("", "")


def default_model(category: Category = "text") -> str:
    """The model to use where none is named: the user's choice, else the embedded provider's. "" for none."""
    return chosen_model(category)[0] or embedded_model(category)


def embedded_model(category: Category) -> str:
    """What needs neither key nor network; "" for none."""
    for provider in declared_providers():
        if provider.embedded and category in provider.defaults:
            return f"{provider.name}/{provider.defaults[category]}"
    return ""


def __getattr__(name: str) -> Any:
    """Handbook step 6: `defaults.GROQ_API_KEY`, `defaults.OPENAI_STT_MODEL` … are read when they are asked for."""
    if name.isupper() and name.endswith(("_API_KEY", "_BASE_URL", "_MODEL")):
        return read_variable(name) or ""
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
