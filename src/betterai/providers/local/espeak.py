"""espeak-ng through ctypes. The library has one state for the whole process: one text is spoken at a time.

It is GPL-3.0-or-later: it comes with an extra of its own, and is loaded only where that is installed. Shapes and
constants: https://github.com/espeak-ng/espeak-ng/blob/1.52.0/src/include/espeak-ng/speak_lib.h
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from typing import Any, NamedTuple

from betterai.core.exceptions import ConfigurationError, ProviderError, ValidationError
from betterai.core.results import Voice, Word
from betterai.providers.local.extras import load_extra

RATE = 22050
SLOWEST, NORMAL, FASTEST = 80, 175, 450
"""Words a minute."""

_SYNCHRONOUS, _NO_EXIT = 2, 0x8000
_UTF8, _END_PAUSE, _BY_CHARACTER = 1, 0x1000, 1
_SPEED = 1
_WORD, _ENDED = 1, 0
_GENDERS = {1: "male", 2: "female"}


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int), ("unique", ctypes.c_uint), ("text_position", ctypes.c_int), ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int), ("sample", ctypes.c_int), ("user", ctypes.c_void_p),
        ("id", ctypes.c_char * 8),
    )  # fmt: skip


class _Voice(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p), ("languages", ctypes.c_void_p), ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte), ("age", ctypes.c_ubyte), ("variant", ctypes.c_ubyte), ("spare_1", ctypes.c_ubyte),
        ("score", ctypes.c_int), ("spare_2", ctypes.c_void_p),
    )  # fmt: skip


_Hear = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(_Event))


class Sound(NamedTuple):
    """16-bit samples in the machine's byte order, at `RATE`; words with their places in seconds."""

    samples: bytes
    words: tuple[Word, ...]


_library: Any = None
_lock = threading.Lock()


def speak(text: str, voice: str, rate: int, stopped: Callable[[], bool]) -> Sound:
    """Blocks; ends early, with what there is, once `stopped` says so. Raises `ValidationError` for a voice that there
    is not.
    """
    pieces: list[bytes] = []
    marks: list[tuple[int, int, float]] = []

    def hear(samples: int | None, count: int, events: Any) -> int:
        if samples and count > 0:
            pieces.append(ctypes.string_at(samples, 2 * count))
        place = 0
        while events[place].type != _ENDED:
            if events[place].type == _WORD:
                event = events[place]
                marks.append((event.text_position - 1, event.length, event.audio_position / 1000))
            place += 1
        return int(stopped())

    heard = _Hear(hear)
    encoded = text.replace("\0", " ").encode(errors="replace") + b"\0"
    with _lock:
        library = _load()
        _choose(library, voice)
        library.espeak_SetParameter(_SPEED, rate, 0)
        library.espeak_SetSynthCallback(heard)
        failed = library.espeak_Synth(
            encoded, len(encoded), 0, _BY_CHARACTER, 0, _UTF8 | _END_PAUSE, None, None
        )  # fmt: skip
        library.espeak_SetSynthCallback(_Hear())
    if failed:
        raise ProviderError(f"espeak-ng cannot speak this text: error {failed}", provider="local")
    samples = b"".join(pieces)
    ends = [*(start for _, _, start in marks[1:]), len(samples) / 2 / RATE]
    words = tuple(
        Word(text=text[place : place + length], start=start, end=end)
        for (place, length, start), end in zip(marks, ends, strict=False)
    )
    return Sound(samples, words)


def list_voices() -> tuple[Voice, ...]:
    """The voices of the library, by the tag of their language; each may have a variant behind a plus."""
    with _lock:
        found = [
            Voice(
                id=tags[0],
                name=voice.name.decode(),
                languages=tags,
                labels={"gender": _GENDERS[voice.gender]} if voice.gender in _GENDERS else {},
            )
            for voice in _iterate(_load(), None)
            if (tags := tuple(_read_languages(voice.languages)))
        ]
    return tuple({voice.id: voice for voice in found}.values())


def find_voice(language: str) -> str:
    """The voice of a language by its tag (BCP 47): the nearest one that there is. Raises `ValidationError`."""
    known = {tag.lower() for voice in list_voices() for tag in voice.languages}
    tag = language.lower()
    while tag and tag not in known:
        tag = tag.rpartition("-")[0]
    if not tag:
        raise ValidationError(f"espeak-ng does not speak {language!r}", hint="voices() lists what it speaks")
    return tag


def _choose(library: Any, voice: str) -> None:
    """The library takes any variant in silence, so that it is looked up here."""
    base, _, variant = voice.partition("+")
    if library.espeak_SetVoiceByName(base.encode(errors="replace")):
        names = {tag for one in _iterate(library, None) for tag in _read_languages(one.languages)}
        near = get_close_matches(base, names, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else "voices() lists them"
        raise ValidationError(f"espeak-ng has no voice {base!r}", hint=hint, provider="local")
    if variant:
        wanted = _Voice(languages=ctypes.cast(ctypes.c_char_p(b"variant"), ctypes.c_void_p))
        known = [one.identifier.decode().rpartition("/")[2] for one in _iterate(library, ctypes.byref(wanted))]
        if variant not in known:
            near = get_close_matches(variant, known, n=3, cutoff=0.3)
            raise ValidationError(
                f"espeak-ng has no variant {variant!r}",
                hint=f"there are {', '.join(near or sorted(known))}",
                provider="local",
            )
        library.espeak_SetVoiceByName(voice.encode())


def _iterate(library: Any, wanted: Any) -> Iterator[Any]:
    listed = library.espeak_ListVoices(wanted)
    place = 0
    while listed[place]:
        yield listed[place].contents
        place += 1


def _read_languages(address: int) -> Iterator[str]:
    """A list of: a byte of priority, the tag, a zero; a priority of zero ends it."""
    while ctypes.string_at(address, 1) != b"\0":
        tag = ctypes.string_at(address + 1)
        yield tag.decode()
        address += len(tag) + 2


def _load() -> Any:
    global _library
    if _library is not None:
        return _library
    loader = load_extra("espeakng_loader", "local-speech", "voices")
    try:
        library = ctypes.CDLL(loader.get_library_path())
        data = str(loader.get_data_path()).encode()
    except (OSError, RuntimeError) as error:
        raise ConfigurationError(
            f"espeak-ng does not load here: {error}", hint="pip install --force-reinstall espeakng-loader"
        ) from error
    library.espeak_SetVoiceByName.argtypes = [ctypes.c_char_p]
    library.espeak_ListVoices.argtypes = [ctypes.c_void_p]
    library.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_Voice))
    library.espeak_SetSynthCallback.argtypes = [_Hear]
    library.espeak_Synth.argtypes = [
        ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int, ctypes.c_uint, ctypes.c_uint, ctypes.c_void_p,
        ctypes.c_void_p,
    ]  # fmt: skip
    rate = library.espeak_Initialize(_SYNCHRONOUS, 0, data, _NO_EXIT)
    if rate != RATE:
        raise ConfigurationError(f"espeak-ng does not start: it answered {rate}", provider="local")
    _library = library
    return library


def _forget() -> None:
    """In a forked child no other thread speaks: whoever held the lock is not there."""
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
