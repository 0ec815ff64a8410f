"""xAI's films: submitted, asked after, and what is made of what comes; against a double of the documented service."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

import betterai
from betterai import CoreConfig, JobStore, Media
from betterai.core.exceptions import ContentFilterError, ProviderError, UnsupportedParam
from betterai.core.jobs import read_handle
from shapes.server import serve

MODEL = "xai/grok-imagine-video"


class Films:
    """`ends` are the answers to the looks, the last one again and again."""

    def __init__(self, *ends: dict[str, Any]) -> None:
        self.ends = ends
        self.requests: list[tuple[str, str, Any]] = []

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        body = await request.json() if request.method == "POST" else None
        self.requests.append((request.method, request.path, body))
        if request.method == "POST":
            return web.json_response({"request_id": "r/1"})
        looks = sum(method == "GET" for method, _, _ in self.requests)
        return web.json_response(self.ends[min(looks, len(self.ends)) - 1])


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from betterai.providers.xai.videos import XAIVideos

    monkeypatch.setattr(XAIVideos, "first_wait", 0.001)
    monkeypatch.setenv("BETTERAI_STATE", str(tmp_path))


def at(url: str, **fields: Any) -> CoreConfig:
    return CoreConfig(base_url=url, api_key="k", **fields)


DONE = {
    "status": "done", "video": {"url": "https://vid.example/a.mp4?sig=1", "duration": 6, "respect_moderation": True},
    "usage": {"cost_in_usd_ticks": 4_200_000_000},
}  # fmt: skip


async def test_a_film_is_made_of_a_prompt_and_a_frame() -> None:
    films = Films({"status": "pending", "progress": 40}, {"status": "brand new word"}, DONE)
    frame = Media(kind="image", data=b"\x89PNG\r\n\x1a\n", mime_type="image/png")
    async with serve(films) as url:
        job = await betterai.start_video(
            MODEL, "a cat", config=at(url), seconds=6, aspect="16:9", resolution="720p", first_frame=frame, seed=5,
            extra_body={"mood": "calm"},
        )  # fmt: skip
        assert job.progress == 0.4
        response = await job.wait()
    assert films.requests[0] == ("POST", "/videos/generations", {
        "model": "grok-imagine-video", "prompt": "a cat", "duration": 6, "aspect_ratio": "16:9", "resolution": "720p",
        "image": {"url": frame.to_data_url()}, "mood": "calm",
    })  # fmt: skip
    assert films.requests[1][1] == "/videos/r%2F1" or films.requests[1][1] == "/videos/r/1"
    [film] = response.videos
    assert film.url == DONE["video"]["url"]  # type: ignore[index]
    assert response.usage is not None
    assert response.usage.units == {"second": 6}
    assert response.cost is not None
    assert (str(response.cost.amount), response.cost.status) == ("0.42", "exact")
    assert [warning.field for warning in response.warnings] == ["seed"]
    assert read_handle(job.handle).state == {"call": job.id, "job": {"id": "r/1"}}
    assert "http" not in json.dumps(read_handle(job.handle).state)
    assert [stored.status for stored in JobStore().jobs()] == ["done"]


@pytest.mark.parametrize(
    ("end", "kind", "said"),
    [
        ({"status": "failed", "error": {"code": "boom", "message": "no luck"}}, ProviderError, "no luck"),
        ({"status": "expired"}, ProviderError, "expired"),
        (
            {"status": "done", "video": {"url": "https://x", "respect_moderation": False}},
            ContentFilterError,
            "filtered",
        ),
    ],
)
async def test_what_failed_is_an_error_and_is_over(end: dict[str, Any], kind: type[Exception], said: str) -> None:
    async with serve(Films(end)) as url:
        with pytest.raises(kind, match=said):
            await betterai.generate_video(MODEL, "a cat", config=at(url))
    assert [stored.status for stored in JobStore().jobs()] == ["failed"]


async def test_what_would_be_another_film_is_refused_before_it_is_paid_for() -> None:
    films = Films(DONE)
    async with serve(films) as url:
        with pytest.raises(UnsupportedParam, match="last_frame"):
            await betterai.start_video(
                MODEL, "a", config=at(url), last_frame=Media(kind="image", url="https://x/a.png")
            )
        with pytest.raises(UnsupportedParam, match="n: one film"):
            await betterai.start_video(MODEL, "a", config=at(url), n=2)
        with pytest.raises(UnsupportedParam, match="seed"):
            await betterai.start_video(MODEL, "a", config=at(url, unsupported="raise"), seed=2)
    assert films.requests == []
