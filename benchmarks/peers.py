"""Who is measured: the peers, the environment each lives in, and how much work each can be asked for."""

from __future__ import annotations

from typing import NamedTuple

ENVIRONMENTS: dict[str, tuple[str, ...]] = {
    "upstream": ("uvloop",),
    "raw_aiohttp": ("aiohttp", "msgspec"),
    "betterai": (".",),
    "betterai_otel": (".", "opentelemetry-sdk"),
    "httpx": ("httpx", "msgspec"),
    "openai": ("openai",),
    "anthropic": ("anthropic",),
    "google": ("google-genai",),
    "any_llm": ("any-llm-sdk[openai]",),
    "pydantic_ai": ("pydantic-ai-slim[openai]",),
    "langchain": ("langchain-openai",),
    "litellm": ("litellm",),
}
"""Environment → what pip installs in it; "." is this repository, installed as a user would, not editable."""

FLOOR = "raw_aiohttp"
OURS = "betterai"


class Peer(NamedTuple):
    """`effort` divides the work: the dear ones are asked for less, or the run would take hours."""

    name: str
    label: str
    environment: str
    script: str
    effort: int = 1
    arguments: tuple[str, ...] = ()

    @property
    def is_ours(self) -> bool:
        return self.environment.startswith(OURS)


PEERS = {
    peer.name: peer
    for peer in (
        Peer("raw_aiohttp", "raw aiohttp", "raw_aiohttp", "raw_aiohttp"),
        Peer("betterai", "BetterAI", "betterai", "betterai_async"),
        Peer("bare_asyncio", "asyncio by hand", "raw_aiohttp", "bare_asyncio"),
        Peer("httpx", "raw httpx", "httpx", "raw_httpx", 12),
        Peer("openai", "openai SDK", "openai", "openai_sdk", 8),
        Peer("anthropic", "anthropic SDK", "anthropic", "anthropic_sdk", 8),
        Peer("any_llm", "any-llm", "any_llm", "any_llm_sdk", 8),
        Peer("pydantic_ai", "pydantic-ai", "pydantic_ai", "pydantic_ai_direct", 10),
        Peer("langchain", "langchain", "langchain", "langchain_chat", 16),
        Peer("litellm", "LiteLLM SDK", "litellm", "litellm_sdk", 20),
        Peer("litellm_router", "LiteLLM Router", "litellm", "litellm_router", 24),
        Peer("raw_socket", "bare socket", "raw_aiohttp", "raw_socket"),
        Peer("betterai_messages", "BetterAI, Messages", "betterai", "betterai_async", 1, ("anthropic/claude-opus-5",)),
        Peer("betterai_gemini", "BetterAI, Gemini", "betterai", "betterai_async", 1, ("google/gemini-3.8-flash",)),
        Peer("betterai_responses", "BetterAI, Responses", "betterai", "betterai_async", 1, ("openai/gpt-6-luna",)),
        Peer("google", "google-genai SDK", "google", "google_sdk", 8),
        Peer("openai_responses", "openai SDK, Responses", "openai", "openai_responses", 8),
        Peer("router_1", "a router with one target", "betterai", "betterai_features", 1, ("router_1",)),
        Peer("router_2", "a router with two targets", "betterai", "betterai_features", 1, ("router_2",)),
        Peer("middleware", "a middleware that does nothing", "betterai", "betterai_features", 1, ("middleware",)),
        Peer("hook", "a hook that does nothing", "betterai", "betterai_features", 1, ("hook",)),
        Peer("otel", "OpenTelemetry, sent nowhere", "betterai_otel", "betterai_features", 1, ("otel",)),
        Peer("betterai_sync", "BetterAI, sync", "betterai", "betterai_sync"),
        Peer("openai_sync", "openai SDK, sync", "openai", "openai_sync", 8),
    )
}
ASYNC = (
    "bare_asyncio", "raw_aiohttp", "betterai", "httpx", "openai", "anthropic", "any_llm", "pydantic_ai", "langchain",
    "litellm", "litellm_router",
)  # fmt: skip
"""Those who are asked for everything."""

PROTOCOLS = {
    "Chat Completions": ("betterai", "openai"),
    "Messages": ("betterai_messages", "anthropic"),
    "Gemini": ("betterai_gemini", "google"),
    "Responses": ("betterai_responses", "openai_responses"),
}
"""Ours, and the official SDK of who made the protocol."""

SYNC = ("betterai_sync", "openai_sync")

FEATURES = {
    "router_1": "Router",
    "router_2": "Router",
    "middleware": "Middleware",
    "hook": "observe",
    "otel": "opentelemetry",
}
"""Ours with one thing more, and the name in `betterai` that must be there for it."""
