"""What is large, done once each by BetterAI, and watched: `python -m benchmarks.large.client URL BYTES FILE SCENE…`."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec

import betterai
from betterai.core.config import CoreConfig
from betterai.core.media import Media

TICK = 0.001
PICTURE = b"\x89PNG\r\n\x1a\n" + os.urandom(20 * 1000 * 1000)
Scene = Callable[[str, str, Path], Awaitable[Any]]


def read_status(name: str) -> float:
    """A line of /proc/self/status, in MiB: VmRSS now, VmHWM the most since `forget_peak`."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) / 1024 for line in file if line.startswith(f"{name}:"))


def forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


class Watch:
    """Ticks every millisecond, and keeps how late the latest tick was, as far as this process was at work meanwhile: a
    loop that waits for a processor is held up by other programs, one that waits for a thread of ours by us.
    """

    def __init__(self) -> None:
        self.longest = 0.0
        self._loop = asyncio.get_running_loop()
        self._last, self._last_cpu = time.perf_counter(), time.process_time()
        self._handle = self._loop.call_later(TICK, self._tick)

    def _tick(self) -> None:
        now, cpu = time.perf_counter(), time.process_time()
        self.longest = max(self.longest, min(now - self._last - TICK, cpu - self._last_cpu))
        self._last, self._last_cpu = now, cpu
        self._handle = self._loop.call_later(TICK, self._tick)

    def stop(self) -> None:
        self._handle.cancel()


def configure(model: str, url: str) -> CoreConfig:
    return CoreConfig(model=model, api_key="k", base_url=url, timeout=600)


async def transcribe(url: str, size: str, file: Path) -> None:
    config = configure("openai/whisper-1", f"{url}/{size}")
    heard = await betterai.transcribe("openai/whisper-1", Media(kind="audio", path=str(file)), config=config)
    assert int(heard.text.split()[0]) >= int(size), heard.text


async def upload(url: str, size: str, file: Path) -> None:
    config = configure("google/m", f"{url}/{size}")
    kept = await betterai.files.upload("google", file, config=config)
    assert (kept.size or 0) >= int(size)


async def download(url: str, size: str, file: Path) -> None:
    config = configure("openai/m", f"{url}/{size}")
    film = (await betterai.generate_video("openai/m", "a cat", config=config, store=None)).videos[0]
    assert film.path is not None
    assert Path(film.path).stat().st_size == int(size)  # noqa: ASYNC240
    os.unlink(film.path)


async def show_picture(url: str, size: str, file: Path) -> None:
    config = configure("openai/m", f"{url}/0")
    said = betterai.Message.user("what is it?", Media(kind="image", mime_type="image/png", data=PICTURE))
    answer = await betterai.generate("openai/m", [said], config=msgspec.structs.replace(config, protocol="openai_chat"))
    assert int(answer.content) > len(PICTURE)


async def edit_picture(url: str, size: str, file: Path) -> None:
    config = configure("google/m", f"{url}/0")
    picture = Media(kind="image", mime_type="image/png", data=PICTURE)
    assert (await betterai.generate_image("google/m", "redder", images=[picture], config=config)).images


async def draw(url: str, size: str, file: Path) -> None:
    config = configure("openai/m", f"{url}/0")
    [picture] = (await betterai.generate_image("openai/m", "a cat", config=config)).images
    assert picture.form == "bytes"


async def nothing(url: str, size: str, file: Path) -> None:
    await asyncio.sleep(1)


SCENES: dict[str, Scene] = {
    "transcribe": transcribe, "upload": upload, "download": download, "show_picture": show_picture,
    "edit_picture": edit_picture, "draw": draw, "nothing": nothing,
}  # fmt: skip


async def watch(scene: Scene, url: str, size: str, file: Path) -> dict[str, float]:
    """The scene once in small, so that all is imported and connected; then as large as asked for."""
    small = file.with_name("small")
    small.write_bytes(b"ID3" + bytes(1024 * 1024 - 3))
    if scene in (transcribe, upload, download):
        await scene(url, str(1024 * 1024), small)
    else:
        await scene(url, size, file)
    gc.collect()
    forget_peak()
    before = read_status("VmRSS")
    watching = Watch()
    started = time.perf_counter()
    await scene(url, size, file)
    seconds = time.perf_counter() - started
    watching.stop()
    return {
        "seconds": seconds,
        "before": before,
        "grown": read_status("VmHWM") - before,
        "longest_ms": watching.longest * 1000,
    }


if __name__ == "__main__":
    url, size, file, *names = sys.argv[1:]
    for name in names:
        print(json.dumps(asyncio.run(watch(SCENES[name], url, size, Path(file)))))
