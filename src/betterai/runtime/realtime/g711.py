"""The two laws of telephones (ITU-T G.711): a byte a sample at 8 kHz, from 16-bit samples and to them."""

from __future__ import annotations

from array import array
from functools import cache


@cache
def _decoding(law: str) -> tuple[bytes, bytes]:
    """The low and the high byte of the sample that each byte stands for."""
    samples = [(_expand_mu if law == "audio/pcmu" else _expand_a)(code) & 0xFFFF for code in range(256)]
    return bytes(sample & 0xFF for sample in samples), bytes(sample >> 8 for sample in samples)


def _expand_mu(code: int) -> int:
    code = ~code & 0xFF
    size = (((code & 0x0F) << 3) + 0x84 << ((code & 0x70) >> 4)) - 0x84
    return -size if code & 0x80 else size


def _expand_a(code: int) -> int:
    code ^= 0x55
    size = (code & 0x0F) << 4
    exponent = (code & 0x70) >> 4
    size = size + 8 if exponent == 0 else size + 0x108 << exponent - 1
    return size if code & 0x80 else -size


@cache
def _encoding(law: str) -> bytes:
    """The byte for each sample, by its upper 14 bits: more than either law tells apart."""
    compress = _compress_mu if law == "audio/pcmu" else _compress_a
    return bytes(compress((index << 2) - 0x10000 if index & 0x2000 else index << 2) for index in range(0x4000))


def _compress_mu(sample: int) -> int:
    sign = 0x80 if sample < 0 else 0
    size = min(abs(sample), 32635) + 0x84
    exponent = size.bit_length() - 8
    return ~(sign | exponent << 4 | size >> exponent + 3 & 0x0F) & 0xFF


def _compress_a(sample: int) -> int:
    sign = 0x80 if sample >= 0 else 0
    size = min(sample if sample >= 0 else -sample - 1, 32767)
    exponent = max(0, size.bit_length() - 8)
    mantissa = size >> (exponent + 3 if exponent else 4) & 0x0F
    return (sign | exponent << 4 | mantissa) ^ 0x55


def expand(data: bytes, law: str) -> bytes:
    """Bytes of a law as little-endian samples."""
    low, high = _decoding(law)
    samples = bytearray(2 * len(data))
    samples[0::2], samples[1::2] = data.translate(low), data.translate(high)
    return bytes(samples)


def compress(samples: bytes, law: str) -> bytes:
    """Little-endian samples as bytes of a law."""
    codes = _encoding(law)
    numbers = array("H", samples)
    if array("H", b"\x01\x00")[0] != 1:
        numbers.byteswap()
    return bytes([codes[number >> 2] for number in numbers])
