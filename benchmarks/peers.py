"""Who is measured: the peers, the environment each lives in, and how much work each can be asked for."""

from __future__ import annotations

from typing import NamedTuple

ENVIRONMENTS: dict[str, tuple[str, ...]] = {
    "raw_aiohttp": ("aiohttp", "msgspec"),
    "betterai": (".",),
    "openai": ("openai",),
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


PEERS = {
    peer.name: peer
    for peer in (
        Peer("raw_aiohttp", "raw aiohttp", "raw_aiohttp", "raw_aiohttp"),
        Peer("betterai", "BetterAI", "betterai", "betterai_async"),
        Peer("openai", "openai SDK", "openai", "openai_sdk", 5),
        Peer("litellm", "LiteLLM SDK", "litellm", "litellm_sdk", 10),
        Peer("betterai_sync", "BetterAI, sync", "betterai", "betterai_sync"),
        Peer("betterai_messages", "BetterAI, Messages", "betterai", "betterai_async", 1, ("anthropic/claude-opus-5",)),
        Peer("betterai_gemini", "BetterAI, Gemini", "betterai", "betterai_async", 1, ("google/gemini-3.8-flash",)),
        Peer("betterai_responses", "BetterAI, Responses", "betterai", "betterai_async", 1, ("openai/gpt-6-luna",)),
        Peer("openai_sync", "openai SDK, sync", "openai", "openai_sync", 5),
        Peer("raw_socket", "bare socket", "raw_aiohttp", "raw_socket"),
    )
}
ASYNC = ("raw_aiohttp", "betterai", "openai", "litellm")
PROTOCOLS = ("betterai", "betterai_messages", "betterai_gemini", "betterai_responses")
SYNC = ("betterai_sync", "openai_sync")
