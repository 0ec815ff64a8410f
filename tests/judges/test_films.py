"""The vendors' own SDKs at the doubles of their films: they read them, and ask in the same words as we do."""

from __future__ import annotations

from typing import Any

import pytest

from betterai.core.media import Media
from betterai.providers import load_provider
from doubles.films import FILM, OmniHouse, OpenAIHouse, RunwayHouse, VeoHouse
from shapes.filming import studio
from shapes.server import serve

PNG = b"\x89PNG"
PICTURE = Media(kind="image", mime_type="image/png", data=PNG, filename="a.png")


@pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")
@pytest.mark.parametrize("framed", [False, True], ids=["text", "picture"])
async def test_openais_sdk_asks_for_a_film_as_we_do(framed: bool) -> None:
    openai = pytest.importorskip("openai", reason="needs betterai[dev]")
    house = OpenAIHouse()
    more: dict[str, Any] = {"input_reference": ("a.png", PNG, "image/png")} if framed else {}
    async with serve(house) as url, openai.AsyncOpenAI(api_key="k", base_url=url, max_retries=0) as client:
        video = await client.videos.create(prompt="a cat", model="sora-2", seconds="4", size="1280x720", **more)
        looks = [await client.videos.retrieve(video.id) for _ in range(2)]
        content = await client.videos.download_content(video.id)
        assert (await client.videos.delete(video.id)).deleted
    assert [(look.status, look.progress) for look in looks] == [("in_progress", 50), ("completed", 100)]
    assert content.content == FILM
    async with studio(load_provider("openai"), "openai_videos") as ours:  # type: ignore[arg-type]
        frame = {"first_frame": PICTURE} if framed else {}
        await ours.film("sora-2", seconds=4, size="1280x720", **frame)
    assert ours.house.bodies == house.bodies
    assert [asked for asked in house.requests if "DELETE" not in asked] == ours.house.requests


@pytest.mark.filterwarnings("ignore:Inheritance class:DeprecationWarning")
async def test_googles_sdk_asks_for_a_film_as_we_do() -> None:
    genai = pytest.importorskip("google.genai", reason="needs betterai[dev]")
    from google.oauth2.credentials import Credentials

    types, house, model = genai.types, VeoHouse(), "veo-3.1-generate-001"
    picture = types.Image(image_bytes=PNG, mime_type="image/png")
    config = types.GenerateVideosConfig(
        number_of_videos=2, duration_seconds=8, fps=24, seed=7, aspect_ratio="16:9", resolution="1080p",
        negative_prompt="dogs", generate_audio=False, last_frame=picture,
        reference_images=[types.VideoGenerationReferenceImage(image=picture, reference_type="ASSET")],
    )  # fmt: skip
    async with serve(house) as url:
        client = genai.Client(
            vertexai=True, project="p", location="l", credentials=Credentials(token="t"),  # type: ignore[no-untyped-call]
            http_options=types.HttpOptions(base_url=url),
        )  # fmt: skip
        source = types.GenerateVideosSource(prompt="a cat", image=picture)
        operation = await client.aio.models.generate_videos(model=model, source=source, config=config)
        operation = await client.aio.operations.get(operation)
        assert not operation.done
        operation = await client.aio.operations.get(operation)
        await client.aio.aclose()
    [made] = operation.response.generated_videos
    assert made.video.video_bytes == FILM
    keys = {"access_token": "t"}
    async with studio(load_provider("vertex"), "vertex_veo", keys=keys) as ours:  # type: ignore[arg-type]
        await ours.film(
            model, seconds=8, n=2, fps=24, seed=7, aspect="16:9", resolution="1080p", negative_prompt="dogs",
            audio=False, first_frame=PICTURE, last_frame=PICTURE, images=[PICTURE],
        )  # fmt: skip
    [their_body], [our_body] = house.bodies, ours.house.bodies
    kinds = [item.pop("referenceType").lower() for body in (their_body, our_body)
             for item in body["instances"][0]["referenceImages"]]  # fmt: skip
    assert kinds == ["asset", "asset"]
    assert our_body == their_body
    assert ours.house.requests[0].rpartition("/")[2] == house.requests[0].rpartition("/")[2]


@pytest.mark.parametrize("framed", [False, True], ids=["text", "picture"])
async def test_runways_sdk_asks_for_a_film_as_we_do(framed: bool) -> None:
    runwayml = pytest.importorskip("runwayml", reason="needs betterai[dev]")
    house = RunwayHouse()
    asked: dict[str, Any] = {"model": "gen4.5", "prompt_text": "a cat", "ratio": "1280:720", "duration": 5, "seed": 7}
    async with serve(house) as url, runwayml.AsyncRunwayML(api_key="k", base_url=url, max_retries=0) as client:
        create = client.image_to_video.create if framed else client.text_to_video.create
        task = await create(**asked, **({"prompt_image": PICTURE.to_data_url()} if framed else {}))
        looks = [await client.tasks.retrieve(task.id) for _ in range(2)]
    assert [look.status for look in looks] == ["RUNNING", "SUCCEEDED"]
    async with studio(load_provider("runway"), "runway_tasks") as ours:  # type: ignore[arg-type]
        frame = {"first_frame": PICTURE} if framed else {}
        await ours.film("gen4.5", seconds=5, size="1280x720", seed=7, **frame)
    assert ours.house.bodies == house.bodies
    assert ours.house.requests[0] == house.requests[0]


async def test_googles_sdk_asks_for_an_interaction_as_we_do() -> None:
    genai = pytest.importorskip("google.genai", reason="needs betterai[dev]")
    house, model = OmniHouse(), "gemini-omni-1.1-flash"
    content = [
        {"type": "image", "data": "iVBORw==", "mime_type": "image/png"},
        {"type": "text", "text": "a cat"},
    ]
    told = {"type": "video", "aspect_ratio": "16:9", "resolution": "1080p", "duration": "8s", "delivery": "uri"}
    async with serve(house) as url:
        client = genai.Client(api_key="k", http_options=genai.types.HttpOptions(base_url=url, api_version="v1beta"))
        begun = await client.aio.interactions.create(
            model=model, input=content, background=True, response_format=told,
            generation_config={"video_config": {"task": "image_to_video"}},
        )  # fmt: skip
        assert (begun.id, begun.status) == ("v1_1", "in_progress")
        looks = [await client.aio.interactions.get(begun.id) for _ in range(2)]
        assert (await client.aio.interactions.cancel(begun.id)).status == "cancelled"
        await client.aio.aclose()
    assert [look.status for look in looks] == ["in_progress", "completed"]
    [film] = [
        item for step in looks[1].steps if step.type == "model_output" for item in step.content if item.type == "video"
    ]
    assert film.uri.endswith("/v1beta/files/f-1")
    assert looks[1].usage.total_output_tokens == 900
    async with studio(load_provider("google"), "gemini_interactions") as ours:  # type: ignore[arg-type]
        await ours.film(model, seconds=8, aspect="16:9", resolution="1080p", first_frame=PICTURE)
    assert ours.house.bodies == house.bodies
    assert ours.house.requests[:3] == house.requests[:3]
    assert [headers.get("Api-Revision") for headers in ours.house.headers[:3]] == ["2026-05-20"] * 3
    cancel = ours.codec.cancel({"id": begun.id})
    assert cancel is not None
    assert house.requests[3] == f"{cancel.method} {cancel.url}"
