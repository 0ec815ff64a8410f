"""xAI's films, at a double, and as they were recorded."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from betterai.core.exceptions import ContentFilterError, ProviderError, UnsupportedParam
from betterai.core.media import Media
from betterai.core.model import ModelConfig
from betterai.core.price import price_usage
from betterai.core.settings import VideoSettings
from betterai.core.wire import Call, WireRequest, WireResponse
from betterai.providers.xai import PROVIDER
from recordings.store import ROOT, load, name_of, needs_recordings
from shapes.filming import studio

CODEC = PROVIDER.protocols["video"]["xai_videos"]
PICTURE = Media(kind="image", mime_type="image/png", data=b"\x89PNG")
FOOTAGE = Media(kind="video", url="https://a.example/b.mp4")


def call_with(**settings: Any) -> Any:
    model = ModelConfig(id="grok-imagine-video", provider="xai", category="video")
    return Call(model=model, input="a cat", settings=VideoSettings(**settings))


def build(**settings: Any) -> WireRequest:
    request: WireRequest = CODEC.build_submit(call_with(**settings))
    return request


def warned(request: WireRequest) -> list[tuple[str, str]]:
    return [(warning.code, warning.field) for warning in request.warnings]


def test_a_film_of_a_text_and_of_pictures() -> None:
    request = build(seconds=6.0, aspect="9:16", resolution="720p", first_frame=PICTURE, images=[PICTURE])
    assert (request.url, request.safe_to_repeat, request.warnings) == ("/videos/generations", False, ())
    assert request.body == {
        "model": "grok-imagine-video", "prompt": "a cat", "duration": 6, "aspect_ratio": "9:16", "resolution": "720p",
        "image": {"url": "data:image/png;base64,iVBORw=="},
        "reference_images": [{"url": "data:image/png;base64,iVBORw=="}],
    }  # fmt: skip


def test_a_size_is_an_aspect_and_a_resolution() -> None:
    request = build(size="1280x720")
    assert isinstance(request.body, dict)
    assert (request.body["aspect_ratio"], request.body["resolution"]) == ("16:9", "720p")
    assert warned(request) == [("translated", "size")]
    assert warned(build(size="4096x2160")) == warned(build(size="large")) == [("dropped", "size")]


def test_a_film_is_edited_or_carried_on() -> None:
    form = {"aspect": "9:16", "resolution": "720p", "size": "1280x720"}
    edit = build(video=FOOTAGE, seconds=5, **form)
    assert (edit.url, edit.body) == (
        "/videos/edits", {"model": "grok-imagine-video", "prompt": "a cat", "video": {"url": FOOTAGE.url}},
    )  # fmt: skip
    assert sorted(warned(edit)) == [("dropped", name) for name in ("aspect", "resolution", "seconds", "size")]
    more = build(video=FOOTAGE, seconds=5, options={"xai": {"extend": True}})
    assert more.url == "/videos/extensions"
    assert more.body == {
        "model": "grok-imagine-video", "prompt": "a cat", "video": {"url": FOOTAGE.url}, "duration": 5,
    }  # fmt: skip
    with pytest.raises(UnsupportedParam, match="no film"):
        build(options={"xai": {"extend": True}})


def test_a_last_frame_raises_and_a_seed_is_reported() -> None:
    with pytest.raises(UnsupportedParam) as caught:
        build(last_frame=PICTURE)
    assert caught.value.param == "last_frame"
    assert warned(build(seed=1, fps=24, negative_prompt="")) == [
        ("dropped", name) for name in ("seed", "fps", "negative_prompt")
    ]


async def test_the_cost_is_as_stated() -> None:
    async with studio(PROVIDER, "xai_videos") as made:
        response = await made.film("grok-imagine-video", seconds=4, resolution="720p")
    assert response.usage is not None
    assert response.usage.units == {"second_720p": 4.0}
    assert price_usage(response.usage, None).amount == Decimal("0.2")


@pytest.mark.parametrize(
    ("failure", "kind", "said"),
    [
        ({"status": "failed", "error": {"code": "internal", "message": "it broke"}}, ProviderError, "it broke"),
        ({"status": "failed", "error": "it broke"}, ProviderError, "it broke"),
        ({"status": "expired"}, ProviderError, "expired"),
        ({"status": "done", "video": {"url": "https://a.example/b.mp4", "respect_moderation": False}},
         ContentFilterError, "held back"),
        ({"status": "done", "video": {}}, ProviderError, "HTTP 200"),
    ],
)  # fmt: skip
async def test_a_film_that_failed_is_an_error(failure: Any, kind: type[ProviderError], said: str) -> None:
    async with studio(PROVIDER, "xai_videos", failure=failure) as made:
        with pytest.raises(kind, match=said) as caught:
            await made.film(seconds=4)
    assert type(caught.value) is kind


def test_a_film_without_a_status_is_done() -> None:
    body = msgspec.json.encode({"video": {"url": "https://a.example/b.mp4"}, "model": "m"})
    look = CODEC.look(call_with(), {"id": "a"}, WireResponse(status=200, body=body))
    [film] = look.films
    assert (film.url, film.trust, film.reply, film.safe_to_repeat) == (
        "https://a.example/b.mp4",
        "foreign",
        "file",
        True,
    )
    assert look.usage is None


RECORDED = sorted((ROOT / "xai" / "video").glob("*.json"))


@needs_recordings
@pytest.mark.recordings
@pytest.mark.parametrize("file", RECORDED, ids=map(name_of, RECORDED))
def test_recorded_looks_are_read(file: Any) -> None:
    exchange = load(file)
    request, response = exchange["request"], exchange["response"]
    id = request["url"].rpartition("/")[2]
    asked = CODEC.build_look(call_with(), {"id": id})
    assert (asked.method, asked.url) == (request["method"], request["url"].partition("/v1")[2])
    body = msgspec.json.encode(response["body"])
    look = CODEC.look(call_with(), {"id": id}, WireResponse(status=response["status"], body=body))
    assert look.films is None
    assert look.progress == response["body"]["progress"] / 100
