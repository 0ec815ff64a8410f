"""Pictures in replies, as vendors write them: base64 or a URL, with or without their type."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from betterai.core.media import Media, decode_base64
from betterai.core.sniffing import sniff_base64, sniff_mime_type
from betterai.core.usage import Usage

LARGE = 1024 * 1024
"""Longer texts are turned into bytes at once, in slices: to make a text of them first would hold up all threads."""


class PictureShape(Struct):
    b64_json: msgspec.Raw = msgspec.Raw()
    url: str | None = None
    revised_prompt: str | None = None
    mime_type: str | None = None
    media_type: str | None = None
    respect_moderation: bool | None = None
    """False for one that the provider holds back."""


_decode_text = msgspec.json.Decoder(str | None).decode


class ImageTokens(Struct):
    text_tokens: int | None = None
    image_tokens: int | None = None


class ImageUsageShape(Struct):
    """`usage` of pictures: tokens of texts and of pictures, each way."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    input_tokens_details: ImageTokens | None = None
    output_tokens_details: ImageTokens | None = None

    def read(self) -> Usage | None:
        """Disjoint counters; what is not told apart is pictures on the way out, and text on the way in."""
        if self.input_tokens is None and self.output_tokens is None:
            return None
        inputs, outputs = self.input_tokens_details or ImageTokens(), self.output_tokens_details or ImageTokens()
        image_in, text_out = inputs.image_tokens or 0, outputs.text_tokens or 0
        return Usage(
            text_in=max(0, (self.input_tokens or 0) - image_in),
            image_in=image_in,
            text_out=text_out,
            image_out=max(0, (self.output_tokens or 0) - text_out),
        )


def read_picture(shape: PictureShape, said: str = "") -> Media:
    """One picture. Its type is as its first bytes show, else as it is stated with it, else as `said`.

    Raises `msgspec.ValidationError` for one that has neither content nor URL.
    """
    stated = shape.mime_type or shape.media_type or said
    if len(shape.b64_json) > LARGE:
        return _read_large(shape.b64_json, stated)
    if shape.b64_json and (text := _decode_text(shape.b64_json)):
        return make_picture(text, stated)
    if shape.url:
        return Media(kind="image", mime_type=shape.mime_type or shape.media_type or "", url=shape.url)
    raise msgspec.ValidationError("a picture without content")


def name_format(format: str | None) -> str | None:
    """The format as services write it: jpeg is its name, jpg the end of files."""
    return "jpeg" if format == "jpg" else format


def make_picture(text: str, stated: str = "") -> Media:
    """A picture of its base64 text."""
    return Media(kind="image", mime_type=sniff_base64(text) or stated, base64=text)


def _read_large(raw: msgspec.Raw, stated: str) -> Media:
    letters = memoryview(raw)[1:-1]
    try:
        data = decode_base64(letters)
    except ValueError:  # damaged, or with escapes: whoever uses it will see
        return make_picture(_decode_text(raw) or "", stated)
    return Media(kind="image", mime_type=sniff_mime_type(data) or stated, data=data)
