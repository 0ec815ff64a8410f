"""Which fields the body of each of the FLUX models has (https://docs.bfl.ai, as others read it, 2026-08).

UNVERIFIED: `steps` and `guidance` of flux-pro, `prompt_upsampling` of FLUX.2, and more than one picture for kontext.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

from betterai.core.data import Data


class Family(Data, frozen=True, kw_only=True):
    """`fields` beside the prompt; `images` are those of pictures, in their order; `multiple` is that of sizes."""

    fields: frozenset[str]
    images: tuple[str, ...] = ("image_prompt",)
    multiple: int = 32


_ALL = frozenset({"seed", "output_format", "safety_tolerance", "prompt_upsampling"})
_SIZED = _ALL | {"width", "height"}
_TUNED = frozenset({"steps", "guidance"})
_INPUTS = ("input_image", *(f"input_image_{number}" for number in range(2, 11)))
_FAMILIES: tuple[tuple[str, Family], ...] = (
    ("flux-2-flex*", Family(fields=_SIZED | _TUNED, images=_INPUTS)),
    ("flux-2-*", Family(fields=_SIZED, images=_INPUTS)),
    ("flux-kontext-*", Family(fields=_ALL | {"aspect_ratio"}, images=_INPUTS[:4])),
    ("flux-pro-1.1-ultra*", Family(fields=_ALL | {"aspect_ratio", "raw", "image_prompt_strength"})),
    ("flux-pro-1.0-fill*", Family(fields=_ALL | _TUNED | {"mask"}, images=("image",))),
    ("flux-pro-1.0-expand*", Family(fields=_ALL | _TUNED | {"top", "bottom", "left", "right"}, images=("image",))),
    ("flux-pro-1.1*", Family(fields=_SIZED)),
    ("flux-pro", Family(fields=_SIZED | _TUNED)),
    ("flux-dev", Family(fields=_SIZED | _TUNED)),
)
OPTIONS = frozenset().union(*(family.fields for _, family in _FAMILIES)) - {"mask"}
"""All fields that options may name; which of them a model takes, its family says."""
_UNKNOWN = Family(fields=OPTIONS | {"mask"}, images=_INPUTS)


def find_family(model: str) -> Family:
    """The family of a model. To one that is not known everything is sent: the service says what it does not take."""
    return next((family for pattern, family in _FAMILIES if fnmatchcase(model, pattern)), _UNKNOWN)
