"""Films of Google through Interactions, at a double of it."""

from __future__ import annotations

from typing import Any

import pytest

from betterai.core.exceptions import ContentFilterError, ProviderError, UnsupportedParam
from betterai.core.media import Media
from betterai.core.model import ModelConfig
from betterai.core.settings import VideoSettings
from betterai.core.wire import Call, WireRequest
from betterai.providers.google import PROVIDER
from shapes.filming import content_of, studio

CODEC = PROVIDER.protocols["video"]["gemini_interactions"]
PICTURE = Media(kind="image", mime_type="image/png", data=b"\x89PNG")
STORED = Media(kind="video", mime_type="video/mp4", file_id="https://generativelanguage.googleapis.com/v1beta/files/a")
MODEL = "gemini-omni-1.1-flash"


def build(text: str = "a cat", **settings: Any) -> WireRequest:
    model = ModelConfig(id=MODEL, provider="google", category="video")
    request: WireRequest = CODEC.build_submit(Call(model=model, input=text, settings=VideoSettings(**settings)))
    return request


def body_of(request: WireRequest) -> dict[str, Any]:
    assert isinstance(request.body, dict)
    return request.body


def test_a_film_of_a_text() -> None:
    own = {"safety_settings": [{"threshold": "off"}], "labels": {"a": "b"}}
    request = build(seconds=8.0, aspect="9:16", resolution="1080p", options={"google": own})
    assert (request.url, request.safe_to_repeat, request.warnings) == ("/v1beta/interactions", False, ())
    assert request.headers == {"Api-Revision": "2026-05-20"}
    assert request.body == {
        "model": MODEL, "input": "a cat", "background": True, **own,
        "response_format": {
            "type": "video", "aspect_ratio": "9:16", "resolution": "1080p", "duration": "8s", "delivery": "uri",
        },
    }  # fmt: skip
    assert body_of(build(options={"google": {"delivery": "inline"}}))["response_format"]["delivery"] == "inline"


def test_what_a_film_is_made_of_stands_before_the_text() -> None:
    content = {"type": "image", "data": "iVBORw==", "mime_type": "image/png"}
    said = {"type": "text", "text": "a cat"}
    for settings, task in (({"first_frame": PICTURE}, "image_to_video"), ({"images": [PICTURE]}, "reference_to_video")):
        body = body_of(build(**settings))
        assert body["input"] == [{"type": "user_input", "content": [content, said]}]
        assert body["generation_config"] == {"video_config": {"task": task}}
    body = body_of(build("", video=STORED))
    [step] = body["input"]
    assert step["content"] == [{"type": "video", "uri": STORED.file_id, "mime_type": "video/mp4"}]
    assert "generation_config" not in body
    body = body_of(build(video=STORED, options={"google": {"task": "extend"}}))
    assert body["generation_config"] == {"video_config": {"task": "extend"}}


def test_what_it_lacks_is_said_or_raises() -> None:
    assert [(warning.code, warning.field) for warning in build(size="720x1280").warnings] == [("translated", "size")]
    dropped = build(size="100x100", fps=30, seed=7, negative_prompt="dogs")
    assert {warning.field for warning in dropped.warnings} >= {"size", "fps", "seed", "negative_prompt"}
    assert [warning.field for warning in build(audio=True).warnings] == ["audio"]
    for refused in ({"last_frame": PICTURE}, {"audio": False}, {"first_frame": PICTURE, "images": [PICTURE]}):
        with pytest.raises(UnsupportedParam):
            build(**refused)


async def test_a_film_is_fetched_with_the_key_at_googles_own_address_alone() -> None:
    async with studio(PROVIDER, "gemini_interactions") as made:
        response = await made.film(MODEL, seconds=4)
        await made.film(MODEL, seconds=4)
    assert made.house.requests[:4] == [
        "POST /v1beta/interactions", *["GET /v1beta/interactions/v1_1"] * 2, "GET /v1beta/files/f-1:download",
    ]  # fmt: skip
    assert {headers.get("x-goog-api-key") for headers in made.house.headers} == {"test-key"}
    assert response.usage is not None
    assert (response.usage.text_in, response.usage.text_out, response.usage.other) == (7, 10, 890)
    film = {"type": "video", "uri": "https://films.example/a.mp4"}
    look = CODEC.look(_call(), {"id": "a"}, _reply(steps=[{"type": "model_output", "content": [film]}]))
    [fetch] = look.films
    assert (fetch.url, fetch.trust, fetch.headers) == ("https://films.example/a.mp4", "foreign", {})


def _call() -> Any:
    model = ModelConfig(id=MODEL, provider="google", category="video")
    base = {"base_url": "https://generativelanguage.googleapis.com"}
    return Call(model=model, input="a", settings=VideoSettings(), provider_settings=base)


def _reply(**fields: Any) -> Any:
    import json

    from betterai.core.wire import WireResponse

    return WireResponse(status=200, body=json.dumps({"id": "a", "status": "completed", **fields}).encode())


async def test_films_in_the_reply_and_in_cloud_storage() -> None:
    inline = {"type": "video", "mime_type": "video/mp4", "data": "AAAA"}
    stored = {"type": "video", "uri": "gs://bucket/a.mp4"}
    done = {"id": "a", "status": "completed", "steps": [{"type": "model_output", "content": [inline, stored]}]}
    async with studio(PROVIDER, "gemini_interactions", failure=done) as made:
        first, second = (await made.film(MODEL, seconds=4)).videos
    assert (first.to_bytes(), second.file_id) == (b"\0\0\0", "gs://bucket/a.mp4")
    done = {"id": "a", "status": "incomplete", "output_video": inline}
    async with studio(PROVIDER, "gemini_interactions", failure=done) as made:
        assert content_of(await made.film(MODEL)) == b"\0\0\0"


@pytest.mark.parametrize(
    ("said", "kind", "message"),
    [
        ({"status": "failed", "errors": [{"code": "internal", "message": "it broke"}]}, ProviderError, "it broke"),
        ({"status": "failed", "steps": [{"type": "model_output", "error": {"code": 3, "message": "violates Google's Responsible AI practices"}}]},
         ContentFilterError, "Responsible"),
        ({"status": "cancelled"}, ProviderError, "cancelled"),
        ({"status": "budget_exceeded"}, ProviderError, "budget_exceeded"),
        ({"status": "completed", "steps": [{"type": "model_output", "content": [{"type": "text", "text": "I draw no cats"}]}]},
         ProviderError, "no cats"),
        ({"status": "completed", "steps": []}, ProviderError, "HTTP 200"),
    ],
)  # fmt: skip
async def test_an_interaction_that_made_no_film_is_an_error(said: Any, kind: type[ProviderError], message: str) -> None:
    async with studio(PROVIDER, "gemini_interactions", failure={"id": "a", **said}) as made:
        with pytest.raises(kind, match=message) as caught:
            await made.film(MODEL, seconds=4)
    assert type(caught.value) is kind
    assert made.house.submits == 1


def test_a_film_is_stopped_by_cancelling_its_interaction() -> None:
    request = CODEC.cancel({"id": "v1_1"})
    assert (request.method, request.url) == ("POST", "/v1beta/interactions/v1_1/cancel")
