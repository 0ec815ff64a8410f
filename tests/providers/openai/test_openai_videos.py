"""Films over OpenAI's `/videos`, at a double of it."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

import betterai
from betterai import CoreConfig, Job, JobStore
from betterai.core.exceptions import ContentFilterError, ProviderError, UnsupportedParam
from betterai.core.media import Media
from betterai.core.model import ModelConfig
from betterai.core.price import price_usage
from betterai.core.settings import VideoSettings
from betterai.core.wire import Call, Multipart, WireRequest
from betterai.providers.openai import PROVIDER
from doubles.films import FILM, OpenAIHouse
from shapes.filming import content_of, studio
from shapes.server import serve

CODEC = PROVIDER.protocols["video"]["openai_videos"]
PNG = b"\x89PNG\r\n\x1a\n and a picture"
PICTURE = Media(kind="image", mime_type="image/png", data=PNG)


def build(**settings: Any) -> WireRequest:
    model = ModelConfig(id="sora-2", provider="openai", category="video")
    call: Any = Call(model=model, input="a cat", settings=VideoSettings(**settings))
    request: WireRequest = CODEC.build_submit(call)
    return request


def warned(request: WireRequest) -> list[tuple[str, str]]:
    return [(warning.code, warning.field) for warning in request.warnings]


def test_a_text_is_asked_for_in_json_with_seconds_as_a_text() -> None:
    request = build(seconds=8.0, size="720x1280")
    assert (request.method, request.url, request.safe_to_repeat) == ("POST", "/videos", False)
    assert request.body == {"model": "sora-2", "prompt": "a cat", "seconds": "8", "size": "720x1280"}
    assert request.warnings == ()


def test_an_aspect_is_a_size() -> None:
    request = build(aspect="9:16")
    assert isinstance(request.body, dict)
    assert request.body["size"] == "720x1280"
    assert warned(request) == [("translated", "aspect")]
    assert warned(build(aspect="4:3")) == [("dropped", "aspect")]
    assert warned(build(aspect="4:3", size="1280x720")) == []


def test_a_first_frame_goes_as_a_file_a_link_or_an_id() -> None:
    form = build(first_frame=PICTURE, seconds=4).body
    assert isinstance(form, Multipart)
    fields = {field.name: field.value for field in form.fields}
    assert (fields["seconds"], fields["prompt"]) == ("4", "a cat")
    assert isinstance(fields["input_reference"], Media)
    assert fields["input_reference"].filename == "image.png"
    for media, said in (
        (Media(kind="image", url="https://a.example/b.png"), {"image_url": "https://a.example/b.png"}),
        (Media(kind="image", file_id="file-1"), {"file_id": "file-1"}),
    ):
        body = build(first_frame=media).body
        assert isinstance(body, dict)
        assert body["input_reference"] == said


@pytest.mark.parametrize("name", ["last_frame", "video", "images"])
def test_what_would_be_another_film_raises(name: str) -> None:
    with pytest.raises(UnsupportedParam) as caught:
        build(**{name: [PICTURE] if name == "images" else PICTURE})
    assert caught.value.param == name


def test_several_at_once_and_silence_raise_and_the_rest_is_reported() -> None:
    for settings in ({"n": 2}, {"audio": False}):
        with pytest.raises(UnsupportedParam):
            build(**settings)
    assert warned(build(n=1, fps=24, seed=1, negative_prompt="dogs", resolution="720p")) == [
        ("dropped", name) for name in ("fps", "seed", "negative_prompt", "resolution")
    ]


async def test_a_first_frame_arrives_whole() -> None:
    async with studio(PROVIDER, "openai_videos") as made:
        await made.film(first_frame=PICTURE, seconds=4)
    assert made.house.bodies[0]["input_reference"] == PNG
    assert base64.b64encode(PNG).decode() not in str(made.states)


async def test_the_price_is_for_the_seconds_that_the_provider_states() -> None:
    async with studio(PROVIDER, "openai_videos") as made:
        response = await made.film("sora-2", seconds=8)
    cost = price_usage(response.usage, PROVIDER.models()["sora-2"].price)
    assert (str(cost.amount), cost.status) == ("0.40", "exact")
    assert response.raw["status"] == "completed"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"code": "moderation_blocked", "message": "Your request was blocked"}, ContentFilterError),
        ({"code": "internal", "message": "it broke"}, ProviderError),
        (None, ProviderError),
    ],
)
async def test_a_film_that_failed_is_an_error(error: Any, kind: type[ProviderError]) -> None:
    failure = {"id": "video_1", "object": "video", "status": "failed", "error": error}
    async with studio(PROVIDER, "openai_videos", failure=failure) as made:
        with pytest.raises(kind, match=(error or {}).get("message", "failed")) as caught:
            await made.film(seconds=4)
    assert type(caught.value) is kind
    assert made.house.submits == 1


async def test_a_queued_film_and_words_of_other_servers_are_waited_for() -> None:
    class Elsewhere(OpenAIHouse):
        def making(self) -> dict[str, Any]:
            return {"id": "video_1", "status": "processing"}

    async with studio(PROVIDER, "openai_videos") as made:
        made.house.__class__ = Elsewhere
        await made.film(seconds=4)
    assert made.progress == []
    assert len(made.waits.slept) == 1


@pytest.fixture
def _at_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BETTERAI_STATE", str(tmp_path))
    monkeypatch.setenv("OPENAI_API_KEY", "test-key")


@pytest.mark.usefixtures("_at_home")
async def test_j1_a_job_goes_on_elsewhere_by_its_handle_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    house = OpenAIHouse(looks=1)
    async with serve(house) as url:
        monkeypatch.setenv("OPENAI_BASE_URL", url)
        job = await betterai.start_video("openai/sora-2", "a cat", seconds=4)
        for store in (JobStore(), None):
            response = await Job.resume(job.handle, store=store).wait()
            assert content_of(response) == FILM
            assert response.cost is not None
            assert str(response.cost.amount) == "0.40"
    assert house.submits == 1


@pytest.mark.usefixtures("_at_home")
async def test_what_was_refused_before_it_was_sent_is_no_running_job() -> None:
    with pytest.raises(UnsupportedParam):
        await betterai.start_video("openai/sora-2", "a cat", last_frame=PICTURE)
    with pytest.raises(UnsupportedParam):
        await betterai.start_video("openai/sora-2", "a cat", seed=1, config=CoreConfig(unsupported="raise"))
    assert [job.status for job in JobStore().jobs()] == ["failed", "failed"]
