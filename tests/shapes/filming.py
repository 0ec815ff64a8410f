"""A film made at a double of its vendor: what the tests of all vendors' films share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from betterai.core.config import CoreConfig, Retries
from betterai.core.model import ModelConfig
from betterai.core.provider import Provider
from betterai.core.results import VideoResponse
from betterai.core.settings import VideoSettings
from betterai.core.wire import Call
from betterai.runtime.connection import Connection
from betterai.runtime.jobs.steps import run_steps
from betterai.transport.egress import any_socket
from betterai.transport.http import HTTPTransport
from doubles.films import HOUSES, FilmHouse
from shapes.server import serve
from shapes.test_steps import Waits

KEYS = {"api_key": "test-key"}


class Studio:
    """One vendor's codec at its double."""

    def __init__(self, provider: Provider, protocol: str, url: str, house: FilmHouse, keys: Mapping[str, str]) -> None:
        self.provider, self.house, self.waits = provider, house, Waits()
        self.codec = provider.protocols["video"][protocol]
        self.states: list[Mapping[str, Any]] = []
        self.progress: list[float] = []
        self.transport = HTTPTransport(guard=any_socket)
        needed = {
            item.name: "filled-in"
            for item in provider.settings
            if item.required and not item.secret and not item.default
        }
        needed.pop("base_url", None)
        settings = {**needed, **keys}
        config = CoreConfig(
            base_url=url, api_key=settings.pop("api_key", None), settings=settings, retries=Retries(base=0.001)
        )
        self.connection = Connection(provider, config, lambda: self.transport)

    async def film(
        self, model: str = "neutral-model", state: Mapping[str, Any] | None = None, **settings: Any
    ) -> VideoResponse:
        """A film, from the beginning or from a state."""
        known = dict(self.provider.models()).get(model) or ModelConfig(
            id=model, provider=self.provider.name, category="video"
        )
        call: Any = Call(
            model=known, input="a cat", settings=VideoSettings(**settings), id="c" * 32, now=1.8e9,
            provider_settings=self.connection.codec_settings(),
        )  # fmt: skip

        async def keep(state: Mapping[str, Any]) -> None:
            self.states.append(state)

        result: VideoResponse = await run_steps(
            self.codec, call, self.connection, state=state, on_checkpoint=keep, on_progress=self.progress.append,
            clock=self.waits.clock,
        )  # fmt: skip
        return result


@asynccontextmanager
async def studio(
    provider: Provider, protocol: str, *, keys: Mapping[str, str] = KEYS, **fields: Any
) -> AsyncIterator[Studio]:
    """The vendor's codec at its double; `fields` are those of the double."""
    house = HOUSES[protocol](**fields)
    async with serve(house) as url:
        made = Studio(provider, protocol, url, house, keys)
        try:
            yield made
        finally:
            await made.transport.aclose()


def content_of(response: VideoResponse) -> bytes:
    """The one film of a response."""
    [film] = response.videos
    return Path(film.path).read_bytes() if film.path is not None else film.to_bytes()
