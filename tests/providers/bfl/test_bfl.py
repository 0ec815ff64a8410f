"""FLUX pictures: what is sent, looked at, fetched and paid; over a double after the facts sheet."""

from __future__ import annotations

from base64 import b64encode
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import betterai
from betterai import CoreConfig, Job, JobStore, Media
from betterai.core.exceptions import (
    AuthenticationError,
    BadRequestError,
    ContentFilterError,
    JobInDoubt,
    PermissionDeniedError,
    ProviderError,
    QuotaExceededError,
    RateLimitError,
    UnsupportedParam,
    ValidationError,
)
from betterai.core.model import ModelConfig
from betterai.core.settings import ImageSettings
from betterai.core.wire import Call, Checkpoint, Wait, WireRequest, WireResponse
from betterai.providers.bfl import HOSTS, PROVIDER
from betterai.providers.bfl.images import FluxImages
from betterai.runtime.attempts import Clock
from betterai.runtime.categories import CodecImageProvider
from betterai.transport.egress import any_socket
from betterai.transport.http import HTTPTransport
from doubles.bfl import PNG, FluxService
from doubles.servers import web_server

KEY = "bfl-canary-31c7"
CAT = Media(kind="image", data=PNG)
CODE = b64encode(PNG).decode()


async def ask(
    service: FluxService,
    model: str = "flux-2-pro",
    prompt: str = "a cat",
    waits: list[Wait] | None = None,
    **given: Any,
) -> Any:
    async def sleep(seconds: float) -> None:
        if waits is not None:
            waits.append(Wait(seconds=seconds))

    config = {"api_key": given.pop("api_key", KEY), "retries": 0, "unsupported": given.pop("unsupported", None)}
    async with web_server(service.handle) as url:
        known = PROVIDER.models().get(model) or ModelConfig(id=model, provider="bfl", category="image")
        given_config = CoreConfig(
            base_url=f"{url}/v1", **{key: value for key, value in config.items() if value is not None}
        )
        runner = CodecImageProvider(
            PROVIDER,
            FluxImages(),
            given_config,
            known,
            transport=given.pop("transport", None),
            clock=Clock(sleep=sleep),
        )
        return await runner.generate(prompt, model, ImageSettings(**given))


def said(response: Any) -> list[tuple[str, str]]:
    return [(warning.code, warning.field) for warning in response.warnings]


async def test_submit_look_fetch() -> None:
    service, waits = FluxService(KEY, "Pending", "Generating", "Ready"), []
    service.prompt = "a small cat"
    response = await ask(service, waits=waits, seed=0, size="1024x768", format="jpg", n=1)
    [picture] = response.images
    assert (picture.to_bytes(), picture.mime_type) == (PNG, "image/png")
    assert service.bodies == [
        ("flux-2-pro", {"prompt": "a cat", "seed": 0, "width": 1024, "height": 768, "output_format": "jpeg"}),
    ]  # fmt: skip
    assert service.looks == [{"id": "j-1", "part": "2"}] * 3
    assert len(waits) == 3
    assert all(0.5 <= wait.seconds <= 1.2 for wait in waits)
    assert (response.raw["result"]["seed"], response.revised_prompt) == (17, "a small cat")
    assert (response.warnings, response.model, response.provider) == ((), "flux-2-pro", "bfl")


async def test_its_credits_are_the_cost_and_the_last_word_on_them_holds() -> None:
    service = FluxService(KEY)
    assert (await ask(service)).cost.amount == Decimal("0.04")
    service.looked = {"cost": 7.5}
    response = await ask(service)
    assert (response.cost.amount, response.cost.status) == (Decimal("0.075"), "exact")
    service = FluxService(KEY)
    service.submitted = {}
    assert (await ask(service, "flux-pro-1.1")).cost.amount == Decimal("0.04")
    assert (await ask(service, "flux-2-max")).cost.status == "unknown"


async def test_the_other_name_of_the_status_and_other_letters() -> None:
    assert (await ask(FluxService(KEY, "Processing", "Ready", word="state"))).images


@pytest.mark.parametrize("status", ["Request Moderated", "Content Moderated"])
async def test_what_is_moderated_is_an_error_and_the_end(status: str) -> None:
    service = FluxService(KEY, "Pending", status)
    service.details = "Safety filter"
    with pytest.raises(ContentFilterError, match="Safety filter") as caught:
        await ask(service)
    assert (caught.value.code, caught.value.retryable, len(service.looks)) == (status, False, 2)


@pytest.mark.parametrize("status", ["Error", "Failed", "Task not found"])
async def test_what_failed_is_an_error_and_the_end(status: str) -> None:
    service = FluxService(KEY, status)
    service.details = {"why": "no reason"}
    with pytest.raises(ProviderError, match="no reason") as caught:
        await ask(service)
    assert (caught.value.code, type(caught.value)) == (status, ProviderError)


