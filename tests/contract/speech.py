"""What a scripted vendor says in each protocol: the same short answer, whole, streamed, cut and broken."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from runtime.upstream import Behaviour, answer, delta, event, reply, streamed


@dataclass(frozen=True)
class Speech:
    """All say "Hello". `unterminated` is a whole stream without its terminator, None where the terminator says the end;
    `cut` ends in the middle; `failed` is an error after the first piece, whose message is "odd".
    """

    whole: Callable[[], Behaviour]
    stream: Callable[[], list[bytes]]
    unterminated: list[bytes] | None
    cut: list[bytes]
    failed: list[bytes]


def response_event(type: str, **fields: Any) -> bytes:
    return f"event: {type}\ndata: {json.dumps({'type': type, 'sequence_number': 0, **fields})}\n\n".encode()


def response(status: str = "completed", **fields: Any) -> dict[str, Any]:
    content = [{"type": "output_text", "text": "Hello", "annotations": []}]
    message = {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant", "content": content}
    usage = {"input_tokens": 7, "output_tokens": 2, "total_tokens": 9}
    body = {"id": "resp_1", "object": "response", "model": "m-1", "status": status, "output": [message]}
    return {**body, "usage": usage, **fields}


def response_delta(text: str) -> bytes:
    at = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    return response_event("response.output_text.delta", delta=text, **at)


BROKEN = {"message": "odd", "type": "server_error", "code": 500}
RESPONSE_END = response_event("response.completed", response=response())
SPEECH: Mapping[str, Speech] = {
    "openai_chat": Speech(
        whole=answer,
        stream=streamed,
        unterminated=streamed()[:-1],
        cut=[delta("Hel")],
        failed=[delta("Hel"), event(error=BROKEN)],
    ),
    "openai_responses": Speech(
        whole=lambda: reply(200, response()),
        stream=lambda: [response_delta("Hel"), response_delta("lo"), RESPONSE_END],
        unterminated=None,
        cut=[response_delta("Hel")],
        failed=[response_delta("Hel"), response_event("error", error=BROKEN)],
    ),
}
