"""Answers that are made in the background (https://platform.openai.com/docs/guides/background): submit, wait, fetch."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from betterai.core.codec import TextCall
from betterai.core.exceptions import ProviderError, UnsupportedParam
from betterai.core.response import ProviderResponse
from betterai.core.wire import Checkpoint, Wait, WireRequest, WireResponse
from betterai.wire.errors import make_unreadable
from betterai.wire.openai_responses.client import OpenAIResponses
from betterai.wire.waits import parse_retry_after

FIRST_WAIT, LONGEST_WAIT, GROWTH = 1.0, 15.0, 1.5
"""Seconds between two looks: short at first, and longer for what takes longer."""

Step = WireRequest | Wait | Checkpoint


def find_background(codec: OpenAIResponses, call: TextCall) -> OpenAIResponsesBackground | None:
    """The job that waits for the answer, where the vendor's option `background` asks for one."""
    options = (call.settings.options or {}).get(call.model.provider) or {}
    return OpenAIResponsesBackground(codec) if options.get("background") else None


class OpenAIResponsesBackground:
    """A job made of a codec of the protocol. Its state is the id of the response, which is kept there for hours."""

    def __init__(self, codec: OpenAIResponses) -> None:
        self._codec = codec

    def run(
        self, call: TextCall, state: Mapping[str, Any] | None = None
    ) -> Generator[Step, WireResponse | None, ProviderResponse]:
        """The answer. Raises `ProviderError` where it failed or was cancelled, also by `cancel`."""
        submit = self._build_submit(call)
        if state is None:
            yield Checkpoint(state={"call": call.id})
        if state is None or "id" not in state:
            result = self._parse(call, (yield submit))
            state = {"id": result.id, "call": call.id}
            yield Checkpoint(state=state)
            if result.finish_reason != "pause":
                return result
            yield Wait(seconds=FIRST_WAIT)
        fetch, wait = self._build_fetch(submit, str(state["id"])), FIRST_WAIT
        while True:
            reply = yield fetch
            result = self._parse(call, reply)
            if result.finish_reason != "pause":
                return result
            wait = min(wait * GROWTH, LONGEST_WAIT)
            asked = parse_retry_after(reply.headers) if reply is not None else None
            yield Wait(seconds=wait if asked is None else max(wait, asked))

    def _build_submit(self, call: TextCall) -> WireRequest:
        if call.settings.store is False:
            hint = "leave out store: the answer is kept until it is fetched"
            raise UnsupportedParam("store: an answer in the background is stored", hint=hint, param="store")
        request = self._codec.build_request(msgspec.structs.replace(call, stream=False))
        written: Any = request.body
        return msgspec.structs.replace(request, body={**written, "background": True}, begins_job=True)

    def _build_fetch(self, submit: WireRequest, id: str) -> WireRequest:
        """The same place, and the same wishes for what the items are to say."""
        written: Any = submit.body
        asked = urlencode([("include[]", name) for name in written.get("include") or ()])
        url = f"{submit.url}/{quote(id, safe='')}" + (f"?{asked}" if asked else "")
        return WireRequest(url=url, method="GET", query=submit.query, headers=submit.headers, safe_to_repeat=True)

    def _parse(self, call: TextCall, reply: WireResponse | None) -> ProviderResponse:
        if reply is None:
            raise ProviderError("the job was continued without the reply that it asked for", retryable=False)
        result = self._codec.parse_response(call, reply)
        if not result.id:
            raise make_unreadable(reply, "no_id")
        return result

    def parse_error(self, reply: WireResponse) -> ProviderError:
        return self._codec.parse_error(reply)

    def cancel(self, state: Mapping[str, Any]) -> WireRequest | None:
        """Cancelling twice does no harm; before there is an id, there is nothing to cancel."""
        if "id" not in state:
            return None
        url = f"{self._codec.path}/{quote(str(state['id']), safe='')}/cancel"
        return WireRequest(url=url, safe_to_repeat=True)