async def test_the_address_of_a_result_ends() -> None:
    service = FluxService(KEY)
    service.stored = (403, b"<Error><Code>AuthenticationFailed</Code></Error>")
    with pytest.raises(ProviderError, match="ten minutes") as caught:
        await ask(service)
    assert not isinstance(caught.value, PermissionDeniedError)
    service.stored = (200, b"")
    with pytest.raises(ProviderError):
        await ask(service)


@pytest.mark.parametrize(
    ("status", "detail", "kind"),
    [
        (400, "bad", BadRequestError), (402, "Insufficient credits", QuotaExceededError), (403, "Forbidden", PermissionDeniedError),
        (429, "Too many active tasks", RateLimitError), (500, "oops", ProviderError),
        (422, [{"loc": ["body", "seed"], "msg": "not a number", "type": "int"}], BadRequestError),
    ],
)  # fmt: skip
async def test_errors(status: int, detail: Any, kind: type[ProviderError]) -> None:
    service = FluxService(KEY)
    service.refusal = (status, detail)
    with pytest.raises(kind) as caught:
        await ask(service)
    assert caught.value.status == status
    assert caught.value.provider_message == (detail if isinstance(detail, str) else "body.seed: not a number")
    assert service.looks == []


async def test_a_wrong_key_is_told_as_one() -> None:
    with pytest.raises(AuthenticationError):
        await ask(FluxService(KEY), api_key="another")


# ── bodies ──


async def test_pictures_are_references_as_base64_or_by_their_url() -> None:
    service, far = FluxService(KEY), Media(kind="image", url="https://img.example/dog.png")
    await ask(service, images=[CAT, far, CAT])
    assert service.bodies[0][1] == {
        "prompt": "a cat", "input_image": CODE, "input_image_2": "https://img.example/dog.png", "input_image_3": CODE,
    }  # fmt: skip
    await ask(service, "flux-pro-1.1-ultra", images=[CAT], options={"bfl": {"image_prompt_strength": 0, "raw": True}})
    assert service.bodies[1][1] == {"prompt": "a cat", "image_prompt": CODE, "image_prompt_strength": 0, "raw": True}
    await ask(service, "flux-pro-1.0-fill", images=[CAT], mask=CAT, steps=20, guidance=1.5)
    assert service.bodies[2][1] == {"prompt": "a cat", "image": CODE, "mask": CODE, "steps": 20, "guidance": 1.5}
    await ask(service, "flux-pro-1.0-expand", images=[CAT], options={"bfl": {"top": 64, "left": 0}})
    assert service.bodies[3][1] == {"prompt": "a cat", "image": CODE, "top": 64, "left": 0}
    with pytest.raises(UnsupportedParam, match="at most 1"):
        await ask(service, "flux-pro-1.1", images=[CAT, CAT])


async def test_a_size_becomes_an_aspect_and_an_aspect_a_size_by_what_the_model_takes() -> None:
    service = FluxService(KEY)
    response = await ask(service, "flux-2-pro", aspect="16:9")
    assert (service.bodies[0][1]["width"], service.bodies[0][1]["height"]) == (1376, 768)
    assert said(response) == [("translated", "aspect")]
    response = await ask(service, "flux-kontext-pro", size="1536x1024")
    assert (service.bodies[1][1]["aspect_ratio"], said(response)) == ("3:2", [("translated", "size")])
    assert (await ask(service, "flux-kontext-pro", aspect="21:9")).warnings == ()
    assert said(await ask(service, "flux-2-pro", aspect="16:9", size="64x64")) == [("dropped", "aspect")]
    assert said(await ask(service, "flux-2-pro", aspect="wide")) == [("dropped", "aspect")]
    assert said(await ask(service, "flux-2-pro", size="large")) == [("dropped", "size")]
    assert said(await ask(service, "flux-pro-1.0-fill", images=[CAT], size="512x512")) == [("dropped", "size")]
    assert said(await ask(service, "flux-pro-1.0-fill", images=[CAT], aspect="1:1")) == [("dropped", "aspect")]


async def test_s1_what_the_model_lacks_is_reported_and_what_changes_the_meaning_raises() -> None:
    service = FluxService(KEY)
    settings: dict[str, Any] = {
        "quality": "high", "style": "anime", "negative_prompt": "dogs", "steps": 0, "guidance": 2.5, "user": "u",
    }  # fmt: skip
    response = await ask(service, "flux-2-pro", **settings, options={"bfl": {"raw": True, "safety_tolerance": 0}})
    assert service.bodies == [("flux-2-pro", {"prompt": "a cat", "safety_tolerance": 0})]
    assert sorted(said(response)) == [("dropped", name) for name in sorted([*settings, "options.bfl.raw"])]
    for refused in ({"n": 2}, {"mask": CAT}):
        with pytest.raises(UnsupportedParam, match=next(iter(refused))):
            await ask(service, **refused)
    with pytest.raises(UnsupportedParam, match="steps"):
        await ask(service, steps=3, unsupported="raise")
    assert len(service.bodies) == 1


