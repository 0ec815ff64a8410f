"""A model as data: what the catalogue claims it can do, and how its family wants to be asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from betterai.core.data import Data
from betterai.core.price import Price

Category = Literal[
    "text",
    "image",
    "video",
    "audio",
    "tts",
    "realtime",
    "embeddings",
    "rerank",
    "moderation",
    "count",
    "files",
    "batch",
]


class ModelCapabilities(Data, frozen=True, kw_only=True):
    """Claims of the catalogue: True, False, or None for unknown. False leads to a warning, never to a block."""

    supports_streaming: bool | None = None
    supports_vision: bool | None = None
    supports_audio_input: bool | None = None
    supports_video_input: bool | None = None
    supports_documents: bool | None = None
    supports_audio_output: bool | None = None
    supports_reasoning: bool | None = None
    supports_tools: bool | None = None
    supports_structured_output: bool | None = None
    supports_web_search: bool | None = None
    supports_batch_api: bool | None = None
    max_tokens: int | None = None
    """The most output tokens in one answer."""
    context_window: int | None = None
    """The most input tokens."""


class ModelTraits(Data, frozen=True, kw_only=True):
    """How a model family wants to be asked: facts that codecs read instead of matching on model ids.

    They come from `catalogue/families.toml`, each with its source and date, and are laid under a vendor's own entry.
    None and "" mean: nothing special is known.
    """

    reasons: Literal["always", "default", "optional", "never"] | None = None
    efforts: tuple[str, ...] | None = None
    sampling: Literal["always", "not_reasoning", "never"] = "always"
    stop: bool = True
    max_tokens_fields: tuple[str, ...] = ()
    system_role: Literal["system", "developer", ""] = ""
    json_schema: bool | None = None
    tools_while_reasoning: bool = True
    forced_tools_while_reasoning: bool = True
    replay_reasoning: Literal["required", "never", "tags", ""] = ""
    prefill: bool | None = None
    protocol: str = ""
    live_protocol: str = ""
    """The protocol of its sessions, where the vendor has several and this is not the first."""
    thinking: tuple[str, ...] | None = None
    """The forms of a `thinking` object that the model takes: adaptive, enabled (a budget), disabled, between_tools."""
    forced_tools: bool = True
    """Whether it can be made to call a tool at all."""
    midway_system: bool | None = None
    """Whether it heeds instructions in the middle of a conversation."""
    texts_at_once: int | None = None
    """How many texts one request for embeddings may hold, where it is fewer than the protocol has it."""
    free_sizes: bool = False
    """Whether its pictures may have any size, and so any aspect."""
    reasoning_field: str = ""
    """Its maker's own field for how much it thinks, where a host passes such fields on, and it takes no `thinking`:
    `reasoningConfig` or `reasoning_effort`.
    """


class ModelConfig(Data, frozen=True, kw_only=True):
    """One model of one provider. `config` holds the ranges of its settings, such as `{"temperature": (0.0, 2.0)}`."""

    id: str
    name: str = ""
    provider: str
    category: Category = "text"
    capabilities: ModelCapabilities = ModelCapabilities()
    config: Mapping[str, tuple[float, float]] = {}
    traits: ModelTraits = ModelTraits()
    aliases: tuple[str, ...] = ()
    protocol: str = ""
    price: Price | None = None
    shutdown: str = ""
    """The day on which the vendor stops serving it (ISO date)."""
    owner: bool = False
    """Whether the provider is the model's maker: a bare id that several serve means this one."""
    known: bool = True
    """False for a model that no catalogue names: it is asked all the same, with a warning."""

    @property
    def key(self) -> str:
        return f"{self.provider}/{self.id}"
