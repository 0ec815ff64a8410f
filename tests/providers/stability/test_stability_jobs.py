"""Stability's jobs: what takes minutes is submitted, looked at every ten seconds, and fetched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import betterai
from betterai import CoreConfig, Job, JobStore, Media
from betterai.core.exceptions import ContentFilterError, JobInDoubt, ProviderError
from betterai.core.model import ModelConfig
from betterai.core.settings import ImageSettings
from betterai.core.wire import Call, Checkpoint, Multipart, Wait, WireRequest, WireResponse
from betterai.providers.stability import PROVIDER
from betterai.providers.stability.jobs import StabilityJobs
from betterai.runtime.attempts import Clock
from betterai.runtime.categories import CodecImageProvider
from doubles.servers import web_server
from doubles.stability import PNG, StabilityService, failure

KEY = "sk-canary-77a1"
CAT = Media(kind="image", data=PNG, filename="cat.png")
CREATIVE, RELIGHT = "creative", "replace-background-and-relight"


async def ask(service: StabilityService, model: str, prompt: str, waits: list[float], **settings: Any) -> Any:
    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    async with web_server(service.handle) as url:
        runner = CodecImageProvider(
            PROVIDER, StabilityJobs(), CoreConfig(base_url=url, api_key=KEY, retries=0), PROVIDER.models()[model],
            clock=Clock(sleep=sleep),
        )  # fmt: skip
        return await runner.generate(prompt, "", ImageSettings(images=[CAT], **settings))


async def test_a_picture_is_enlarged_with_ten_seconds_between_looks() -> None:
    service, waits = StabilityService(KEY, looks=2), []
    response = await ask(service, CREATIVE, "a cat", waits, seed=3, extra_body={"creativity": 0.3})
    assert service.forms == [
        ("upscale/creative", {"image": PNG, "prompt": "a cat", "seed": "3", "creativity": "0.3"}),
    ]  # fmt: skip
    assert [image.to_bytes() for image in response.images] == [PNG]
    assert len(service.seen) == 3
    assert len(waits) == 3
    assert min(waits) >= 10
    assert (response.cost.status, response.headers["seed"]) == ("exact", "17")


async def test_three_pictures_have_their_places_and_the_status_202_is_no_sign() -> None:
    service = StabilityService(KEY)
    background = Media(kind="image", data=PNG + b"2", filename="field.png")
    async with web_server(service.handle) as url:
        options = {"light_source_direction": "left", "background_prompt": "a field"}
        job = await betterai.start_image(
            f"stability/{RELIGHT}", "", config=CoreConfig(base_url=url, api_key=KEY), images=[CAT, background],
            options={"stability": options}, store=None,
        )  # fmt: skip
    assert job.status == "running"
    assert service.forms == [
        (f"edit/{RELIGHT}", {"subject_image": PNG, "background_reference": PNG + b"2", **options}),
    ]  # fmt: skip
    assert service.seen == []


async def test_the_filter_judges_what_is_fetched_too() -> None:
    service = StabilityService(KEY)
    service.filters = True
    for headers in ({}, {"Accept": "application/json"}):
        with pytest.raises(ContentFilterError):
            await ask(service, CREATIVE, "a cat", [], extra_headers=headers)


async def test_a_result_of_yesterday_is_told_as_one() -> None:
    service = StabilityService(KEY)
    service.expired = True
    with pytest.raises(ProviderError, match="24 hours") as caught:
        await ask(service, CREATIVE, "a cat", [])
    assert (caught.value.status, caught.value.code) == (404, "not_found")


async def test_a_submit_that_is_refused_is_not_tried_as_a_job() -> None:
    service = StabilityService(KEY)
    service.fails = failure(403, "flagged")
    with pytest.raises(ContentFilterError, match="flagged"):
        await ask(service, CREATIVE, "a cat", [])
    assert service.seen == []


async def test_a_job_goes_on_by_its_handle(tmp_path: Path) -> None:
    service, store = StabilityService(KEY, looks=0), JobStore(tmp_path / "jobs.sqlite")
    async with web_server(service.handle) as url:
        config = CoreConfig(base_url=url, api_key=KEY)
        begun = await betterai.start_image(f"stability/{CREATIVE}", "a cat", config=config, images=[CAT], store=store)
        assert service.seen == []
        again: Job[Any] = Job.resume(begun.handle, config=config, store=store)
        response = await again.wait()
    assert [image.to_bytes() for image in response.images] == [PNG]
    assert (len(service.forms), len(service.seen)) == (1, 1)


def test_the_steps_of_a_job() -> None:
    model = ModelConfig(id=CREATIVE, provider="stability", category="image")
    call: Any = Call(model=model, input="a cat", settings=ImageSettings(images=[CAT]), id="c-1")
    job = StabilityJobs().run(call)
    assert next(job) == Checkpoint(state={"call": "c-1"})
    submit = next(job)
    assert isinstance(submit, WireRequest)
    assert isinstance(submit.body, Multipart)
    assert not submit.safe_to_repeat
    assert job.send(WireResponse(status=200, body=b'{"id": "j-1"}')) == Checkpoint(state={"call": "c-1", "id": "j-1"})
    assert next(job) == Wait(seconds=10)
    look = next(job)
    assert isinstance(look, WireRequest)
    assert (look.method, look.url, look.safe_to_repeat) == ("GET", "/v2beta/results/j-1", True)
    assert StabilityJobs().cancel({"id": "j-1"}) is None


async def test_a_submit_that_may_have_been_taken_is_never_repeated() -> None:
    service = StabilityService(KEY)
    async with web_server(service.handle) as url:
        config = CoreConfig(model=f"stability/{CREATIVE}", base_url=url, api_key=KEY)
        provider: Any = betterai.get_image_provider(config)
        plan = await provider.plan("a cat", "", ImageSettings(images=[CAT]))
        with pytest.raises(JobInDoubt):
            await provider.open_job(plan, {"call": "c-1"}).run()
    assert service.forms == []