async def test_extra_body_goes_on_top_also_in_a_job() -> None:
    service = FluxService(KEY)
    await ask(service, "flux-9", seed=1, extra_body={"seed": 2, "unheard_of": {"a": 1}})
    assert service.bodies == [("flux-9", {"prompt": "a cat", "seed": 2, "unheard_of": {"a": 1}})]


# ── jobs ──


def begin(polling_url: Any, **settings: Any) -> tuple[Any, Any]:
    """A job that was taken: its steps, and the state that is stored."""
    model = ModelConfig(id="flux-2-pro", provider="bfl", category="image")
    call: Any = Call(
        model=model, input="a cat", settings=ImageSettings(**settings), id="c-1",
        provider_settings={"base_url": "https://api.bfl.ai/v1"},
    )  # fmt: skip
    job = FluxImages().run(call)
    assert next(job) == Checkpoint(state={"call": "c-1"})
    submit = next(job)
    assert isinstance(submit, WireRequest)
    assert (submit.method, submit.url, submit.safe_to_repeat) == ("POST", "/flux-2-pro", False)
    kept = job.send(WireResponse(status=200, body=b'{"id":"j-1","polling_url":%s}' % polling_url))
    assert isinstance(kept, Checkpoint)
    assert isinstance(next(job), Wait)
    return job, kept.state


def test_a_job_is_looked_at_in_the_region_that_has_it() -> None:
    job, state = begin(b'"https://api.us1.bfl.ai/v1/get_result"')
    assert state == {"call": "c-1", "id": "j-1", "host": "api.us1.bfl.ai", "path": "/v1/get_result"}
    look = next(job)
    assert (look.url, look.query, look.trust) == ("https://api.us1.bfl.ai/v1/get_result", {"id": "j-1"}, "provider")
    ready = b'{"status":"Ready","result":{"sample":"https://delivery-us1.bfl.ai/a.png?se=1"}}'
    fetch = job.send(WireResponse(status=200, body=ready))
    assert (fetch.url, fetch.trust) == ("https://delivery-us1.bfl.ai/a.png?se=1", "foreign")
    assert fetch.headers == {}
    assert "api.us1.bfl.ai" in HOSTS


def test_without_an_address_to_look_at_its_own_is_taken() -> None:
    job, state = begin(b"null")
    assert state == {"call": "c-1", "id": "j-1"}
    assert next(job).url == "https://api.bfl.ai/v1/get_result"


@pytest.mark.parametrize("url", [b'"http://api.us1.bfl.ai/v1/get_result"', b'"/v1/get_result"', b'"https://[x"'])
def test_an_address_to_look_at_that_is_none_is_refused(url: bytes) -> None:
    with pytest.raises(ProviderError, match="address"):
        begin(url)


async def test_x5_the_key_goes_to_no_host_of_anybody_else() -> None:
    service = FluxService(KEY)
    service.submitted = {"polling_url": "https://127.0.0.1:9/v1/get_result"}
    with pytest.raises(ValidationError, match="no key is sent there"):
        await ask(service)


async def test_x5_results_are_fetched_elsewhere_without_the_key_and_from_public_addresses_only() -> None:
    service = FluxService(KEY)
    async with web_server(service.handle) as service.delivery:
        transport = HTTPTransport(guard=any_socket)
        response = await ask(service, transport=lambda: transport)
        await transport.aclose()
        assert [image.to_bytes() for image in response.images] == [PNG]
        assert service.fetched == [None]
        with pytest.raises(ValidationError, match="public"):
            await ask(service)
    assert service.fetched == [None]


async def test_a_job_goes_on_by_its_handle(tmp_path: Path) -> None:
    service, store = FluxService(KEY), JobStore(tmp_path / "jobs.sqlite")
    async with web_server(service.handle) as url:
        config = CoreConfig(base_url=f"{url}/v1", api_key=KEY)
        begun = await betterai.start_image("bfl/flux-2-pro", "a cat", config=config, store=store)
        assert (begun.status, service.looks) == ("running", [])
        again: Job[Any] = Job.resume(begun.handle, config=config, store=store)
        response = await again.wait()
    assert [image.to_bytes() for image in response.images] == [PNG]
    assert (len(service.bodies), len(service.looks)) == (1, 1)
    assert response.cost.amount == Decimal("0.04")


async def test_a_submit_that_may_have_been_taken_is_never_repeated() -> None:
    service = FluxService(KEY)
    async with web_server(service.handle) as url:
        provider = betterai.get_image_provider(CoreConfig(model="bfl/flux-2-pro", base_url=f"{url}/v1", api_key=KEY))
        assert isinstance(provider, CodecImageProvider)
        plan = await provider.plan("a cat", "", ImageSettings())
        with pytest.raises(JobInDoubt):
            await provider.open_job(plan, {"call": "c-1"}).run()
    assert service.bodies == []
