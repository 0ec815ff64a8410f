"""Veo on Vertex AI, at a double of it."""

from __future__ import annotations

from typing import Any

import pytest

from betterai.core.exceptions import ContentFilterError, ProviderError
from betterai.core.media import Media
from betterai.core.model import ModelConfig
from betterai.core.price import price_usage
from betterai.core.settings import VideoSettings
from betterai.core.wire import Call, WireRequest
from betterai.providers.vertex import PROVIDER
from doubles.films import VeoHouse
from shapes.filming import studio

CODEC = PROVIDER.protocols["video"]["vertex_veo"]
PICTURE = Media(kind="image", mime_type="image/png", data=b"\x89PNG")
STORED = Media(kind="video", mime_type="video/mp4", file_id="gs://bucket/a.mp4")
MODEL = "veo-3.1-generate-001"


def build(text: str = "a cat", **settings: Any) -> WireRequest:
    model = ModelConfig(id=MODEL, provider="vertex", category="video")
    call: Any = Call(model=model, input=text, settings=VideoSettings(**settings))
    request: WireRequest = CODEC.build_submit(call)
    return request


def body_of(request: WireRequest) -> dict[str, Any]:
    assert isinstance(request.body, dict)
    return request.body


def test_a_film_of_a_text() -> None:
    request = build(
        seconds=8.0, aspect="16:9", resolution="1080p", n=2, seed=7, negative_prompt="dogs", audio=False, fps=24,
        options={"vertex": {"personGeneration": "dont_allow"}},
    )  # fmt: skip
    assert request.url == f"/publishers/google/models/{MODEL}:predictLongRunning"
    assert (request.safe_to_repeat, request.warnings) == (False, ())
    assert request.body == {
        "instances": [{"prompt": "a cat"}],
        "parameters": {
            "durationSeconds": 8, "aspectRatio": "16:9", "resolution": "1080p", "sampleCount": 2, "seed": 7,
            "negativePrompt": "dogs", "generateAudio": False, "fps": 24, "personGeneration": "dont_allow",
        },
    }  # fmt: skip


def test_frames_references_and_films_are_instances() -> None:
    content = {"bytesBase64Encoded": "iVBORw==", "mimeType": "image/png"}
    [instance] = body_of(build(first_frame=PICTURE, last_frame=PICTURE))["instances"]
    assert instance == {"prompt": "a cat", "image": content, "lastFrame": content}
    [instance] = body_of(build("", video=STORED))["instances"]
    assert instance == {"video": {"gcsUri": "gs://bucket/a.mp4", "mimeType": "video/mp4"}}
    [instance] = body_of(build(images=[PICTURE]))["instances"]
    assert instance["referenceImages"] == [{"image": content, "referenceType": "asset"}]
    [instance] = body_of(build(images=[PICTURE], options={"vertex": {"referenceType": "style"}}))["instances"]
    assert instance["referenceImages"] == [{"image": content, "referenceType": "style"}]


def test_a_size_is_an_aspect_and_a_resolution() -> None:
    request = build(size="720x1280")
    assert body_of(request)["parameters"] == {"aspectRatio": "9:16", "resolution": "720p"}
    assert [(warning.code, warning.field) for warning in request.warnings] == [("translated", "size")]
    assert [warning.code for warning in build(size="100x100").warnings] == ["dropped"]


async def test_the_operation_is_asked_for_at_the_model_by_its_name() -> None:
    async with studio(PROVIDER, "vertex_veo", keys={"access_token": "t"}) as made:
        response = await made.film("veo-3.1-fast-generate-001", seconds=4, resolution="4k")
    place = "/publishers/google/models/veo-3.1-fast-generate-001"
    assert made.house.requests == [f"POST {place}:predictLongRunning", *[f"POST {place}:fetchPredictOperation"] * 2]
    assert made.states[-1]["id"] == VeoHouse.name
    assert made.waits.slept[0] >= 10
    assert response.body == b""
    cost = price_usage(response.usage, PROVIDER.models()["veo-3.1-fast-generate-001"].price)
    assert (float(cost.amount or 0), cost.parts.keys()) == (1.2, {"second_4k"})


def finished(**response: Any) -> dict[str, Any]:
    return {"name": VeoHouse.name, "done": True, "response": response}


async def test_what_stays_in_cloud_storage_is_a_reference() -> None:
    films = [{"gcsUri": f"gs://bucket/{index}.mp4", "mimeType": "video/mp4"} for index in range(2)]
    async with studio(PROVIDER, "vertex_veo", failure=finished(videos=films)) as made:
        response = await made.film(seconds=4, n=2, options={"vertex": {"storageUri": "gs://bucket/"}})
    assert [film.file_id for film in response.videos] == ["gs://bucket/0.mp4", "gs://bucket/1.mp4"]
    assert response.usage is not None
    assert response.usage.units == {"second": 8.0}
    assert response.body


async def test_films_that_were_filtered_out_are_said() -> None:
    film = {"bytesBase64Encoded": "AAAA", "mimeType": "video/mp4"}
    some = finished(videos=[film], raiMediaFilteredCount=1, raiMediaFilteredReasons=["a face"])
    async with studio(PROVIDER, "vertex_veo", failure=some) as made:
        response = await made.film(seconds=4, n=2)
    assert [(warning.field, warning.message) for warning in response.warnings] == [("n", "a face")]


@pytest.mark.parametrize(
    ("said", "kind", "message"),
    [
        (finished(raiMediaFilteredCount=1, raiMediaFilteredReasons=["a face"]), ContentFilterError, "a face"),
        (finished(raiMediaFilteredCount=1), ContentFilterError, "filtered out"),
        ({"name": "a", "done": True, "error": {"code": 13, "message": "it broke"}}, ProviderError, "it broke"),
        ({"name": "a", "done": True, "error": {"code": 3, "message": "violates Google's Responsible AI practices"}},
         ContentFilterError, "Responsible AI"),
        (finished(videos=[]), ProviderError, "HTTP 200"),
    ],
)  # fmt: skip
async def test_an_operation_that_failed_is_an_error(said: Any, kind: type[ProviderError], message: str) -> None:
    async with studio(PROVIDER, "vertex_veo", failure=said) as made:
        with pytest.raises(kind, match=message) as caught:
            await made.film(seconds=4)
    assert type(caught.value) is kind
    assert made.house.submits == 1
