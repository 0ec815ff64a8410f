"""Azure's batches: OpenAI's, of batch deployments, asked where the endpoint and the version say.

See https://learn.microsoft.com/azure/ai-foundry/openai/how-to/batch (2026-11).
"""

from __future__ import annotations

from typing import Any, ClassVar

from betterai.core.batches import BatchLimits
from betterai.core.codec import BatchCall
from betterai.core.wire import WireRequest
from betterai.providers.azure.address import find_address
from betterai.wire.batches import State
from betterai.wire.openai_batches import OpenAIBatches


class AzureBatches(OpenAIBatches):
    """The path of the resource and its version are in the state: looks come without a call."""

    limits = BatchLimits(requests=100_000, bytes=200_000_000, one_model=True)
    carries: ClassVar = {
        "text": {"openai_chat": "/chat/completions", "openai_responses": "/v1/responses"},
        "embeddings": {"openai_embeddings": "/v1/embeddings"},
    }
    query_of_ours: ClassVar = frozenset({"api-version"})

    def place(self, call: BatchCall) -> State:
        root, version = find_address(call, "", deployed=False)
        return {"root": root, "version": version}

    def ask(self, state: State, path: str, method: str = "GET", **fields: Any) -> WireRequest:
        if version := state.get("version"):
            fields["query"] = {"api-version": version, **fields.get("query", {})}
        return super().ask(state, f"{state.get('root', '')}{path}", method, **fields)
