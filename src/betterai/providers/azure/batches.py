"""Azure's batches: OpenAI's, of batch deployments, asked where the endpoint and the version say.

See https://learn.microsoft.com/azure/ai-foundry/openai/how-to/batch (2026-11).
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, ClassVar
from urllib.parse import quote

from betterai.core.batches import BatchLimits
from betterai.core.codec import BatchCall
from betterai.core.exceptions import ProviderError
from betterai.core.wire import Wait, WireRequest, WireResponse
from betterai.providers.azure.address import find_address
from betterai.wire.batches import State, Step
from betterai.wire.files import need_reply, read_object
from betterai.wire.openai_batches import OpenAIBatches

WAITS = (0.5, 1.0, 2.0, 4.0)
LONGEST_WAIT = 8.0


class AzureBatches(OpenAIBatches):
    """The path of the resource and its version are in the state: looks come without a call."""

    limits = BatchLimits(requests=100_000, bytes=200_000_000, one_model=True)
    carries: ClassVar = {
        "text": {"openai_chat": "/chat/completions", "openai_responses": "/v1/responses"},
        "embeddings": {"openai_embeddings": "/v1/embeddings"},
    }
    query_of_ours: ClassVar = frozenset({"api-version"})

    def prepare(self, call: BatchCall) -> Generator[Step, WireResponse | None, State]:
        """A file is looked through before a batch can be made of it."""
        state, looks = (yield from super().prepare(call)), iter(WAITS)
        while True:
            reply = need_reply((yield self.ask(state, f"{self.files_path}/{quote(state['file'], safe='')}")))
            word = read_object(reply).get("status")
            if word == "error":
                raise ProviderError("the file of the batch was not taken", code=word, body=reply.content[:65536])
            if word not in ("pending", "running", "uploaded", "importing"):
                return state
            yield Wait(seconds=next(looks, LONGEST_WAIT))

    def place(self, call: BatchCall) -> State:
        root, version = find_address(call, "", deployed=False)
        return {"root": root, "version": version}

    def ask(self, state: State, path: str, method: str = "GET", **fields: Any) -> WireRequest:
        if version := state.get("version"):
            fields["query"] = {"api-version": version, **fields.get("query", {})}
        return super().ask(state, f"{state.get('root', '')}{path}", method, **fields)
