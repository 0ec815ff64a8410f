"""Sound as bytes: WAV read as it comes, raw samples, several channels as one."""

from __future__ import annotations

import struct
import sys
from array import array
from math import inf

from betterai.core.exceptions import UnsupportedParam, ValidationError
from betterai.core.settings import TranscriptionSettings
from betterai.core.sniffing import sniff_mime_type
from betterai.wire.wav import UNKNOWN

RAW = frozenset({"pcm", "pcm16", "pcm_s16le", "linear16", "l16", "s16le"})
"""Names of raw samples: 16 bits, the lower byte first."""
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_LONGEST_HEADER = 1 << 20


def to_bytes(samples: array[int]) -> bytes:
    """Samples as they stand in files: the lower byte first."""
    if sys.byteorder == "big":
        samples = samples[:]
        samples.byteswap()
    return samples.tobytes()


class SoundReader:
    """A recording, in pieces of bytes, as 16-bit samples of one channel at `rate`, which is known after its head.

    WAV says by itself what it is; for raw samples the settings do. Raises `ValidationError` for anything else.
    """

    def __init__(self, settings: TranscriptionSettings) -> None:
        encoding = (settings.encoding or "").lower()
        if encoding not in ("", "wav", *RAW):
            raise UnsupportedParam(
                f"encoding: {encoding!r} is not read here", hint="wav, or pcm with its sample_rate", param="encoding"
            )
        self.rate = settings.sample_rate or 0
        self._channels = settings.channels if settings.channels is not None else 1
        if self._channels < 1 or self.rate < 0:
            raise ValidationError("a recording has at least one channel, and a sample rate above 0")
        self._is_raw = bool(self.rate) and encoding != "wav"
        self._width, self._is_float = 2, False
        self._left: float = inf
        self._held = b""
        self._is_open = False

    def feed(self, data: bytes) -> array[int]:
        self._held += data
        if not self._is_open and not self._open():
            return array("h")
        frame = self._width * self._channels
        size = int(min(self._left, len(self._held))) // frame * frame
        piece, self._held = self._held[:size], self._held[size:]
        self._left -= size
        return self._mix(piece)

    def finish(self) -> array[int]:
        """What was held back of a recording that is shorter than a head. Raises `ValidationError` for one that is
        none.
        """
        if not self._is_open and (not self._held or not self._is_raw):
            self._refuse()
        self._is_open = True
        return self.feed(b"")

    def _open(self) -> bool:
        """Whether what comes next are samples: read the head of a WAV file."""
        head = self._held
        if len(head) < 12:
            return False
        if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
            if not self._is_raw:
                self._refuse()
            self._is_open = True
            return True
        place = 12
        while len(head) >= place + 8:
            name, size = struct.unpack_from("<4sI", head, place)
            if name == b"data" and self.rate:
                self._held = head[place + 8 :]
                self._left = inf if size in (0, UNKNOWN) else size
                self._is_open = True
                return True
            if name == b"fmt " and len(head) >= place + 8 + size:
                self._read_format(head[place + 8 : place + 8 + size])
            place += 8 + size + size % 2
        if len(head) > _LONGEST_HEADER:
            raise ValidationError("this WAV file has no samples")
        return False

    def _read_format(self, data: bytes) -> None:
        try:
            kind, self._channels, self.rate, _, _, bits = struct.unpack_from("<HHIIHH", data)
            if kind == _EXTENSIBLE:
                kind = struct.unpack_from("<H", data, 24)[0]
        except struct.error:
            raise ValidationError("the head of this WAV file is damaged") from None
        self._width, self._is_float = bits // 8, kind == _FLOAT
        known = (kind == _PCM and bits in (8, 16, 24, 32)) or (kind == _FLOAT and bits == 32)
        if not known or not self._channels or not self.rate:
            raise ValidationError(
                f"WAV with samples of kind {kind} and {bits} bits is not read here", hint="make it 16-bit PCM"
            )

    def _refuse(self) -> None:
        found = sniff_mime_type(self._held)
        if found == "audio/wav":
            raise ValidationError("this WAV file ends before its samples: it was cut off", provider="local")
        raise ValidationError(
            f"{found or 'this'} is not read here" if self._held else "the recording is empty",
            hint="pass WAV (ffmpeg -i FILE -ar 16000 -ac 1 out.wav), or raw 16-bit samples with their sample_rate",
            provider="local",
        )

    def _mix(self, data: bytes) -> array[int]:
        """The frames as samples of one channel: the mean of all."""
        samples = self._read_samples(data)
        if self._channels == 1:
            return samples
        channels = [samples[index :: self._channels] for index in range(self._channels)]
        return array("h", [sum(frame) // self._channels for frame in zip(*channels, strict=True)])

    def _read_samples(self, data: bytes) -> array[int]:
        """Of whole numbers the upper 16 bits."""
        if self._is_float:
            count = len(data) // 4
            return array("h", [int(max(-1.0, min(1.0, one)) * 32767) for one in struct.unpack(f"<{count}f", data)])
        upper = bytearray(2 * (len(data) // self._width))
        if self._width == 1:
            upper[1::2] = bytes(byte ^ 0x80 for byte in data)
        else:
            upper[0::2], upper[1::2] = data[self._width - 2 :: self._width], data[self._width - 1 :: self._width]
        samples = array("h", bytes(upper))
        if sys.byteorder == "big":
            samples.byteswap()
        return samples
