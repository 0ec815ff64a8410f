"""The operations of Stability that take minutes: submitted, looked at, fetched. Results are kept for 24 hours."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any, ClassVar

import msgspec
from msgspec import Struct

from betterai.core.codec import ImageCall
from betterai.core.exceptions import ProviderError
from betterai.core.results import ImageResponse
from betterai.core.wire import Checkpoint, Wait, WireRequest, WireResponse
from betterai.providers.stability.images import StabilityImages
from betterai.wire.error_bodies import UNREADABLE
from betterai.wire.errors import make_unreadable
from betterai.wire.files import Step, need_reply
from betterai.wire.lenient import Reader

LOOK_SECONDS = 10.0
"""Results may be asked after once in so many seconds."""
PENDING = 202


class TakenShape(Struct):
    id: str


_decode = Reader(TakenShape).decode


class StabilityJobs(StabilityImages):
    """The same forms. That a reply is a job and no picture is known by the operation: its status may be 200 or 202."""

    protocol: ClassVar[str] = "stability_jobs"

    def run(
        self, call: ImageCall, state: Mapping[str, Any] | None = None
    ) -> Generator[Step, WireResponse | None, ImageResponse]:
        if state is None:
            yield Checkpoint(state={"call": call.id})
        if state is None or "id" not in state:
            reply = need_reply((yield self._submit(call)))
            try:
                state = {"call": call.id, "id": _decode(reply.content).id}
            except UNREADABLE as error:
                raise make_unreadable(reply) from error
            yield Checkpoint(state=state)
            yield Wait(seconds=LOOK_SECONDS)
        while True:
            try:
                reply = need_reply((yield self._look(call, state["id"])))
            except ProviderError as error:
                if error.status != 404:
                    raise
                raise ProviderError(
                    "there is no such result any more: they are kept for 24 hours",
                    status=404,
                    code=error.code,
                    provider_message=error.provider_message,
                ) from error
            if reply.status != PENDING:
                return self._read_result(call, reply)
            yield Wait(seconds=LOOK_SECONDS)

    def _submit(self, call: ImageCall) -> WireRequest:
        request = self.build_request(call)
        headers = {**request.headers, "accept": "application/json"}
        return msgspec.structs.replace(request, headers=headers, reply="json", begins_job=True)

    def _look(self, call: ImageCall, id: str) -> WireRequest:
        headers = self.build_headers(call)
        return WireRequest(
            url=f"/v2beta/results/{id}", method="GET", headers=headers, reply="bytes", safe_to_repeat=True
        )

    def _read_result(self, call: ImageCall, reply: WireResponse) -> ImageResponse:
        try:
            return self.read(call, reply)
        except UNREADABLE as error:
            raise make_unreadable(reply) from error

    def answers(self, path: str) -> bool:
        return super().answers(path) or "/v2beta/results/" in path

    def cancel(self, state: Mapping[str, Any]) -> WireRequest | None:
        return None
