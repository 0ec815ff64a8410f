"""A service that makes films as jobs, and a codec for it: stands in for a vendor's until there is one."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Generator, Mapping
from typing import Any, ClassVar

import msgspec
from aiohttp import web

from betterai.core.codec import VideoCall
from betterai.core.exceptions import ProviderError
from betterai.core.media import Media
from betterai.core.provider import BearerAuth, Provider, Setting
from betterai.core.response import CallWarning
from betterai.core.results import VideoResponse
from betterai.core.usage import Usage
from betterai.core.wire import Checkpoint, Wait, WireRequest, WireResponse
from betterai.providers import load_provider
from betterai.wire.error_bodies import read_error
from betterai.wire.errors import make_stated_error
from doubles.films import FILM as VENDORS_FILM
from doubles.films import HOUSES, FilmHouse

FILM = b"\x00\x00\x00\x18ftypmp42" + bytes(range(256)) * 40
KEY = "key-canary-9f81"


class FilmCodec:
    """`idempotent`: a submit carries the call's id as its key, so that it may be sent again."""

    protocol: ClassVar[str] = "films"
    accepts: ClassVar[Mapping[str, frozenset[str]]] = {"image": frozenset({"bytes"})}

    def __init__(self, *, idempotent: bool) -> None:
        self.idempotent = idempotent

    def run(
        self, call: VideoCall, state: Mapping[str, Any] | None = None
    ) -> Generator[WireRequest | Wait | Checkpoint, WireResponse | None, VideoResponse]:
        query = call.settings.extra_query or {}
        if state is None:
            yield Checkpoint(state={"call": call.id})
        if state is None or "id" not in state:
            reply = yield self._submit(call, query)
            assert reply is not None
            state = {"call": call.id, "id": msgspec.json.decode(reply.content)["id"]}
            yield Checkpoint(state=state)
        while True:
            reply = yield WireRequest(url=f"/films/{state['id']}", method="GET", query=query, safe_to_repeat=True)
            assert reply is not None
            body = msgspec.json.decode(reply.content)
            if body["status"] == "failed":
                raise ProviderError("the film failed", provider_message=body["why"])
            if body["status"] == "done":
                break
            yield Wait(seconds=body["wait"], progress=body["progress"])
        url = f"/films/{state['id']}/content"
        content = yield WireRequest(url=url, method="GET", query=query, reply="file", safe_to_repeat=True)
        assert content is not None
        film = Media(kind="video", mime_type="video/mp4", path=str(content.body))
        return VideoResponse(videos=(film,), usage=Usage(units={"second": 4.0}))

    def _submit(self, call: VideoCall, query: Mapping[str, str]) -> WireRequest:
        warnings = ()
        if call.settings.fps is not None:
            warnings = (CallWarning(code="dropped", field="fps", message="films have the rate they have"),)
        body = {"prompt": call.input, "frame": call.settings.first_frame and call.settings.first_frame.to_base64()}
        headers = {"Idempotency-Key": call.id} if self.idempotent else {}
        return WireRequest(
            url="/films", body=body, headers=headers, query=query, safe_to_repeat=self.idempotent, warnings=warnings
        )

    def parse_error(self, reply: WireResponse) -> ProviderError:
        return make_stated_error(read_error(reply.content), reply)

    def cancel(self, state: Mapping[str, Any]) -> WireRequest | None:
        return WireRequest(url=f"/films/{state['id']}", method="DELETE", safe_to_repeat=True) if "id" in state else None


def declare(name: str, *, idempotent: bool = False) -> Provider:
    return Provider(
        name=name,
        title="Filmer",
        base_url="{base_url}",
        settings=(
            Setting(name="api_key", env=("FILMER_API_KEY",), secret=True),
            Setting(name="base_url", env=("FILMER_BASE_URL",)),
        ),
        auth=BearerAuth(),
        protocols={"video": {"films": FilmCodec(idempotent=idempotent)}},
        defaults={"video": "film-1"},
    )


