"""Pictures drawn from a prompt by rule: its colours, shapes and words, the same always. It understands nothing."""

from __future__ import annotations

from colorsys import hls_to_rgb
from hashlib import blake2b
from math import cos, pi, sin
from random import Random
from typing import Any, NamedTuple

from betterai.providers.local.extras import load_extra

Colour = tuple[int, int, int]
DETAIL = 2
"""Drawn so many times as large, and made smaller: edges are smooth then."""
SHAPES = 14
HILLS = 3


class Shape(NamedTuple):
    """Something with so many corners (0: round). Lengths are shares of the picture's; it drifts, and turns as often."""

    corners: int
    x: float
    y: float
    radius: float
    angle: float
    turns: int
    drift: float
    colour: Colour


class Scene:
    """What a prompt looks like."""

    def __init__(self, prompt: str, seed: int = 0, index: int = 0) -> None:
        said = f"{seed}\0{index}\0{prompt}".encode(errors="replace")
        self._random = random = Random(blake2b(said, digest_size=8).digest())
        self.prompt = prompt
        self._palette = named_colours(prompt) + _make_palette(random)
        self._sky = _shade(self._palette[-1], 0.35), _shade(self._palette[0], 1.25)
        self._hills = [
            (random.uniform(0.05, 0.12), random.uniform(1.0, 2.6), random.uniform(0, 2 * pi)) for _ in range(HILLS)
        ]
        self._shapes = [self._make_shape(place) for place in range(SHAPES)]

    def _make_shape(self, place: int) -> Shape:
        random = self._random
        return Shape(
            corners=random.choice((0, 0, 3, 4, 5, 6)),
            x=random.uniform(0.05, 0.95),
            y=random.uniform(0.05, 0.7),
            radius=random.uniform(0.02, 0.16) * (1 - place / SHAPES / 2),
            angle=random.uniform(0, 2 * pi),
            turns=random.choice((-1, 1)),
            drift=random.uniform(0.01, 0.05),
            colour=self._palette[place % len(self._palette)],
        )

    def paint(self, size: tuple[int, int], *, moment: float = 0.0, share: float = 1.0, clear: bool = False) -> Any:
        """A Pillow picture of exactly this size. `moment` is the place in a film that ends as it began, from 0 to 1;
        of the shapes a `share` is drawn; a `clear` picture has no ground: it is to be laid over another.
        """
        pillow, draws = load_pillow("Image"), load_pillow("ImageDraw")
        large = size[0] * DETAIL, size[1] * DETAIL
        picture = pillow.new("RGBA", large, (0, 0, 0, 0)) if clear else self._paint_sky(pillow, large)
        draw = draws.Draw(picture)
        for shape in self._shapes[: round(SHAPES * share)]:
            _draw_shape(draw, shape, large, moment)
        if not clear:
            for place, (height, waves, begin) in enumerate(self._hills):
                _draw_hill(draw, large, 0.62 + 0.12 * place, height, waves, begin + 2 * pi * moment, self._hill(place))
        self._write(draw, large)
        return picture.resize(size, pillow.Resampling.BOX)

    def _hill(self, place: int) -> Colour:
        return _shade(self._palette[place % len(self._palette)], 0.75 - 0.2 * place)

    def _paint_sky(self, pillow: Any, size: tuple[int, int]) -> Any:
        top, bottom = self._sky
        column = pillow.new("RGB", (1, 256))
        for place in range(256):
            part = place / 255
            column.putpixel((0, place), tuple(round(a + (b - a) * part) for a, b in zip(top, bottom, strict=True)))
        return column.resize(size, pillow.Resampling.BILINEAR)

    def _write(self, draw: Any, size: tuple[int, int]) -> None:
        """The prompt, at the bottom, in as many lines as have room."""
        width, height = size
        font = load_pillow("ImageFont").load_default(max(min(width, height) / 18, 8))
        lines = _break(self.prompt, lambda text: bool(draw.textlength(text, font=font) <= width * 0.9))[:3]
        line_height = font.size * 1.25
        top = height * 0.96 - line_height * len(lines)
        for place, line in enumerate(lines):
            where = (width - draw.textlength(line, font=font)) / 2, top + place * line_height
            draw.text(where, line, font=font, fill=(255, 255, 255), stroke_width=max(round(font.size / 12), 1),
                      stroke_fill=(20, 20, 30))  # fmt: skip


def load_pillow(module: str) -> Any:
    """A module of Pillow's. Raises `ConfigurationError` without it."""
    return load_extra(f"PIL.{module}", "local", "pictures")


def named_colours(prompt: str) -> list[Colour]:
    """The colours that the prompt names, by their names on the web."""
    names = load_pillow("ImageColor")
    found = (word.strip(".,;:!?\"'()").lower() for word in prompt.split())
    return [names.getrgb(word)[:3] for word in found if word in names.colormap]


def _make_palette(random: Random) -> list[Colour]:
    """Four neighbours on the wheel of colours, and one from across it."""
    first = random.random()
    hues = (first, first + 0.06, first + 0.12, first + 0.5, first - 0.08)
    return [_colour(hue % 1, random.uniform(0.45, 0.65), random.uniform(0.5, 0.85)) for hue in hues]


def _colour(hue: float, lightness: float, saturation: float) -> Colour:
    red, green, blue = hls_to_rgb(hue, lightness, saturation)
    return round(red * 255), round(green * 255), round(blue * 255)


def _shade(colour: Colour, part: float) -> Colour:
    red, green, blue = (min(round(one * part), 255) for one in colour)
    return red, green, blue


def _draw_shape(draw: Any, shape: Shape, size: tuple[int, int], moment: float) -> None:
    width, height = size
    turn = 2 * pi * moment
    x = width * (shape.x + shape.drift * sin(turn + shape.angle))
    y = height * (shape.y + shape.drift * cos(turn + shape.angle))
    radius = shape.radius * min(size)
    if not shape.corners:
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=shape.colour)
        return
    begin = shape.angle + shape.turns * turn
    angles = [begin + 2 * pi * corner / shape.corners for corner in range(shape.corners)]
    draw.polygon([(x + radius * cos(angle), y + radius * sin(angle)) for angle in angles], fill=shape.colour)


def _draw_hill(
    draw: Any, size: tuple[int, int], level: float, height: float, waves: float, begin: float, colour: Colour
) -> None:
    width, tall = size
    places = [step / 48 for step in range(49)]
    line = [(width * x, tall * (level + height * sin(begin + 2 * pi * waves * x))) for x in places]
    draw.polygon([*line, (width, tall), (0, tall)], fill=colour)


def _break(text: str, fits: Any) -> list[str]:
    """Lines that fit; a word that does not is cut."""
    lines: list[str] = []
    for word in text.split():
        while not fits(word) and len(word) > 1:
            word = word[: len(word) * 2 // 3]
        if lines and fits(f"{lines[-1]} {word}"):
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines
