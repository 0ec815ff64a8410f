"""Runway's films, at a double of it."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from betterai.core.exceptions import BadRequestError, ContentFilterError, ProviderError, UnsupportedParam
from betterai.core.media import Media
from betterai.core.model import ModelConfig
from betterai.core.price import price_usage
from betterai.core.settings import VideoSettings
from betterai.core.wire import Call, WireRequest, WireResponse
from betterai.providers.runway import PROVIDER
from shapes.filming import studio

CODEC = PROVIDER.protocols["video"]["runway_tasks"]
PICTURE = Media(kind="image", mime_type="image/png", data=b"\x89PNG")
DATA = "data:image/png;base64,iVBORw=="


def build(text: str = "a cat", id: str = "gen4.5", **settings: Any) -> WireRequest:
    model = ModelConfig(id=id, provider="runway", category="video")
    call: Any = Call(model=model, input=text, settings=VideoSettings(**settings))
    request: WireRequest = CODEC.build_submit(call)
    return request


def warned(request: WireRequest) -> list[tuple[str, str]]:
    return [(warning.code, warning.field) for warning in request.warnings]


def test_a_film_of_a_text() -> None:
    request = build(seconds=5.0, size="1280x720", seed=7, audio=False, negative_prompt="dogs")
    assert (request.url, request.safe_to_repeat, request.warnings) == ("/v1/text_to_video", False, ())
    assert request.body == {
        "model": "gen4.5", "promptText": "a cat", "duration": 5, "ratio": "1280:720", "seed": 7, "audio": False,
        "negativePrompt": "dogs",
    }  # fmt: skip


def test_a_film_of_frames() -> None:
    first = build("", first_frame=PICTURE, seconds=8, size="720x1280")
    assert (first.url, first.body) == (
        "/v1/image_to_video", {"model": "gen4.5", "promptImage": DATA, "duration": 8, "ratio": "720:1280"},
    )  # fmt: skip
    both = build("", "kling3.0_pro", first_frame=PICTURE, last_frame=Media(kind="image", file_id="runway://a"))
    assert both.body == {
        "model": "kling3.0_pro",
        "promptImage": [{"uri": DATA, "position": "first"}, {"uri": "runway://a", "position": "last"}],
    }
    last = build("", last_frame=PICTURE)
    assert isinstance(last.body, dict)
    assert last.body["promptImage"] == [{"uri": DATA, "position": "last"}]


def test_a_film_of_a_film_has_no_frames() -> None:
    film = Media(kind="video", url="https://a.example/b.mp4")
    request = build(video=film)
    assert (request.url, request.body) == (
        "/v1/video_to_video", {"model": "gen4.5", "promptText": "a cat", "videoUri": film.url},
    )  # fmt: skip
    with pytest.raises(UnsupportedParam) as caught:
        build(video=film, last_frame=PICTURE)
    assert caught.value.param == "last_frame"


@pytest.mark.parametrize(
    ("settings", "ratio", "said"),
    [
        ({"aspect": "9:16"}, "720:1280", [("translated", "aspect")]),
        ({"aspect": "1:1", "resolution": "1080p"}, "1440:1440", [("translated", "aspect")]),
        ({"aspect": "16:9", "resolution": "4K"}, "3840:2160", [("translated", "aspect")]),
        ({"aspect": "5:1"}, "1280:720", [("dropped", "aspect")]),
        ({"resolution": "1080p"}, "1280:720", [("dropped", "resolution")]),
        ({"size": "1920x1080", "aspect": "16:9", "resolution": "1080p"}, "1920:1080", []),
        ({"options": {"runway": {"ratio": "16:9"}}}, "16:9", []),
    ],
)
def test_a_form_is_a_ratio(settings: Any, ratio: str | None, said: Any) -> None:
    request = build(**settings)
    assert isinstance(request.body, dict)
    assert (request.body.get("ratio"), warned(request)) == (ratio, said)


@pytest.mark.parametrize(
    ("model", "settings", "sent"),
    [
        ("gen4.5", {}, {"ratio": "1280:720", "duration": 5}),
        ("gen4.5", {"first_frame": PICTURE}, {"ratio": "1280:720", "duration": 5, "promptImage": DATA}),
        ("veo3.1", {"seconds": 8}, {"ratio": "1280:720", "duration": 8}),
        ("kling3.0_pro", {}, {"ratio": "1920:1080"}),
        ("kling3.0_pro", {"first_frame": PICTURE}, {"promptImage": DATA}),
        ("kling2.5_turbo_pro", {}, {}),
        ("hailuo3", {"aspect": "21:9", "resolution": "2k"}, {"ratio": "21:9", "resolution": "2k"}),
        ("hailuo3", {"video": Media(kind="video", url="https://a.example/b")}, {"promptVideo": "https://a.example/b"}),
        ("seedance2", {"images": [PICTURE]}, {"references": [{"uri": DATA}]}),
        ("h3_max", {"resolution": "768p"}, {"resolution": "768p"}),
        ("of_tomorrow", {}, {}),
    ],
)
def test_t1_each_model_is_asked_in_its_makers_words(model: str, settings: Any, sent: Any) -> None:
    request = build("a cat", model, **settings)
    assert (request.body, request.warnings) == ({"model": model, "promptText": "a cat", **sent}, ())


def test_references_that_are_not_taken_raise() -> None:
    with pytest.raises(UnsupportedParam, match="extra_body"):
        build(images=[PICTURE])
    with pytest.raises(UnsupportedParam, match="one of them"):
        build(id="seedance2", images=[PICTURE], first_frame=PICTURE)


async def test_the_version_goes_along_and_the_cost_is_in_credits() -> None:
    async with studio(PROVIDER, "runway_tasks") as made:
        response = await made.film("gen4.5", seconds=4)
        assert made.codec.cancel(made.states[-1]).url == "/v1/tasks/task-1"
    said = [headers.get("X-Runway-Version") for headers in made.house.headers]
    assert said == ["2024-11-06"] * 3 + [None]
    cost = price_usage(response.usage, PROVIDER.models()["gen4.5"].price)
    assert (cost.amount, cost.status) == (Decimal("0.20"), "exact")
    assert response.usage is not None
    assert (response.usage.units, response.usage.source) == ({"second": 4.0}, "counted")
    assert made.progress == [0.5]


@pytest.mark.parametrize(
    ("task", "kind", "retryable"),
    [
        ({"status": "FAILED", "failure": "no", "failureCode": "SAFETY.INPUT.TEXT"}, ContentFilterError, False),
        ({"status": "FAILED", "failure": "no", "failureCode": "INTERNAL.BAD_OUTPUT.CODE01"}, ProviderError, True),
        ({"status": "FAILED", "failure": "no", "failureCode": "ASSET.INVALID"}, ProviderError, False),
        ({"status": "CANCELLED"}, ProviderError, False),
        ({"status": "SUCCEEDED", "output": []}, ProviderError, False),
    ],
)
async def test_a_task_that_failed_is_an_error(task: Any, kind: type[ProviderError], retryable: bool) -> None:
    async with studio(PROVIDER, "runway_tasks", failure={"id": "task-1", **task}) as made:
        with pytest.raises(kind) as caught:
            await made.film(seconds=4)
    assert (type(caught.value), caught.value.retryable) == (kind, retryable)
    assert caught.value.code == task.get("failureCode", caught.value.code)


async def test_tasks_that_wait_their_turn_are_waited_for() -> None:
    async with studio(PROVIDER, "runway_tasks") as made:
        made.house.making = lambda: {"id": "task-1", "status": "THROTTLED"}
        await made.film(seconds=4)
    assert (made.progress, len(made.waits.slept)) == ([], 1)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            {"error": "Validation of body failed", "issues": [
                {"code": "custom", "path": ["references", 0, "uri"], "message": "Invalid URL"}, {"message": "Too long"},
            ]},
            "Validation of body failed: references.0.uri: Invalid URL; Too long",
        ),
        ({"error": "Bad ratio"}, "Bad ratio"),
        ({"error": "No", "issues": [1]}, "No"),
    ],
)  # fmt: skip
def test_e1_each_fault_of_a_request_is_told(body: Any, said: str) -> None:
    error = CODEC.parse_error(WireResponse(status=400, body=json.dumps(body).encode()))
    assert (type(error), error.provider_message) == (BadRequestError, said)
