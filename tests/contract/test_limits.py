"""How much one request takes, where the vendor says so: more is refused by its name, before anything is sent."""

from __future__ import annotations

from typing import Any

import pytest

from betterai.core.exceptions import UnsupportedParam
from betterai.core.media import Media
from betterai.core.model import ModelConfig
from betterai.core.wire import Call
from betterai.runtime.registry import get_provider
from contract.modality_cases import INPUTS, KINDS
from together import each

CAT = Media(kind="image", mime_type="image/png", url="https://a.example/cat.png")


def picture(size: int) -> Media:
    return Media(kind="image", mime_type="image/png", data=bytes(size))


def build(place: str, model: str, input: Any, settings: Any) -> None:
    provider, category, protocol = place.split("/")
    codec: Any = get_provider(provider).protocols[category][protocol]  # type: ignore[index]
    config = ModelConfig(id=model, provider=provider, category=category)  # type: ignore[arg-type]
    asked = INPUTS[category] if input is None else input
    call: Any = Call(model=config, input=asked, settings=KINDS[category](**settings), id="c")
    build = getattr(codec, "build_submit", None) or getattr(codec, "build_request", None) or codec.connect
    build(call)


@each(
    ("place", "model", "input", "most", "more", "param"),
    [
        ("xai/image/openai_images", "m", None, {"n": 10}, {"n": 11}, "n"),
        ("xai/image/openai_images", "m", None, {"images": [CAT] * 5}, {"images": [CAT] * 6}, "images"),
        ("stability/image/stability_images", "stable-image-core", "a" * 10_000, {}, {}, "prompt"),
        ("kling/video/kling_v1", "kling-v1", "a" * 2500, {}, {}, "prompt"),
        (
            "kling/video/kling_tasks", "kling-3.0", None,
            {"first_frame": picture(10_000_000)}, {"first_frame": picture(10_000_001)}, "media",
        ),
        (
            "runway/video/runway_tasks", "gen4.5", None,
            {"first_frame": picture(3_900_000)}, {"first_frame": picture(3_900_001)}, "media",
        ),
        ("bfl/video/flux_video", "flux-3-video", None, {"images": [CAT] * 10}, {"images": [CAT] * 11}, "images"),
        ("elevenlabs/audio/elevenlabs_stt", "scribe_v2", None, {"speakers": 32}, {"speakers": 33}, "speakers"),
        (
            "elevenlabs/audio/elevenlabs_live_stt", "scribe_v2_realtime", None,
            {"keywords": ["a"] * 50}, {"keywords": ["a"] * 51}, "keywords",
        ),
    ],
)  # fmt: skip
def test_what_is_more_than_a_request_takes_is_refused_unsent(
    place: str, model: str, input: str | None, most: Any, more: Any, param: str
) -> None:
    build(place, model, input, most)
    with pytest.raises(UnsupportedParam) as caught:
        build(place, model, input if input is None else input + "a", more)
    assert caught.value.param == param
