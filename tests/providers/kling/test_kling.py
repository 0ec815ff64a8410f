"""Kling's films over both generations of its API, at doubles of them, and both ways to sign."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from betterai.core.exceptions import (
    AuthenticationError,
    BadRequestError,
    BetterAIError,
    ConfigurationError,
    ContentFilterError,
    JobInDoubt,
    OverloadedError,
    ProviderError,
    QuotaExceededError,
    RateLimitError,
    UnsupportedParam,
)
from betterai.core.media import Media
from betterai.core.model import ModelConfig
from betterai.core.settings import VideoSettings
from betterai.core.wire import Call, WireRequest, WireResponse
from betterai.providers.kling import PROVIDER
from betterai.runtime.registry import choose_protocol
from doubles.films import FILM
from shapes.filming import content_of, studio

CODECS = PROVIDER.protocols["video"]
PICTURE = Media(kind="image", mime_type="image/png", data=b"\x89PNG")
KEYS = {"access_key": "access-canary", "secret_key": "secret-canary-12345678901234567890"}
BOTH = pytest.mark.parametrize("protocol", list(CODECS))


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in {name for setting in PROVIDER.settings for name in setting.env}:
        monkeypatch.delenv(variable, raising=False)


def build(protocol: str, id: str = "kling-3.0", **settings: Any) -> WireRequest:
    model = ModelConfig(id=id, provider="kling", category="video")
    call: Any = Call(model=model, input="a cat", settings=VideoSettings(**settings), id="c" * 32)
    request: WireRequest = CODECS[protocol].build_submit(call)
    return request


def body_of(request: WireRequest) -> dict[str, Any]:
    assert isinstance(request.body, dict)
    return request.body


def warned(request: WireRequest) -> list[tuple[str, str]]:
    return [(warning.code, warning.field) for warning in request.warnings]


# ── the newer generation ──


def test_the_model_is_in_the_path() -> None:
    request = build("kling_tasks", seconds=5.0, aspect="16:9", resolution="1080p", audio=False)
    assert (request.url, request.safe_to_repeat, request.warnings) == ("/text-to-video/kling-3.0", False, ())
    assert request.body == {
        "prompt": "a cat", "options": {"external_task_id": "c" * 32},
        "settings": {"duration": 5, "aspect_ratio": "16:9", "resolution": "1080p", "audio": "off"},
    }  # fmt: skip
    framed = build("kling_tasks", first_frame=PICTURE)
    assert (framed.url, body_of(framed)["contents"]) == (
        "/image-to-video/kling-3.0",
        [{"type": "prompt", "text": "a cat"}, {"type": "first_frame", "url": "iVBORw=="}],
    )
    assert "settings" not in body_of(framed)
    assert build("kling_tasks", "kling-3.0-omni").url == "/omni-video/kling-3.0-omni"


def test_options_stand_in_their_place() -> None:
    own = {"callback_url": "https://a.example", "watermark_info": {"enabled": False}}
    request = build("kling_tasks", options={"kling": own})
    assert body_of(request)["options"] == {"external_task_id": "c" * 32, **own}


def test_a_size_is_an_aspect_and_a_resolution() -> None:
    request = build("kling_tasks", size="720x1280")
    assert body_of(request)["settings"] == {"aspect_ratio": "9:16", "resolution": "720p"}
    assert warned(request) == [("translated", "size")]
    assert warned(build("kling_tasks", size="1000x10")) == [("dropped", "size")]


def test_turbo_makes_sound_always() -> None:
    assert warned(build("kling_tasks", "kling-3.0-turbo", audio=True)) == [("dropped", "audio")]
    with pytest.raises(UnsupportedParam):
        build("kling_tasks", "kling-3.0-turbo", audio=False)


@pytest.mark.parametrize("name", ["last_frame", "images", "video"])
def test_what_is_not_documented_raises(name: str) -> None:
    with pytest.raises(UnsupportedParam) as caught:
        build("kling_tasks", **{name: [PICTURE] if name == "images" else PICTURE})
    assert caught.value.param == name


async def test_what_was_paid_in_dollars_is_the_cost() -> None:
    async with studio(PROVIDER, "kling_tasks") as made:
        response = await made.film("kling-3.0", seconds=4)
    assert response.usage is not None
    assert response.usage.stated_cost == Decimal("0.40")
    assert made.house.requests[0] == "POST /text-to-video/kling-3.0"


async def test_a_task_that_is_gone_is_an_error() -> None:
    async with studio(PROVIDER, "kling_tasks", failure={"code": 0, "data": []}) as made:
        with pytest.raises(ProviderError, match="no such task"):
            await made.film(seconds=4)


# ── the older generation ──


def test_the_model_is_in_the_body_and_seconds_are_a_text() -> None:
    own = {"kling": {"mode": "pro", "cfg_scale": 0.5}}
    request = build("kling_v1", "kling-v2-6", seconds=10, aspect="1:1", negative_prompt="dogs", audio=True, options=own)
    assert request.url == "/v1/videos/text2video"
    assert request.body == {
        "model_name": "kling-v2-6", "prompt": "a cat", "external_task_id": "c" * 32, "duration": "10",
        "aspect_ratio": "1:1", "negative_prompt": "dogs", "sound": "on", "mode": "pro", "cfg_scale": 0.5,
    }  # fmt: skip
    assert warned(build("kling_v1", resolution="1080p")) == [("dropped", "resolution")]
    assert warned(build("kling_v1", size="1920x1080")) == [("translated", "size")]


def test_frames_and_pictures_have_places_of_their_own() -> None:
    framed = build("kling_v1", first_frame=PICTURE, last_frame=Media(kind="image", url="https://a.example/b.png"))
    assert framed.url == "/v1/videos/image2video"
    assert (body_of(framed)["image"], body_of(framed)["image_tail"]) == ("iVBORw==", "https://a.example/b.png")
    several = build("kling_v1", images=[PICTURE, PICTURE])
    assert several.url == "/v1/videos/multi-image2video"
    assert body_of(several)["image_list"] == [{"image": "iVBORw=="}] * 2
    with pytest.raises(UnsupportedParam) as caught:
        build("kling_v1", images=[PICTURE], first_frame=PICTURE)
    assert caught.value.param == "first_frame"


async def test_a_task_is_asked_for_where_it_was_made() -> None:
    async with studio(PROVIDER, "kling_v1") as made:
        await made.film("kling-v2-6", first_frame=PICTURE, seconds=5)
        await made.film("kling-v2-6", state=made.states[-1])
    looks = [asked for asked in made.house.requests if asked.startswith("GET /v1")]
    assert set(looks) == {"GET /v1/videos/image2video/task-1"}
    assert made.states[-1]["path"] == "/v1/videos/image2video"


def test_models_know_their_generation() -> None:
    models = PROVIDER.models()
    assert choose_protocol(PROVIDER, "video", models["kling-v2-6"]) is CODECS["kling_v1"]
    assert choose_protocol(PROVIDER, "video", models["kling-3.0"]) is CODECS["kling_tasks"]


# ── errors ──


@BOTH
@pytest.mark.parametrize(
    ("status", "code", "kind", "retryable"),
    [
        (401, 1002, AuthenticationError, False), (200, 1004, AuthenticationError, False),
        (429, 1102, QuotaExceededError, False), (429, 1303, RateLimitError, True), (200, 1302, RateLimitError, True),
        (400, 1301, ContentFilterError, False), (400, 1201, BadRequestError, False), (503, 5001, OverloadedError, True),
        (429, 1304, ProviderError, False),
    ],
)  # fmt: skip
def test_codes_say_what_went_wrong(
    protocol: str, status: int, code: int, kind: type[ProviderError], retryable: bool
) -> None:
    body = msgspec.json.encode({"code": code, "message": "as it was said", "request_id": "r"})
    reply = WireResponse(status=status, body=body)
    if status == 200:
        with pytest.raises(kind) as caught:
            CODECS[protocol].read_id(reply)
        error: BetterAIError = caught.value
    else:
        error = CODECS[protocol].parse_error(reply)
    assert isinstance(error, kind)
    assert (error.retryable, error.code) == (retryable, str(code))
    assert "as it was said" in str(error)


@BOTH
async def test_a_film_that_was_held_back_is_content_filter(protocol: str) -> None:
    said = "Failure to pass the risk control system"
    task = {"id": "task-1", "status": "failed", "message": said}
    old = {"task_id": "task-1", "task_status": "failed", "task_status_msg": said}
    failure = {"code": 0, "data": [task] if protocol == "kling_tasks" else old}
    async with studio(PROVIDER, protocol, failure=failure) as made:
        with pytest.raises(ContentFilterError, match="risk control"):
            await made.film(seconds=4)


@BOTH
async def test_a_look_at_a_busy_service_is_waited_over(protocol: str) -> None:
    async with studio(PROVIDER, protocol) as made:
        made.house.making = lambda: {"code": 1302, "message": "slow down"}
        assert content_of(await made.film(seconds=4)) == FILM
    assert len(made.waits.slept) == 1


@BOTH
async def test_a_search_that_fails_leaves_the_job_in_doubt(protocol: str) -> None:
    async with studio(PROVIDER, protocol, lost=True) as made:

        async def refuse(request: Any) -> Any:
            from aiohttp import web

            return web.json_response({"code": 5000, "message": "down"}, status=500)

        made.house.answer = refuse  # type: ignore[method-assign]
        with pytest.raises(JobInDoubt):
            await made.film(seconds=4)
    assert made.house.submits == 1


# ── both ways to sign ──


def read_token(header: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The header and the claims of a token whose signature is genuine."""
    scheme, _, token = header.partition(" ")
    signed, _, signature = token.rpartition(".")
    assert scheme == "Bearer"
    assert "=" not in token

    def decode(text: str) -> bytes:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

    assert decode(signature) == hmac.new(KEYS["secret_key"].encode(), signed.encode(), hashlib.sha256).digest()
    head, claims = signed.split(".")
    return json.loads(decode(head)), json.loads(decode(claims))


