"""`local/flipbook`: the painter's pictures in motion, drawn as a job. A double of a video model."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from io import BytesIO
from threading import Event
from typing import Any, ClassVar, NamedTuple

from betterai.core.codec import VideoCall
from betterai.core.exceptions import ProviderError, UnsupportedParam, ValidationError
from betterai.core.media import Media
from betterai.core.response import CallWarning
from betterai.core.results import VideoResponse
from betterai.core.settings import VideoSettings
from betterai.core.usage import Usage
from betterai.core.wire import Checkpoint, Wait, WireRequest, WireResponse
from betterai.providers.local.extras import load_extra
from betterai.providers.local.models import find_model, state
from betterai.providers.local.painting import Scene, load_pillow
from betterai.providers.local.pictures import Size, open_picture, read_size
from betterai.providers.local.unsupported import NO_REQUEST, drop, list_dropped

SECONDS, FPS, LONG_SIDE = 2.0, 12, 640
MOST_PIXELS = 1 << 28
"""In all frames together: they are kept until the film is written."""
LOOK = 0.05
"""Seconds between two looks at how far the drawing is."""
BLEND = 0.25
"""The part of a film in which it comes out of its first frame, and goes into its last one."""
RESOLUTIONS = {"360p": 640, "480p": 854, "540p": 960, "720p": 1280, "1080p": 1920}
"""The long side of films of 16:9."""
DROPPED: Mapping[str, str] = {**NO_REQUEST, "negative_prompt": "it does not understand what it draws"}


class _Plan(NamedTuple):
    prompt: str
    size: Size
    frames: int
    fps: int
    seed: int
    format: str
    first: Any
    last: Any
    warnings: tuple[CallWarning, ...]


class FlipbookSteps:
    """A job without requests: a thread draws, and the waits tell how far it is. There is no checkpoint: who goes on
    with the job in another process draws it again, the same.
    """

    protocol = "local"
    accepts: ClassVar[Mapping[str, frozenset[str]]] = {"image": frozenset({"bytes"})}

    def run(
        self, call: VideoCall, state: Mapping[str, Any] | None = None
    ) -> Generator[WireRequest | Wait | Checkpoint, WireResponse | None, VideoResponse]:
        plan = _read_plan(call.input, call.settings)
        model = find_model(call.model.id, "video")
        yield Wait(seconds=0.0, progress=0.0)
        stopped, drawn = Event(), [0]
        worker = ThreadPoolExecutor(1, thread_name_prefix="betterai-flipbook")
        film = worker.submit(_draw_film, plan, drawn, stopped.is_set)
        worker.shutdown(wait=False)
        try:
            while not film.done():
                yield Wait(seconds=LOOK, progress=round(0.95 * drawn[0] / plan.frames, 2))
        finally:
            stopped.set()
        return _respond(film.result(), plan, model)

    def parse_error(self, reply: WireResponse) -> ProviderError:
        return ProviderError("nothing was asked of anybody", status=reply.status)

    def cancel(self, state: Mapping[str, Any]) -> WireRequest | None:
        return None


def _respond(film: Media, plan: _Plan, model: Any) -> VideoResponse:
    usage = Usage(units={"second": plan.frames / plan.fps})
    return VideoResponse(videos=(film,), warnings=plan.warnings, **state(model, usage))


def _read_plan(prompt: str, settings: VideoSettings) -> _Plan:
    given = settings.given()
    for name, why in (("images", "only its first and last frame are given"), ("video", "it does not read films")):
        if given.get(name):
            raise UnsupportedParam(f"{name}: {why}", param=name)
    if given.get("n") not in (None, 1):
        raise UnsupportedParam("n: it makes one film at a time", param="n")
    resolution = given.get("resolution")
    if resolution is not None and resolution not in RESOLUTIONS:
        raise ValidationError(f"there is no resolution {resolution!r}", hint=", ".join(RESOLUTIONS))
    long_side = RESOLUTIONS[resolution] if resolution else LONG_SIDE
    size = read_size(given.get("size"), given.get("aspect") or "16:9", long_side)
    seconds = SECONDS if given.get("seconds") is None else given["seconds"]
    fps = FPS if given.get("fps") is None else given["fps"]
    if not 1 <= fps <= 60 or seconds <= 0:
        raise ValidationError(f"a film has 1 to 60 frames a second, and some seconds: not {fps} and {seconds}")
    frames = max(round(seconds * fps), 1)
    if frames * size[0] * size[1] > MOST_PIXELS:
        raise ValidationError("this film is too large to be drawn here", hint="fewer seconds, or a smaller size")
    first, last = (open_picture(given[name]) if given.get(name) else None for name in ("first_frame", "last_frame"))
    return _Plan(
        prompt=prompt,
        size=size,
        frames=frames,
        fps=fps,
        seed=given.get("seed") or 0,
        format=_choose_format(given.get("options"), size),
        first=first,
        last=last,
        warnings=tuple(_warn(settings)),
    )


def _warn(settings: VideoSettings) -> list[CallWarning]:
    warnings = list(list_dropped(settings, DROPPED))
    given = settings.given()
    if given.get("audio"):
        warnings.append(drop("audio", "the film is silent"))
    sized = ("aspect", "resolution") if given.get("size") else ()
    return [*warnings, *(drop(name, "the size says it") for name in sized if given.get(name))]


def _choose_format(options: Mapping[str, Any] | None, size: Size) -> str:
    """MP4 where PyAV is installed, else an animated WebP, unless the caller says."""
    given = dict((options or {}).get("local") or {})
    wanted = given.pop("format", None)
    if given:
        raise ValidationError(f"there is no option {next(iter(given))!r} for this model", hint="format")
    if wanted not in (None, "mp4", "webp"):
        raise ValidationError(f"the option 'format' is mp4 or webp, not {wanted!r}", provider="local")
    is_even = size[0] % 2 == size[1] % 2 == 0
    if wanted == "mp4" and not is_even:
        raise ValidationError(f"the sides of an MP4 are even numbers, not {size[0]}x{size[1]}", provider="local")
    return wanted or ("mp4" if is_even and find_spec("av") else "webp")


def _draw_film(plan: _Plan, drawn: list[int], is_stopped: Callable[[], bool]) -> Media:
    write = _write_mp4 if plan.format == "mp4" else _write_webp
    return write(plan, _draw_frames(plan, drawn, is_stopped))


def _draw_frames(plan: _Plan, drawn: list[int], is_stopped: Callable[[], bool]) -> Generator[Any, None, None]:
    pillow, fit = load_pillow("Image"), load_pillow("ImageOps").fit
    scene = Scene(plan.prompt, plan.seed)
    first, last = (picture and fit(picture.convert("RGB"), plan.size) for picture in (plan.first, plan.last))
    for number in range(plan.frames):
        if is_stopped():
            return
        place = number / max(plan.frames - 1, 1)
        frame = scene.paint(plan.size, moment=number / plan.frames).convert("RGB")
        if first and place < BLEND:
            frame = pillow.blend(first, frame, place / BLEND)
        if last and place > 1 - BLEND:
            frame = pillow.blend(frame, last, (place - (1 - BLEND)) / BLEND)
        drawn[0] = number + 1
        yield frame


def _write_webp(plan: _Plan, frames: Generator[Any, None, None]) -> Media:
    file, pictures = BytesIO(), list(frames)
    if pictures:
        step = round(1000 / plan.fps)
        pictures[0].save(
            file, "WEBP", save_all=True, append_images=pictures[1:], duration=step, loop=0, quality=80, method=0
        )
    return Media(kind="video", mime_type="image/webp", data=file.getvalue())


def _write_mp4(plan: _Plan, frames: Generator[Any, None, None]) -> Media:
    """H.264 (https://pyav.basswood-io.com/docs/stable/cookbook/basics.html)."""
    av = load_extra("av", "local-video", "films in MP4")
    file = BytesIO()
    with av.open(file, "w", format="mp4") as film:
        stream = film.add_stream("h264", rate=plan.fps)
        stream.width, stream.height = plan.size
        stream.pix_fmt = "yuv420p"
        for picture in frames:
            film.mux(stream.encode(av.VideoFrame.from_image(picture)))
        film.mux(stream.encode(None))
    return Media(kind="video", mime_type="video/mp4", data=file.getvalue())
