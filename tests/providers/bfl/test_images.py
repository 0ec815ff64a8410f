"""FLUX: pictures as jobs, asked after in the region that took them; against a double of the documented service."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web

import betterai
from betterai import CoreConfig, Media
from betterai.core.codec import ImageCall
from betterai.core.exceptions import (
    ConfigurationError,
    ContentFilterError,
    ProviderError,
    UnsupportedParam,
    ValidationError,
)
from betterai.core.model import ModelConfig
from betterai.core.settings import ImageSettings
from betterai.core.wire import Call, WireResponse
from betterai.providers.bfl.images import FluxImages
from shapes.server import serve

READY = {
    "id": "t-1",
    "status": "Ready",
    "result": {"sample": "https://delivery.example/a.png?sig=1", "prompt": "a cat"},
    "cost": 3.0,
}


class Flux:
    """`ends` are the answers to the looks, the last one again and again."""

    def __init__(self, *ends: dict[str, Any], host: str = "") -> None:
        self.ends, self.host = ends, host
        self.requests: list[tuple[str, str, Any]] = []

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        assert request.headers["x-key"] == "key-1"
        if request.method == "POST":
            self.requests.append(("POST", request.path, await request.json()))
            host = self.host or request.host
            return web.json_response({"id": "t-1", "polling_url": f"http://{host}/v1/get_result?id=t-1"})
        self.requests.append(("GET", request.path_qs, None))
        looks = sum(method == "GET" for method, _, _ in self.requests)
        return web.json_response(self.ends[min(looks, len(self.ends)) - 1])


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FluxImages, "first_wait", 0.001)


def at(url: str) -> CoreConfig:
    return CoreConfig(base_url=f"{url}/v1", api_key="key-1")


async def test_a_picture_is_submitted_asked_after_and_given_as_its_url() -> None:
    flux = Flux({"status": "Pending"}, {"status": "Generating", "progress": 0.5}, READY)
    picture = Media(kind="image", data=b"\x89PNG\r\n\x1a\n", mime_type="image/png")
    async with serve(flux) as url:
        response = await betterai.generate_image(
            "bfl/flux-2-pro", "a cat", config=at(url), size="1024x768", seed=5, images=[picture, picture], format="png"
        )
    assert flux.requests[0] == ("POST", "/v1/flux-2-pro", {
        "prompt": "a cat", "width": 1024, "height": 768, "seed": 5, "input_image": picture.to_base64(),
        "input_image_2": picture.to_base64(), "output_format": "png",
    })  # fmt: skip
    assert flux.requests[1:] == [("GET", "/v1/get_result?id=t-1", None)] * 3
    assert response.images[0].url == "https://delivery.example/a.png?sig=1"
    assert response.usage is not None
    assert response.usage.units == {"credit": 3.0}
    assert response.timing is not None
    assert len(response.timing.attempts) == 4


async def test_it_may_be_a_job_of_its_own() -> None:
    async with serve(Flux({"status": "Pending"}, READY)) as url:
        job = await betterai.start_image("bfl", "a cat", config=at(url), store=None)
        assert (await job.wait()).images[0].url == "https://delivery.example/a.png?sig=1"
    assert job.model == "flux-2-pro"


@pytest.mark.parametrize(
    ("end", "kind"),
    [
        ({"status": "Content Moderated", "details": "no"}, ContentFilterError),
        ({"status": "Request Moderated", "details": {"why": ["x"]}}, ContentFilterError),
        ({"status": "Error", "details": "broke"}, ProviderError),
        ({"status": "Task not found"}, ProviderError),
    ],
)
async def test_what_failed_is_an_error(end: dict[str, Any], kind: type[Exception]) -> None:
    async with serve(Flux(end)) as url:
        with pytest.raises(kind, match=end["status"]):
            await betterai.generate_image("bfl/flux-2-pro", "a cat", config=at(url))


@pytest.mark.betterai_network
async def test_a_region_is_kept_as_its_host_and_only_known_ones_get_the_key() -> None:
    call: ImageCall = Call(
        model=ModelConfig(id="flux-2-pro", provider="bfl", category="image"), input="a", settings=ImageSettings(),
        provider_settings={"base_url": "https://api.bfl.ai/v1"},
    )  # fmt: skip
    body = b'{"id": "t-1", "polling_url": "https://api.eu1.bfl.ai/v1/get_result?id=t-1"}'
    state = FluxImages().read_job(call, WireResponse(status=200, body=body))
    assert state == {"id": "t-1", "host": "api.eu1.bfl.ai"}
    assert FluxImages().build_poll(call, state).url == "https://api.eu1.bfl.ai/v1/get_result"
    flux = Flux(READY, host="elsewhere.example")
    async with serve(flux) as url:
        with pytest.raises((ValidationError, ConfigurationError)):
            await betterai.generate_image("bfl/flux-2-pro", "a cat", config=at(url))
    assert len(flux.requests) == 1


async def test_one_picture_a_request_and_the_rest_is_told() -> None:
    flux = Flux(READY)
    async with serve(flux) as url:
        with pytest.raises(UnsupportedParam, match="n: one picture"):
            await betterai.generate_image("bfl/flux-2-pro", "a cat", config=at(url), n=2)
        response = await betterai.generate_image(
            "bfl/flux-2-pro", "a cat", config=at(url), aspect="16:9", quality="high"
        )
        await betterai.generate_image("bfl/flux-kontext-pro", "a cat", config=at(url), aspect="7:5")
    assert [warning.field for warning in response.warnings] == ["aspect", "quality"]
    assert flux.requests[2][2] == {"prompt": "a cat", "aspect_ratio": "7:5"}
    assert flux.requests[0][2] == {"prompt": "a cat", "width": 1344, "height": 768}