async def test_an_access_key_and_its_secret_sign_a_token() -> None:
    async with studio(PROVIDER, "kling_v1", keys=KEYS) as made:
        assert content_of(await made.film("kling-v2-6", seconds=4)) == FILM
    sent = [headers["Authorization"] for headers in made.house.headers if "Authorization" in headers]
    assert len(sent) == 3
    head, claims = read_token(sent[0])
    assert head == {"alg": "HS256", "typ": "JWT"}
    assert claims.keys() == {"iss", "exp", "nbf"}
    assert claims["iss"] == "access-canary"
    assert claims["exp"] - claims["nbf"] == 1805
    assert abs(claims["nbf"] + 5 - time.time()) < 60
    assert len(set(sent)) == 1


async def test_x5_neither_keys_nor_the_token_show_in_errors() -> None:
    async with studio(PROVIDER, "kling_v1", keys=KEYS) as made:

        async def echo(request: Any) -> Any:
            from aiohttp import web

            said = f"you sent {request.headers['Authorization']}"
            return web.json_response({"code": 1201, "message": said}, status=400)

        made.house.answer = echo  # type: ignore[method-assign]
        with pytest.raises(BadRequestError) as caught:
            await made.film(state={"call": "a", "id": "task-1"})
    token = made.house.headers[0]["Authorization"].removeprefix("Bearer ")
    shown = repr((caught.value, vars(caught.value), caught.value.body))
    assert [secret for secret in (*KEYS.values(), token) if secret in shown] == []


async def test_a_key_wins_and_is_sent_as_it_is() -> None:
    async with studio(PROVIDER, "kling_tasks", keys={**KEYS, "api_key": "plain-key"}) as made:
        await made.film(seconds=4)
    assert made.house.headers[0]["Authorization"] == "Bearer plain-key"


async def test_without_any_key_it_says_what_is_missing() -> None:
    async with studio(PROVIDER, "kling_tasks", keys={}) as made:
        with pytest.raises(ConfigurationError, match="KLINGAI_API_KEY"):
            await made.film(seconds=4)
