"""Stability: forms, both ways of answering, the content filter, errors; over a double after its facts sheet."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import betterai
from betterai import CoreConfig, Media
from betterai.core.exceptions import (
    AuthenticationError,
    BadRequestError,
    ContentFilterError,
    OverloadedError,
    ProviderError,
    QuotaExceededError,
    RateLimitError,
    UnsupportedParam,
)
from doubles.servers import web_server
from doubles.stability import PNG, STYLES, StabilityService, failure

KEY = "sk-canary-77a1"
CORE, ULTRA, SD3 = "stability/stable-image-core", "stability/stable-image-ultra", "stability/sd3.5-medium"
CAT = Media(kind="image", data=PNG, filename="cat.png")


async def ask(service: StabilityService, model: str, prompt: str = "a cat", **settings: Any) -> Any:
    fields = {name: settings.pop(name) for name in ("unsupported",) if name in settings}
    async with web_server(service.handle) as url:
        config = CoreConfig(base_url=url, api_key=settings.pop("key", KEY), retries=0, **fields)
        return await betterai.generate_image(model, prompt, config=config, **settings)


def said(response: Any) -> list[tuple[str, str]]:
    return [(warning.code, warning.field) for warning in response.warnings]


async def test_core_makes_a_picture_of_a_text() -> None:
    service = StabilityService(KEY)
    response = await ask(
        service, CORE, aspect="16:9", seed=0, format="jpg", style="anime", negative_prompt="dogs", user="u-1", n=1
    )
    [picture] = response.images
    assert (picture.to_bytes(), picture.mime_type) == (PNG, "image/png")
    assert service.users == ["u-1"]
    assert service.forms == [
        ("generate/core", {
            "prompt": "a cat", "aspect_ratio": "16:9", "seed": "0", "output_format": "jpeg", "style_preset": "anime",
            "negative_prompt": "dogs",
        }),
    ]  # fmt: skip
    assert (response.headers["seed"], response.raw, response.warnings) == ("17", None, ())
    assert (response.cost.amount, response.cost.status) == (Decimal("0.03"), "exact")


async def test_a_form_without_a_file_is_a_form_all_the_same() -> None:
    service = StabilityService(KEY)
    await ask(service, ULTRA)
    assert service.forms == [("generate/ultra", {"prompt": "a cat"})]


async def test_the_picture_comes_in_json_where_that_is_asked_for() -> None:
    response = await ask(StabilityService(KEY), SD3, extra_headers={"Accept": "application/json"})
    [picture] = response.images
    assert (picture.to_bytes(), picture.mime_type) == (PNG, "image/png")
    assert response.raw["seed"] == 17


@pytest.mark.parametrize("headers", [{}, {"Accept": "application/json"}], ids=["bytes", "json"])
async def test_what_the_filter_blurred_is_an_error_although_its_status_is_200(headers: dict[str, str]) -> None:
    service = StabilityService(KEY)
    service.filters = True
    with pytest.raises(ContentFilterError) as caught:
        await ask(service, CORE, extra_headers=headers)
    assert (caught.value.status, caught.value.code, caught.value.retryable) == (200, "CONTENT_FILTERED", False)


@pytest.mark.parametrize(
    ("status", "kind", "retryable"),
    [
        (400, BadRequestError, False), (402, QuotaExceededError, False), (403, ContentFilterError, False),
        (413, BadRequestError, False), (422, BadRequestError, False), (429, RateLimitError, True),
        (500, ProviderError, True),
    ],
)  # fmt: skip
async def test_errors_by_their_status_and_name(status: int, kind: type[ProviderError], retryable: bool) -> None:
    service = StabilityService(KEY)
    service.fails = failure(status, "first", "second")
    with pytest.raises(kind) as caught:
        await ask(service, CORE)
    error = caught.value
    assert (error.status, error.provider_message, error.request_id) == (status, "first; second", "f-1")
    assert error.code
    assert error.retryable is retryable
    assert not isinstance(error, OverloadedError)


async def test_a_wrong_key_is_told_as_one() -> None:
    with pytest.raises(AuthenticationError, match="authorization"):
        await ask(StabilityService(KEY), CORE, key="another")


async def test_sd3_has_its_model_in_a_field_and_edits_pictures_by_strength(tmp_path: Path) -> None:
    path = tmp_path / "cat.png"
    path.write_bytes(PNG)
    service = StabilityService(KEY)
    cat = Media(kind="image", path=str(path))
    response = await ask(
        service, SD3, images=[cat], aspect="1:1", guidance=4.5, options={"stability": {"strength": 0.0}}
    )
    assert service.forms == [
        ("generate/sd3", {
            "prompt": "a cat", "model": "sd3.5-medium", "image": PNG, "mode": "image-to-image", "strength": "0.0",
            "cfg_scale": "4.5",
        }),
    ]  # fmt: skip
    assert said(response) == [("dropped", "aspect")]


async def test_a_model_that_is_not_known_is_one_of_sd3() -> None:
    service = StabilityService(KEY)
    await ask(service, "stability/sd3.5-flash")
    assert service.forms == [("generate/sd3", {"prompt": "a cat", "model": "sd3.5-flash"})]


async def test_a_size_is_asked_for_as_its_aspect() -> None:
    service = StabilityService(KEY)
    response = await ask(service, CORE, size="1536x1024")
    assert service.forms[0][1]["aspect_ratio"] == "3:2"
    assert said(response) == [("translated", "size")]
    assert said(await ask(service, CORE, size="1536x1024", aspect="1:1")) == [("dropped", "size")]
    assert said(await ask(service, CORE, size="1000x333")) == [("dropped", "size")]
    options = {"stability": {"strength": 0.5}}
    assert said(await ask(service, SD3, size="1024x1024", images=[CAT], options=options)) == [("dropped", "size")]
    assert said(await ask(service, "stability/fast", "", size="1024x1024", images=[CAT])) == [("dropped", "size")]


async def test_s1_what_the_vendor_lacks_is_reported_and_what_changes_the_meaning_raises() -> None:
    service = StabilityService(KEY)
    settings: dict[str, Any] = {"quality": "high", "steps": 0, "background": "transparent", "guidance": 3.0}
    response = await ask(service, CORE, **settings, options={"stability": {"strength": 0.5, "creativity": 0}})
    assert sorted(said(response)) == [
        ("dropped", name) for name in sorted([*settings, "options.stability.strength", "options.stability.creativity"])
    ]
    for refused in ({"n": 2}, {"images": [CAT]}, {"mask": CAT}):
        with pytest.raises(UnsupportedParam, match=next(iter(refused))):
            await ask(service, CORE, **refused)
    with pytest.raises(UnsupportedParam, match="steps"):
        await ask(service, CORE, steps=3, unsupported="raise")
    assert len(service.forms) == 1


EDITS: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    ("erase", "", {"mask": CAT, "seed": 5}, {"mask": PNG, "seed": "5"}),
    ("inpaint", "a dog", {"mask": CAT, "negative_prompt": "cats", "options": {"grow_mask": 0}},
     {"prompt": "a dog", "mask": PNG, "negative_prompt": "cats", "grow_mask": "0"}),
    ("outpaint", "a field", {"options": {"left": 10, "up": 0, "creativity": 0.5}},
     {"prompt": "a field", "left": "10", "up": "0", "creativity": "0.5"}),
    ("search-and-replace", "a dog", {"options": {"search_prompt": "the cat"}},
     {"prompt": "a dog", "search_prompt": "the cat"}),
    ("search-and-recolor", "red", {"options": {"select_prompt": "the cat"}}, {"prompt": "red", "select_prompt": "the cat"}),
    ("remove-background", "", {"format": "webp"}, {"output_format": "webp"}),
    ("sketch", "a castle", {"options": {"control_strength": 0.7}}, {"prompt": "a castle", "control_strength": "0.7"}),
    ("style", "a castle", {"aspect": "2:3", "options": {"fidelity": 1}},
     {"prompt": "a castle", "aspect_ratio": "2:3", "fidelity": "1"}),
]  # fmt: skip


@pytest.mark.parametrize(("model", "prompt", "settings", "sent"), EDITS, ids=[edit[0] for edit in EDITS])
async def test_edits(model: str, prompt: str, settings: dict[str, Any], sent: dict[str, Any]) -> None:
    service = StabilityService(KEY)
    options = {"options": {"stability": settings["options"]}} if "options" in settings else {}
    response = await ask(service, f"stability/{model}", prompt, images=[CAT], **{**settings, **options})
    [(route, form)] = service.forms
    assert route.rpartition("/")[2] == model
    assert form == {"image": PNG, **sent}
    assert response.warnings == ()
    assert response.cost.amount is not None


async def test_two_pictures_have_their_places() -> None:
    service = StabilityService(KEY)
    look = Media(kind="image", data=PNG + b"2", filename="look.png")
    response = await ask(service, "stability/style-transfer", "", images=[CAT, look])
    assert service.forms == [("control/style-transfer", {"init_image": PNG, "style_image": PNG + b"2"})]
    assert response.warnings == ()
    with pytest.raises(UnsupportedParam, match="at most 2"):
        await ask(service, "stability/style-transfer", "", images=[CAT, CAT, CAT])


async def test_words_for_what_takes_none_are_reported() -> None:
    service = StabilityService(KEY)
    response = await ask(service, "stability/erase", "the dog", images=[CAT])
    assert (service.forms, said(response)) == ([("edit/erase", {"image": PNG})], [("dropped", "prompt")])


async def test_null_settings_are_not_sent() -> None:
    style = min(STYLES)
    service = StabilityService(KEY)
    response = await ask(service, CORE, style=style, seed=None, aspect=None, n=None, mask=None, images=None)
    assert service.forms == [("generate/core", {"prompt": "a cat", "style_preset": style})]
    assert response.warnings == ()
