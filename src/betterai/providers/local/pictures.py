"""`local/painter`: pictures drawn by rule, in this process. A double of an image model: it understands nothing."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Mapping
from io import BytesIO
from typing import Any, NamedTuple

from betterai.core.base import BaseImageProvider
from betterai.core.exceptions import UnsupportedParam, ValidationError
from betterai.core.media import Media
from betterai.core.response import CallWarning
from betterai.core.results import ImageChunk, ImageResponse
from betterai.core.settings import ImageSettings
from betterai.core.usage import Usage
from betterai.providers.local.files import read_bytes
from betterai.providers.local.models import find_model, state
from betterai.providers.local.painting import Scene, load_pillow
from betterai.providers.local.threads import in_thread
from betterai.providers.local.unsupported import NO_REQUEST, drop, list_dropped, refuse_options

Size = tuple[int, int]
LONG_SIDE = 1024
SMALLEST, LARGEST = 16, 4096
MOST = 10
FORMATS = {"png": "png", "jpeg": "jpeg", "jpg": "jpeg", "webp": "webp"}
DROPPED: Mapping[str, str] = {
    **NO_REQUEST,
    "quality": "it draws in one quality",
    "style": "it draws in one style",
    "steps": "nothing is diffused",
    "guidance": "nothing is diffused",
    "negative_prompt": "it does not understand what it draws",
    "moderation": "there is no moderation",
    "user": "nothing is recorded",
}


class LocalImageProvider(BaseImageProvider):
    """Draws with Pillow: the same picture for the same prompt, `seed` and size, here and everywhere."""

    def __init__(self, api_key: str = "") -> None:
        pass

    async def generate(self, prompt: str, model: str = "", settings: ImageSettings | None = None) -> ImageResponse:
        """`images=[one]` is drawn over; with a `mask`, only where that is transparent."""
        order = await in_thread(_read_order, prompt, settings or ImageSettings())
        images = [await in_thread(_draw, order, index, 1.0) for index in range(order.pictures)]
        return _respond(images, order, model)

    async def generate_stream(
        self, prompt: str, model: str = "", settings: ImageSettings | None = None
    ) -> AsyncGenerator[ImageChunk, None]:
        """Before the finished pictures, `partial_images` of the first with a part of what is on it."""
        settings = settings or ImageSettings()
        order = await in_thread(_read_order, prompt, settings)
        stages = settings.partial_images or 0
        for stage in range(stages):
            yield ImageChunk(image=await in_thread(_draw, order, 0, (stage + 1) / (stages + 1)), index=stage)
        images: list[Media] = []
        for index in range(order.pictures):
            images.append(await in_thread(_draw, order, index, 1.0))
            response = _respond(images, order, model) if len(images) == order.pictures else None
            yield ImageChunk(image=images[-1], index=index, final=True, response=response)


class _Order(NamedTuple):
    """What is to be drawn. `ground` is a picture to draw over, `kept` says by its brightness what of it stays."""

    prompt: str
    size: Size
    pictures: int
    seed: int
    format: str
    quality: int
    clear: bool
    ground: Any
    kept: Any
    warnings: tuple[CallWarning, ...]


def _respond(images: list[Media], order: _Order, model: str) -> ImageResponse:
    found = find_model(model or "painter", "image")
    usage = Usage(units={"image": order.pictures})
    return ImageResponse(images=tuple(images), warnings=order.warnings, **state(found, usage))


def _read_order(prompt: str, settings: ImageSettings) -> _Order:
    given = settings.given()
    format = FORMATS.get((given.get("format") or "png").lower())
    if format is None:
        raise UnsupportedParam(f"format: it draws png, jpeg and webp, not {given['format']!r}", param="format")
    count = 1 if given.get("n") is None else given["n"]
    if not 1 <= count <= MOST:
        raise ValidationError(f"n must be 1 to {MOST}, not {count}")
    if not 0 <= (given.get("partial_images") or 0) <= MOST:
        raise ValidationError(f"partial_images must be 0 to {MOST}, not {given['partial_images']}")
    clear = _is_clear(given.get("background"), format)
    refuse_options(given.get("options"))
    warnings = list_dropped(settings, DROPPED)
    quality = given.get("compression")
    if quality is not None and format == "png":
        warnings += (drop("compression", "PNG loses nothing"),)
    elif quality is not None and not 0 <= quality <= 100:
        raise ValidationError(f"compression must be 0 to 100, not {quality}")
    if given.get("size") and given.get("aspect"):
        warnings += (drop("aspect", "the size says it"),)
    ground = _read_ground(given.get("images"))
    size = read_size(given.get("size"), given.get("aspect"), LONG_SIDE, ground.size if ground else None)
    return _Order(
        prompt=prompt,
        size=size,
        pictures=count,
        seed=given.get("seed") or 0,
        format=format,
        quality=90 if quality is None else quality,
        clear=clear,
        ground=ground and _fit(ground, size).convert("RGBA"),
        kept=_read_mask(given.get("mask"), ground, size),
        warnings=warnings,
    )


def _is_clear(background: str | None, format: str) -> bool:
    if background not in (None, "auto", "opaque", "transparent"):
        raise ValidationError(f"there is no background {background!r}", hint="auto, opaque, transparent")
    if background == "transparent" and format == "jpeg":
        raise UnsupportedParam("background: JPEG has no transparency", hint="png or webp", param="background")
    return background == "transparent"


def read_size(size: str | None, aspect: str | None, long_side: int, default: Size | None = None) -> Size:
    """The size in pixels: as it is given, else by its aspect. Raises `ValidationError`."""
    if size:
        match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", size)
        if match is None:
            raise ValidationError(f"{size!r} is no size", hint="write WIDTHxHEIGHT in pixels, such as 1024x768")
        width, height = int(match[1]), int(match[2])
    elif aspect:
        match = re.fullmatch(r"([1-9]\d{0,3}):([1-9]\d{0,3})", aspect)
        if match is None:
            raise ValidationError(f"{aspect!r} is no aspect", hint="write WIDTH:HEIGHT, such as 16:9")
        across, down = int(match[1]), int(match[2])
        longer = max(across, down)
        width, height = round(long_side * across / longer), round(long_side * down / longer)
    else:
        width, height = default or (long_side, long_side)
    if not all(SMALLEST <= side <= LARGEST for side in (width, height)):
        raise ValidationError(f"each side must have {SMALLEST} to {LARGEST} pixels, not {width}x{height}")
    return width, height


def _read_ground(images: Any) -> Any:
    if images and len(images) > 1:
        raise UnsupportedParam("images: one picture is drawn over at a time", param="images")
    return open_picture(images[0]) if images else None


def open_picture(media: Media) -> Any:
    """A Pillow picture, its pixels read. Raises `ValidationError` for what is none."""
    pillow = load_pillow("Image")
    try:
        picture = pillow.open(BytesIO(read_bytes(media)))
        picture.load()
    except pillow.UnidentifiedImageError as error:
        raise ValidationError("this is no picture, or of a kind that is not read here", provider="local") from error
    except (OSError, SyntaxError, ValueError, pillow.DecompressionBombError) as error:
        raise ValidationError(f"this picture cannot be read: {error}", provider="local") from error
    return picture


def _fit(picture: Any, size: Size) -> Any:
    return picture if picture.size == size else load_pillow("ImageOps").fit(picture, size)


def _read_mask(mask: Media | None, ground: Any, size: Size) -> Any:
    """How much of the ground is kept at each place: all of it where the mask is opaque."""
    if mask is None:
        return None
    if ground is None:
        raise UnsupportedParam("mask: there is no picture to edit", hint="pass images=[…]", param="mask")
    picture = open_picture(mask)
    if "A" not in picture.getbands() and "transparency" not in picture.info:
        raise ValidationError("mask: it has no transparency, which says where to draw", hint="a PNG with alpha")
    return _fit(picture.convert("RGBA").getchannel("A"), size)


def _draw(order: _Order, index: int, share: float) -> Media:
    scene = Scene(order.prompt, order.seed, index)
    over = order.ground is not None and order.kept is None
    picture = scene.paint(order.size, share=share, clear=order.clear or over)
    if order.ground is not None:
        pillow = load_pillow("Image")
        if order.kept is None:
            picture = pillow.alpha_composite(order.ground, picture)
        else:
            picture = pillow.composite(order.ground, picture.convert("RGBA"), order.kept)
    return encode(picture, order.format, order.quality)


def encode(picture: Any, format: str, quality: int) -> Media:
    if format == "jpeg":
        picture = picture.convert("RGB")
    file = BytesIO()
    picture.save(file, format.upper(), **({} if format == "png" else {"quality": quality}))
    return Media(kind="image", mime_type=f"image/{format}", data=file.getvalue())