class FilmService:
    """Films that take `looks` looks. It kills the process whose number stands in the query at the step that stands
    there: "submit", when the job is made and not yet confirmed; "look"; "content", in the middle of the film.
    """

    def __init__(self, looks: int = 2) -> None:
        self.looks, self.wait = looks, 0.01
        self.requests: list[str] = []
        self.made: dict[str, str] = {}
        """The id of each film by its key, or by its number where it has none."""
        self.seen: dict[str, int] = {}
        self.looked = asyncio.Condition()
        self.failure = ""
        self.locked = False
        self.cancelled: list[str] = []
        self.refusal: tuple[int, str] | None = None

    @property
    def submits(self) -> int:
        return self.requests.count("POST /films")

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(f"{request.method} {request.path}")
        assert request.headers["Authorization"] == f"Bearer {KEY}"
        if request.method == "POST":
            return await self._submit(request)
        id = request.path.split("/")[2]
        if request.method == "DELETE":
            self.cancelled.append(id)
            return web.json_response({})
        if request.path.endswith("/content"):
            return await self._send(request)
        self._kill(request, "look")
        if self.locked:
            return web.json_response({"error": {"message": "who are you"}}, status=401)
        self.seen[id] = self.seen.get(id, 0) + 1
        async with self.looked:
            self.looked.notify_all()
        if self.failure:
            return web.json_response({"status": "failed", "why": self.failure})
        if self.seen[id] >= self.looks:
            return web.json_response({"status": "done"})
        return web.json_response({"status": "working", "wait": self.wait, "progress": self.seen[id] / self.looks})

    async def wait_for_looks(self, id: str, looks: int) -> None:
        """Until a film was asked after so many times."""
        async with self.looked:
            await asyncio.wait_for(self.looked.wait_for(lambda: self.seen.get(id, 0) >= looks), 10)

    async def _submit(self, request: web.Request) -> web.StreamResponse:
        if self.refusal is not None:
            return web.json_response({"error": {"message": self.refusal[1]}}, status=self.refusal[0])
        assert (await request.json())["prompt"] == "a cat"
        key = request.headers.get("Idempotency-Key") or f"number {len(self.made)}"
        id = self.made.setdefault(key, f"film-{len(self.made)}")
        self._kill(request, "submit")
        return web.json_response({"id": id})

    async def _send(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(len(FILM))})
        await response.prepare(request)
        await response.write(FILM[:100])
        self._kill(request, "content")
        await response.write(FILM[100:])
        return response

    def _kill(self, request: web.Request, step: str) -> None:
        kill_at(request, step)


def kill_at(request: web.Request, step: str) -> None:
    """Kill the process that asks, if it is to be killed here."""
    if step == request.query.get("kill"):
        os.kill(int(request.query["pid"]), signal.SIGKILL)


VENDORS: Mapping[str, tuple[str, str]] = {
    "quick-openai": ("openai", "openai_videos"), "quick-kling": ("kling", "kling_tasks"),
}  # fmt: skip
"""Vendors whose own codecs are killed: one who cannot tell whether a job was taken, and one who finds it."""


def declare_quick(name: str) -> Provider:
    """A vendor as it is, but for the seconds between two looks."""
    vendor, protocol = VENDORS[name]
    provider = load_provider(vendor)
    assert provider is not None
    codec = provider.protocols["video"][protocol]
    quick = type("Quick", (type(codec),), {"poll_seconds": 0.01})()
    return msgspec.structs.replace(provider, name=name, protocols={"video": {protocol: quick}})


class KillingHouses:
    """A double of its vendor for each job, whose name and number begin its path. It kills as `FilmService` does."""

    def __init__(self) -> None:
        self.houses: dict[str, FilmHouse] = {}

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        job = request.path.split("/")[1]
        if (house := self.houses.get(job)) is None:
            vendor = job.rpartition("-")[0]
            house = HOUSES[VENDORS[vendor][1] if vendor in VENDORS else "kling_tasks"](looks=3)
            self.houses[job] = house
        if request.method == "POST":
            response = await house(request)
            kill_at(request, "submit")
            return response
        if request.path.endswith((".mp4", "/content")) and request.query.get("kill") == "content":
            half = web.StreamResponse(headers={"Content-Type": "video/mp4", "Content-Length": str(len(VENDORS_FILM))})
            await half.prepare(request)
            await half.write(VENDORS_FILM[:100])
            kill_at(request, "content")
            return half
        if house.is_look(request):
            kill_at(request, "look")
        return await house(request)
