"""Pictures in OpenAI's protocol, its vendors' deviations, Gemini's and Imagen's: what is sent, and what is read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from betterai.core.exceptions import ContentFilterError, ProviderError, UnsupportedParam
from betterai.core.media import Media
from betterai.core.model import ModelConfig
from betterai.core.settings import ImageSettings
from betterai.core.wire import Call, WireRequest, WireResponse
from betterai.runtime.registry import get_provider
from together import each

CAT = Media(kind="image", mime_type="image/png", data=b"\x89PNG\r\n\x1a\n", filename="cat.png")
PNG = "iVBORw0KGgo="


def codec_of(provider: str, protocol: str = "openai_images") -> Any:
    return get_provider(provider).protocols["image"][protocol]


def call_of(model: str, **settings: Any) -> Any:
    provider, _, id = model.partition("/")
    known = get_provider(provider).models().get(id)
    found = known or ModelConfig(id=id, provider=provider, category="image")
    return Call(model=found, input="a cat", settings=ImageSettings(**settings))


def build(model: str, protocol: str = "openai_images", **settings: Any) -> WireRequest:
    call = call_of(model, **settings)
    request: WireRequest = codec_of(call.model.provider, protocol).build_request(call)
    return request


def warned(request: WireRequest) -> list[tuple[str, str]]:
    return [(warning.code, warning.field) for warning in request.warnings]


NEW, OLD, GROK = "openai/gpt-image-2", "openai/gpt-image-1.5", "xai/grok-imagine-image-2.0"
VERTEX, IMAGEN = "vertex/gemini-3-pro-image", "vertex/imagen-4"


@each(
    ("model", "settings", "sent", "said"),
    [
        (NEW, {"aspect": "16:9"}, {"size": "1360x768"}, [("translated", "aspect")]),
        (NEW, {"aspect": "3:2"}, {"size": "1536x1024"}, [("translated", "aspect")]),
        (NEW, {"aspect": "wide"}, {}, [("dropped", "aspect")]),
        (OLD, {"aspect": "16:9"}, {}, [("dropped", "aspect")]),
        (NEW, {"format": "jpg"}, {"output_format": "jpeg"}, []),
        (
            NEW,
            {"format": "gif", "options": {"openai": {"frame_count": 4, "complexity": "low"}}},
            {"output_format": "gif", "frame_count": 4, "complexity": "low"},
            [],
        ),
        (GROK, {"size": "2K"}, {"resolution": "2k"}, []),
        (GROK, {"size": "1536x1024"}, {"aspect_ratio": "3:2"}, [("translated", "size")]),
        (GROK, {"size": "1024x1024", "aspect": "16:9"}, {"aspect_ratio": "16:9"}, [("dropped", "size")]),
        (GROK, {"size": "1000x17", "format": "jpg"}, {"output_format": "jpeg"}, [("dropped", "size")]),
        ("together/flux", {"format": "jpg"}, {"output_format": "jpeg"}, []),
        ("openrouter/flux", {"format": "png"}, {}, [("dropped", "format")]),
    ],
)
def test_t1_sizes_and_formats_in_the_words_of_the_vendor(model: str, settings: Any, sent: Any, said: Any) -> None:
    request = build(model, **settings)
    assert isinstance(request.body, dict)
    plain = {name: value for name, value in request.body.items() if name in build(model).body}  # type: ignore[operator]
    assert request.body == plain | sent
    assert warned(request) == said


def test_gemini_draws_in_a_format_on_vertex_and_keeps_what_the_caller_states() -> None:
    own = {"vertex": {"imageConfig": {"personGeneration": "ALLOW_NONE", "aspectRatio": "4:5"}}}
    request = build(VERTEX, "gemini", format="jpg", compression=80, size="2k", aspect="1:1", options=own)
    body: Any = request.body
    assert body["generationConfig"]["imageConfig"] == {
        "imageOutputOptions": {"mimeType": "image/jpeg", "compressionQuality": 80}, "imageSize": "2K",
        "aspectRatio": "4:5", "personGeneration": "ALLOW_NONE",
    }  # fmt: skip
    assert warned(request) == []
    assert warned(build("google/gemini-3-pro-image", "gemini", format="png")) == [("dropped", "format")]


def test_imagen_takes_pixels_as_an_aspect() -> None:
    request = build(IMAGEN, "vertex_predict", size="1920x1080", format="jpg")
    body: Any = request.body
    assert body["parameters"] == {"aspectRatio": "16:9", "outputOptions": {"mimeType": "image/jpeg"}}
    assert warned(request) == [("translated", "size")]
    assert warned(build(IMAGEN, "vertex_predict", size="640x8")) == [("dropped", "size")]


def test_more_than_the_vendor_takes_is_refused_unsent() -> None:
    with pytest.raises(UnsupportedParam, match="n: at most 10") as caught:
        build(GROK, n=11)
    assert caught.value.param == "n"
    with pytest.raises(UnsupportedParam, match="images: at most 5"):
        build(GROK, images=[CAT] * 6)
    assert build(GROK, n=10, images=[CAT] * 5).warnings == ()


def read(model: str, *pictures: Any, **beside: Any) -> Any:
    call = call_of(model)
    body = json.dumps({"data": pictures, **beside}).encode()
    return codec_of(call.model.provider).parse_response(call, WireResponse(status=200, body=body))


def test_pictures_that_were_held_back_are_said_and_are_an_error_where_all_were() -> None:
    held = {"url": "", "respect_moderation": False}
    answer = read(GROK, held, {"b64_json": PNG, "respect_moderation": True}, usage={"cost_in_usd_ticks": 10**8})
    assert [picture.mime_type for picture in answer.images] == ["image/png"]
    assert [(warning.code, warning.field) for warning in answer.warnings] == [("dropped", "n")]
    assert str(answer.usage.stated_cost) == "0.01"
    with pytest.raises(ContentFilterError) as caught:
        read(GROK, held, held)
    assert not caught.value.retryable


@pytest.mark.parametrize("model", [NEW, GROK])
def test_a_reply_without_a_picture_is_no_answer(model: str) -> None:
    with pytest.raises(ProviderError) as caught:
        read(model)
    assert caught.value.code == "unreadable_reply"
