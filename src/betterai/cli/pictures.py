"""Media of an answer: kept in a folder where one is given, and pictures shown where the terminal can."""

from __future__ import annotations

import mimetypes
import os
from base64 import b64encode
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Literal

from betterai.cli.output import Output
from betterai.config.environment import read_variable
from betterai.core.exceptions import ValidationError
from betterai.core.media import Media

Protocol = Literal["kitty", "iterm", ""]
KITTY_PIECE = 4096
"""The most base64 characters in one escape sequence (https://sw.kovidgoyal.net/kitty/graphics-protocol/)."""

_PNG = b"\x89PNG"
_SUFFIXES = {"image/jpeg": ".jpg", "audio/mpeg": ".mp3", "audio/wav": ".wav", "image/webp": ".webp"}


def find_protocol() -> Protocol:
    """How this terminal takes pictures, by the variables that it sets; "" where it does not."""
    program = read_variable("TERM_PROGRAM") or ""
    if read_variable("TMUX", "STY"):
        return ""
    if read_variable("KITTY_WINDOW_ID") or read_variable("TERM") == "xterm-kitty" or program == "ghostty":
        return "kitty"
    if program in ("iTerm.app", "WezTerm", "mintty") or read_variable("LC_TERMINAL") == "iTerm2":
        return "iterm"
    return ""


def draw(data: bytes, protocol: Protocol) -> Iterator[str]:
    """The escape sequences that show a picture; none where the terminal cannot take its format."""
    text = b64encode(data).decode("ascii")
    if protocol == "iterm":  # https://iterm2.com/documentation-images.html
        yield f"\x1b]1337;File=inline=1;size={len(data)}:{text}\x07\n"
    elif protocol == "kitty" and data.startswith(_PNG):
        pieces = [text[start : start + KITTY_PIECE] for start in range(0, len(text), KITTY_PIECE)]
        for place, piece in enumerate(pieces):
            control = "a=T,f=100," if place == 0 else ""
            yield f"\x1b_G{control}m={int(place < len(pieces) - 1)};{piece}\x1b\\"
        yield "\n"


def open_folder(folder: Path) -> Path:
    """The folder, made where it is not there. Raises `ValidationError` for one that cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValidationError(f"cannot save into {str(folder)!r}: {error.strerror or error}") from None
    if not os.access(folder, os.W_OK):
        raise ValidationError(f"cannot save into {str(folder)!r}: it cannot be written")
    return folder


def save(media: Media, folder: Path) -> Path:
    """Write media that holds its bytes into a new file of the folder. Raises `ValidationError`."""
    suffix = _SUFFIXES.get(media.mime_type) or mimetypes.guess_extension(media.mime_type) or ".bin"
    paths = (folder / f"{media.kind}-{number}{suffix}" for number in count(1))
    try:
        content = media.to_bytes()
        path = next(path for path in paths if not os.path.lexists(path))
        with path.open("xb") as file:
            file.write(content)
    except (OSError, ValueError) as error:
        raise ValidationError(
            f"cannot save into {str(folder)!r}: {getattr(error, 'strerror', None) or error}"
        ) from None
    return path


def show(media: Media, output: Output) -> bool:
    """Show a picture in the terminal; False where that cannot be."""
    if media.kind != "image" or media.form != "bytes" or not output.answers.is_terminal:
        return False
    sequences = list(draw(media.to_bytes(), find_protocol()))
    for sequence in sequences:
        output.answers.write_raw(sequence)
    return bool(sequences)
