"""`local/painter` and `local/flipbook`: real files of what was asked for, the same always; edits, progress, resuming."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

import betterai
from betterai.core.exceptions import ConfigurationError, ProviderError, UnsupportedParam, ValidationError
from betterai.core.media import Media
from providers.local.engines import need

PAINTER, FLIPBOOK = "local/painter", "local/flipbook"


def opened(media: Media) -> Any:
    from PIL import Image

    return Image.open(BytesIO(media.to_bytes()))


def picture(colour: tuple[int, ...], size: tuple[int, int] = (64, 48), mode: str = "RGB") -> Media:
    from PIL import Image

    file = BytesIO()
    Image.new(mode, size, colour).save(file, "PNG")
    return Media(kind="image", mime_type="image/png", data=file.getvalue())


async def test_size_format_and_number_are_exact_and_the_same_call_draws_the_same() -> None:
    need("painter")
    for format in ("png", "jpeg", "webp"):
        response = await betterai.generate_image(PAINTER, "A fox", size="97x61", format=format, n=2)
        first, second = response.images
        found = opened(first)
        assert (found.size, found.format, first.mime_type) == ((97, 61), format.upper(), f"image/{format}")
        assert first != second
        again = await betterai.generate_image(PAINTER, "A fox", size="97x61", format=format, n=2)
        assert again.images == response.images
    other = await betterai.generate_image(PAINTER, "A fox", size="97x61", format="webp", seed=1, n=2)
    assert set(other.images).isdisjoint(response.images)
    wide = await betterai.generate_image(PAINTER, "", aspect="16:9")
    assert opened(wide.images[0]).size == (1024, 576)
    small, large = [
        (await betterai.generate_image(PAINTER, "A fox", size="97x61", format="jpeg", compression=part)).images[0]
        for part in (10, 95)
    ]
    assert len(small.to_bytes()) < len(large.to_bytes())
    clear = await betterai.generate_image(PAINTER, "A fox", size="97x61", background="transparent")
    assert opened(clear.images[0]).getchannel("A").getextrema() == (0, 255)
    for wrong in ({"size": "9x9"}, {"size": "big"}, {"aspect": "0:1"}, {"n": 0}, {"background": "blue"}):
        with pytest.raises(ValidationError):
            await betterai.generate_image(PAINTER, "A fox", **wrong)  # type: ignore[arg-type]


async def test_a_picture_is_drawn_over_and_with_a_mask_only_where_it_is_transparent(tmp_path: Path) -> None:
    need("painter")
    from PIL import Image

    ground = picture((10, 200, 30))
    (tmp_path / "ground.png").write_bytes(ground.to_bytes())
    half = Image.new("RGBA", (64, 48), (0, 0, 0, 255))
    half.paste((0, 0, 0, 0), (32, 0, 64, 48))
    file = BytesIO()
    half.save(file, "PNG")
    mask = Media(kind="image", mime_type="image/png", data=file.getvalue())
    source = Media(kind="image", path=str(tmp_path / "ground.png"))
    edited = opened((await betterai.generate_image(PAINTER, "A fox", images=[source], mask=mask)).images[0])
    assert edited.size == (64, 48), "the size of what is edited"
    assert edited.convert("RGB").crop((0, 0, 32, 48)).getcolors() == [(32 * 48, (10, 200, 30))]
    assert len(edited.convert("RGB").crop((32, 0, 64, 48)).getcolors(4096)) > 5
    over = opened((await betterai.generate_image(PAINTER, "A fox", images=[ground])).images[0]).convert("RGB")
    colours = {colour: count for count, colour in over.getcolors(4096)}
    assert colours[10, 200, 30] > 64 * 48 / 4
    assert len(colours) > 5
    for wrong, said in (
        ({"mask": mask}, "no picture"), ({"images": [ground], "mask": ground}, "no transparency"),
        ({"images": [ground, ground]}, "one picture"),
        ({"images": [Media(kind="image", data=b"GIF8 no picture")]}, "this is no picture, or of a kind that is not read here$"),
        ({"images": [Media(kind="image", path=str(tmp_path / "none.png"))]}, "none.png"),
    ):  # fmt: skip
        with pytest.raises(ValidationError, match=said):
            await betterai.generate_image(PAINTER, "A fox", **wrong)  # type: ignore[arg-type]


async def test_unfinished_pictures_come_first() -> None:
    need("painter")
    pieces = [piece async for piece in betterai.stream_image(PAINTER, "A fox", size="64x48", partial_images=2, n=2)]
    assert [(piece.index, piece.final) for piece in pieces] == [(0, False), (1, False), (0, True), (1, True)]
    assert len({piece.image for piece in pieces}) == 4
    assert pieces[-1].response is not None
    assert pieces[-1].response.images == tuple(piece.image for piece in pieces[2:])


async def test_a_film_has_its_frames_and_tells_how_far_it_is(tmp_path: Path) -> None:
    need("flipbook")
    first = picture((200, 0, 0), (80, 60))
    store = betterai.JobStore(tmp_path / "jobs.sqlite")
    job = await betterai.start_video(
        FLIPBOOK, "A fox", seconds=1, fps=10, size="81x45", first_frame=first, store=store, seed=3, audio=True
    )
    assert job.status == "running"
    told: list[float] = []
    response = await job.wait(on_progress=told.append)
    [film] = response.videos
    found = opened(film)
    assert (film.kind, film.mime_type, found.size, found.n_frames) == ("video", "image/webp", (81, 45), 10)
    assert found.convert("RGB").getpixel((40, 20))[0] > 180, "it begins with its first frame"
    assert [warning.field for warning in response.warnings] == ["audio"]
    assert told == sorted(told)
    assert response.usage is not None
    assert response.usage.units == {"second": 1.0}
    again: betterai.Job[Any] = betterai.Job.resume(job.id, store=store)
    assert (await again.wait()).videos == response.videos, "another process draws the same"
    with pytest.raises(ValidationError, match="store does not know"):
        betterai.Job.resume(job.handle, store=None)
    stopped = await betterai.start_video(FLIPBOOK, "A fox", seconds=20, size="1280x720", store=store)
    await stopped.cancel()
    with pytest.raises(ProviderError, match="cancelled"):
        await stopped.wait()


async def test_an_mp4_is_read_by_what_others_read_it_with() -> None:
    need("mp4")
    import av

    film = await betterai.generate_video(FLIPBOOK, "A fox", seconds=0.5, fps=8, aspect="1:1", store=None)
    with av.open(BytesIO(film.videos[0].to_bytes())) as file:
        frames = [frame.to_image().size for frame in file.decode(video=0)]
        assert file.streams.video[0].average_rate == 8
    assert (film.videos[0].mime_type, frames) == ("video/mp4", [(640, 640)] * 4)
    with pytest.raises(ValidationError, match="even"):
        await betterai.generate_video(FLIPBOOK, "A", size="81x45", store=None, options={"local": {"format": "mp4"}})
    with pytest.raises(UnsupportedParam, match="video"):
        await betterai.generate_video(FLIPBOOK, "A", video=film.videos[0], store=None)
    with pytest.raises(ConfigurationError, match="starts no jobs"):
        await betterai.start_image(PAINTER, "A fox", store=None)
