"""pocketsphinx: utterances cut at pauses, each decoded whole, so that a stream is heard as a file is."""

from __future__ import annotations

import os
import re
import threading
from array import array
from collections.abc import Iterator
from random import Random
from typing import Any, NamedTuple

from betterai.core.results import Word
from betterai.providers.local.extras import load_extra
from betterai.providers.local.resample import HIGHEST, LOWEST

RATE = 16000
"""What the model was made for, in Hz."""
PAUSE, SHARE, STRICT = 0.15, 0.8, 3
"""An utterance ends where `SHARE` of `PAUSE` seconds is no speech, judged as strictly as can be. The judge itself is
late by 0.15 seconds: so pauses of about 0.3 seconds are meant, as there are between sentences.
"""
LONGEST = 15.0
"""Seconds after which an utterance is cut, pause or none."""
FIRST_LOOK = 1.0
"""Seconds of an utterance after which it is looked at, and again whenever it has become twice as long: so that all
looks together take less than twice as long as the decoding at its end.
"""
NOISE = 100.0
"""The deviation of the noise that is laid under all: the model knows no silence of zeros."""
HYPOTHESES = 3000
"""As many are followed at once: a tenth of the default, twice as fast, and no worse in our measurements."""

_FRAME = 0.01
_NO_WORD = re.compile(r"<.*>|\[.*\]|\+\+.*\+\+")
_VARIANT = re.compile(r"\(\d+\)$")


def load_package() -> Any:
    return load_extra("pocketsphinx", "local", "transcriptions")


class Heard(NamedTuple):
    """The words of an utterance, with their places in the recording; not `final` while it is still going on."""

    words: tuple[Word, ...]
    final: bool


class Listener:
    """One recording at `RATE`, as it comes. Its methods block."""

    def __init__(self, *, interim: bool) -> None:
        sphinx = load_package()
        self._endpointer = sphinx.Endpointer(window=PAUSE, ratio=SHARE, vad_mode=STRICT, sample_rate=RATE)
        self._interim = interim
        self._pending = array("h")
        self._utterance = array("h")
        self._start = 0.0
        self._look = FIRST_LOOK

    def feed(self, samples: array[int]) -> Iterator[Heard]:
        self._pending += samples
        size = self._endpointer.frame_bytes // 2
        used = 0
        while len(self._pending) - used >= size:
            frame = self._pending[used : used + size]
            used += size
            yield from self._take(self._endpointer.process(frame.tobytes()))
        del self._pending[:used]

    def finish(self) -> Iterator[Heard]:
        """What is left. The last frame is made whole with silence."""
        if self._pending:
            yield from self.feed(array("h", bytes(self._endpointer.frame_bytes - 2 * len(self._pending))))
        if self._utterance:
            yield self._close()

    def _take(self, speech: bytes | None) -> Iterator[Heard]:
        if speech is None:
            return
        if not self._utterance:
            self._start = self._endpointer.speech_start
        self._utterance.frombytes(speech)
        seconds = len(self._utterance) / RATE
        if not self._endpointer.in_speech:
            yield self._close()
        elif seconds >= LONGEST:
            end = self._start + seconds
            yield self._close()
            self._start = end
        elif self._interim and seconds >= self._look:
            self._look = 2 * seconds
            yield Heard(decode(self._utterance, self._start), final=False)

    def _close(self) -> Heard:
        heard = Heard(decode(self._utterance, self._start), final=True)
        self._utterance, self._look = array("h"), FIRST_LOOK
        return heard


_decoder: Any = None
_noise: list[int] = []
_lock = threading.Lock()


def decode(samples: array[int], start: float) -> tuple[Word, ...]:
    """The words of one utterance that begins `start` seconds into the recording. One is decoded at a time."""
    with _lock:
        decoder = _load()
        decoder.reinit_feat()  # else what was heard before has a part in it
        decoder.start_utt()
        decoder.process_raw(_lay_noise(samples), full_utt=True)
        decoder.end_utt()
        return tuple(
            Word(
                text=_VARIANT.sub("", segment.word),
                start=round(start + segment.start_frame * _FRAME, 2),
                end=round(start + (segment.end_frame + 1) * _FRAME, 2),
                confidence=round(min(segment.prob, 1.0), 4),
            )
            for segment in decoder.seg() or ()
            if not _NO_WORD.fullmatch(segment.word)
        )


def _load() -> Any:
    """The decoder with the English model of its wheel: half a second, in which no other thread runs."""
    global _decoder
    if _decoder is None:
        sphinx = load_package()
        _decoder = sphinx.Decoder(cmn="batch", maxhmmpf=HYPOTHESES, loglevel="FATAL")
    return _decoder


def _lay_noise(samples: array[int]) -> bytes:
    """The same noise always, so that the same sound is heard in the same way."""
    if not _noise:
        random = Random(0)
        _noise.extend(round(random.gauss(0, NOISE)) for _ in range(RATE))
    laid = array("h")
    for second in range(0, len(samples), RATE):
        pairs = zip(samples[second : second + RATE], _noise, strict=False)
        laid.extend(min(max(sample + noise, LOWEST), HIGHEST) for sample, noise in pairs)
    return laid.tobytes()


def _forget() -> None:
    """In a forked child no other thread decodes: what was under way is not there."""
    global _lock, _decoder
    _lock, _decoder = threading.Lock(), None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
