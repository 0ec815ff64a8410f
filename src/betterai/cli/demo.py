"""`betterai demo`: what the embedded models do, a line each, into files that can be looked at. No key, no network."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import mkdtemp
from time import monotonic

from betterai.cli.output import Output
from betterai.cli.pictures import open_folder, show
from betterai.cli.waves import write_wave
from betterai.config.defaults import embedded_model
from betterai.core.exceptions import BetterAIError
from betterai.core.media import Media
from betterai.core.model import Category
from betterai.core.realtime import InputTranscript, OutputAudio, OutputTranscript, ResponseDone, SessionError
from betterai.core.routing import CASCADE, JOINT
from betterai.runtime.client import Client

FEELING = "I am glad that this works without a key."
PICTURE = "A crimson kite over a teal sea"
SENTENCE = "The children are playing football in the park."
QUESTION = "I think about my mother."
VOICE = "en-us+klatt4"
"""No pleasure to hear, and the one that a small recogniser understands best."""
RATE = 24000
TEXTS = ("a cat sat on the mat", "the cat sits on a mat", "an income tax return")


def run(arguments: Namespace, output: Output) -> int:
    folder = open_folder(Path(arguments.save)) if arguments.save else Path(mkdtemp(prefix="betterai-demo-"))
    return asyncio.run(_Demo(folder, output).run())


class _Demo:
    """The steps, in the order in which they are shown. What is not installed is named, and the rest goes on."""

    def __init__(self, folder: Path, output: Output) -> None:
        self._folder = folder
        self._write = output.answers.write
        self._output = output
        self._spoken: Media | None = None

    async def run(self) -> int:
        steps: tuple[tuple[Category, Callable[[Client, str], Awaitable[None]]], ...] = (
            ("text", self._answer), ("image", self._draw), ("tts", self._speak), ("audio", self._transcribe),
            ("realtime", self._talk), ("embeddings", self._compare), ("video", self._film),
        )  # fmt: skip
        failed = 0
        async with Client(trust_env=True) as client:
            for category, step in steps:
                began, model = monotonic(), embedded_model(category) or CASCADE
                self._write(f"{model:<20} ", "green")
                try:
                    await step(client, model)
                except BetterAIError as error:
                    failed += 1
                    self._write(f"not here: {error.message} – {error.hint}", "yellow")
                self._write(f"  {monotonic() - began:.1f} s\n", "dim")
        return int(failed == len(steps))

    async def _answer(self, client: Client, model: str) -> None:
        self._write(f"{FEELING} → ")
        async with client.stream(model, FEELING) as stream:
            async for chunk in stream:
                self._write(chunk.content)

    async def _draw(self, client: Client, model: str) -> None:
        response = await client.generate_image(model, PICTURE, size="768x432")
        place = await client.save_media(response.images[0], self._folder / "picture.png")
        self._write(f"{PICTURE} → {place}")
        show(response.images[0], self._output)

    async def _speak(self, client: Client, model: str) -> None:
        response = await client.speak(model, SENTENCE, voice=VOICE)
        self._spoken = response.audio
        self._write(f"{SENTENCE} → {await client.save_media(response.audio, self._folder / 'speech.wav')}")

    async def _transcribe(self, client: Client, model: str) -> None:
        if self._spoken is None:
            self._write("nothing was spoken", "yellow")
            return
        response = await client.transcribe(model, self._spoken)
        self._write(f"speech.wav → {response.text}")

    async def _talk(self, client: Client, model: str) -> None:
        """A question by voice, and the answer: speech to text, text and speech as one."""
        if self._spoken is None:
            self._write("nothing was spoken", "yellow")
            return
        asked = await client.speak(embedded_model("tts"), QUESTION, voice=VOICE, format="pcm", sample_rate=RATE)
        stages = JOINT.join((embedded_model("audio"), embedded_model("text"), embedded_model("tts")))
        sound: list[bytes] = []
        async with client.realtime(f"{model}/{stages}") as session:
            await session.send_audio(asked.audio.to_bytes() + bytes(2 * RATE))
            async for event in session:
                match event:
                    case InputTranscript(final=True, text=text):
                        self._write(f"{text} → ")
                    case OutputTranscript(delta=delta):
                        self._write(delta)
                    case OutputAudio(audio=audio):
                        sound.append(audio)
                    case ResponseDone(error=error):
                        if error is not None:
                            raise error
                        break
                    case SessionError(error=error):
                        raise error
        place = self._folder / "answer.wav"
        write_wave(place, b"".join(sound), RATE)
        self._write(f" → {place}")

    async def _compare(self, client: Client, model: str) -> None:
        first, *others = (await client.embed(model, TEXTS)).vectors
        near, far = (sum(a * b for a, b in zip(first, other, strict=True)) for other in others)
        self._write(f"{TEXTS[0]} ~ {TEXTS[1]}: {near:.2f}, ~ {TEXTS[2]}: {far:.2f}")

    async def _film(self, client: Client, model: str) -> None:
        job = await client.start_video(model, PICTURE, store=None, seconds=2, size="480x270")
        film = (await job.wait()).videos[0]
        suffix = film.mime_type.rpartition("/")[2]
        self._write(f"{PICTURE}, in motion → {await client.save_media(film, self._folder / f'film.{suffix}')}")
