"""FLUX 3 films: by text, by key frames, from a film, and from a draft; over a double after the facts sheet."""

from __future__ import annotations

from base64 import b64encode
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from betterai import CoreConfig, Media
from betterai.core.exceptions import ContentFilterError, UnsupportedParam
from betterai.core.settings import VideoSettings
from betterai.providers.bfl import PROVIDER
from betterai.providers.bfl.video import FluxVideo
from betterai.runtime.attempts import Clock
from betterai.runtime.categories import CodecVideoProvider
from doubles.bfl import FILM, PNG, FluxService
from doubles.servers import web_server

KEY = "bfl-canary-31c7"
CAT = Media(kind="image", data=PNG)
CODE = b64encode(PNG).decode()


async def ask(service: FluxService, prompt: str = "a cat", waits: list[float] | None = None, **settings: Any) -> Any:
    service.content = FILM

    async def sleep(seconds: float) -> None:
        if waits is not None:
            waits.append(seconds)

    async with web_server(service.handle) as url:
        config = CoreConfig(base_url=f"{url}/v1", api_key=KEY, retries=0)
        model = PROVIDER.models()["flux-3-video"]
        runner = CodecVideoProvider(PROVIDER, FluxVideo(), config, model, clock=Clock(sleep=sleep))
        return await runner.generate(prompt, "", VideoSettings(**settings))


def take(response: Any) -> bytes:
    """The film, and its file is gone."""
    path = Path(response.videos[0].path)
    content = path.read_bytes()
    path.unlink()
    return content


def said(response: Any) -> list[tuple[str, str]]:
    return [(warning.code, warning.field) for warning in response.warnings]


async def test_a_film_of_a_text_goes_to_a_file() -> None:
    service, waits = FluxService(KEY, "Pending", "Ready"), []
    service.looked = {"cost": 85}
    response = await ask(
        service, waits=waits, seconds=5, aspect="9:16", resolution="1080p", audio=False,
        options={"bfl": {"safety_tolerance": 0, "draft": True}},
    )  # fmt: skip
    [film] = response.videos
    assert (take(response), film.mime_type) == (FILM, "video/mp4")
    assert service.bodies == [
        ("flux-3-video", {
            "mode": "t2v", "prompt": "a cat", "duration": 5, "aspect_ratio": "9:16", "resolution": "fhd",
            "generate_audio": False, "safety_tolerance": 0, "draft": True,
        }),
    ]  # fmt: skip
    assert min(waits) >= 2
    assert (response.warnings, response.cost.amount, response.usage.units["second"]) == ((), Decimal("0.85"), 5.0)


BODIES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("first", {"first_frame": CAT}, {"mode": "i2v", "keyframes": [CODE]}),
    ("both", {"last_frame": Media(kind="image", url="https://img.example/a.png"), "first_frame": CAT},
     {"mode": "i2v", "keyframes": [CODE, "https://img.example/a.png"]}),
    ("between", {"images": [CAT, CAT], "last_frame": CAT, "seconds": 8.0},
     {"mode": "i2v", "keyframes": [CODE, CODE, CODE], "duration": 8}),
    ("film", {"video": Media(kind="video", data=FILM)}, {"mode": "v2v", "start_video": b64encode(FILM).decode()}),
    ("extra", {"extra_body": {"mode": "later"}}, {"mode": "later"}),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "sent"), [item[1:] for item in BODIES], ids=[item[0] for item in BODIES])
async def test_what_a_film_is_made_of(settings: dict[str, Any], sent: dict[str, Any]) -> None:
    service = FluxService(KEY)
    response = await ask(service, **settings)
    take(response)
    assert service.bodies == [("flux-3-video", {"prompt": "a cat", **sent})]
    assert response.warnings == ()


async def test_a_draft_is_made_whole_as_it_is() -> None:
    service = FluxService(KEY)
    response = await ask(
        service, "", seconds=5, options={"bfl": {"draft_cache": "https://x.example/c", "version": "latest"}}
    )
    take(response)
    sent = {"mode": "draft_enhance", "draft_cache": "https://x.example/c", "version": "latest"}
    assert service.bodies == [("flux-3-video", sent)]
    assert ("dropped", "seconds") in said(response)


async def test_s1_what_the_vendor_lacks_is_reported_and_what_changes_the_meaning_raises() -> None:
    service = FluxService(KEY)
    response = await ask(service, seed=0, fps=24, negative_prompt="dogs", size="1280x720", seconds=5.5, n=1)
    take(response)
    assert service.bodies[0][1] == {
        "mode": "t2v", "prompt": "a cat", "aspect_ratio": "16:9", "resolution": "hd", "duration": 6,
    }  # fmt: skip
    assert said(response) == [
        ("dropped", "seed"), ("dropped", "fps"), ("dropped", "negative_prompt"), ("translated", "size"),
        ("translated", "seconds"),
    ]  # fmt: skip
    response = await ask(service, size="1000x333", aspect="7:3", resolution="8k")
    take(response)
    assert [field for _, field in said(response)] == ["size", "aspect", "resolution"]
    response = await ask(service, size="large")
    take(response)
    assert said(response) == [("dropped", "size")]
    film = Media(kind="video", data=FILM)
    for refused in ({"last_frame": CAT}, {"video": film, "first_frame": CAT}, {"n": 2}):
        with pytest.raises(UnsupportedParam, match=next(iter(refused))):
            await ask(service, **refused)


async def test_a_moderated_film_is_an_error() -> None:
    with pytest.raises(ContentFilterError):
        await ask(FluxService(KEY, "Content Moderated"))
