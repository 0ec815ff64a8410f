"""The header of WAV files of 16-bit samples (RIFF, 1991), for raw sound that is to be one."""

from __future__ import annotations

import struct

UNKNOWN = 0xFFFFFFFF
"""The size in the header of a WAV file whose end is not known yet."""


def write_header(rate: int, size: int = UNKNOWN) -> bytes:
    """The header of a WAV file with `size` bytes of one channel of 16-bit samples, `rate` of them a second."""
    whole = UNKNOWN if size == UNKNOWN else 36 + size
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", whole, b"WAVE", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16, b"data", size
    )
