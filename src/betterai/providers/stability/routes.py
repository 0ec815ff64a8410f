"""Which operation each of Stability's models is, and which fields its form has.

Sources: the OpenAPI of v2beta (https://api.stability.ai/v2alpha/openapi, as others read it, 2026-07), litellm 1.109.1.
UNVERIFIED: `output_format` of all operations but generation and background removal; `webp` of the sd3 models; the
words of style-transfer, and its strength.
"""

from __future__ import annotations

from collections.abc import Mapping

from betterai.core.data import Data

_ROOT = "/v2beta/stable-image"
_MADE = frozenset({"seed", "output_format"})
_WORDS = frozenset({"prompt", "negative_prompt"})


class Route(Data, frozen=True, kw_only=True):
    """One operation: where it is, the fields it takes, and those of its pictures, in the order of `images`."""

    path: str
    fields: frozenset[str]
    images: tuple[str, ...] = ("image",)


def _route(path: str, *fields: str, images: tuple[str, ...] = ("image",)) -> Route:
    return Route(path=f"{_ROOT}/{path}", fields=_MADE.union(fields), images=images)


_SD3 = _route(
    "generate/sd3", *_WORDS, "model", "mode", "aspect_ratio", "strength", "style_preset", "cfg_scale",
)  # fmt: skip
_RELIGHT = _route(
    "edit/replace-background-and-relight", "background_prompt", "foreground_prompt", "preserve_original_subject",
    "original_background_depth", "keep_original_background", "light_source_direction", "light_source_strength",
    images=("subject_image", "background_reference", "light_reference"),
)  # fmt: skip

# fmt: off
_ROUTES: Mapping[str, Route] = {
    "stable-image-core": _route("generate/core", *_WORDS, "aspect_ratio", "style_preset", images=()),
    "stable-image-ultra": _route("generate/ultra", *_WORDS, "aspect_ratio", "style_preset", "strength"),
    "erase": _route("edit/erase", "mask", "grow_mask"),
    "inpaint": _route("edit/inpaint", *_WORDS, "mask", "grow_mask", "style_preset"),
    "outpaint": _route("edit/outpaint", "prompt", "left", "right", "up", "down", "creativity"),
    "search-and-replace": _route("edit/search-and-replace", "prompt", "search_prompt", "grow_mask"),
    "search-and-recolor": _route("edit/search-and-recolor", "prompt", "select_prompt"),
    "remove-background": Route(path=f"{_ROOT}/edit/remove-background", fields=frozenset({"output_format"})),
    "replace-background-and-relight": _RELIGHT,
    "fast": Route(path=f"{_ROOT}/upscale/fast", fields=frozenset({"output_format"})),
    "conservative": _route("upscale/conservative", *_WORDS, "creativity"),
    "creative": _route("upscale/creative", "prompt", "creativity", "style_preset"),
    "sketch": _route("control/sketch", "prompt", "control_strength"),
    "structure": _route("control/structure", "prompt", "control_strength"),
    "style": _route("control/style", "prompt", "fidelity", "aspect_ratio"),
    "style-transfer": _route(
        "control/style-transfer", *_WORDS, "style_strength", "composition_fidelity", "change_strength",
        images=("init_image", "style_image"),
    ),
}
# fmt: on
OPTIONS = frozenset().union(*(route.fields for route in (_SD3, *_ROUTES.values()))) - {"prompt", "model", "mask"}
"""All fields that options may name; which of them an operation takes, its route says."""


def find_route(model: str) -> Route:
    """The operation that a model's name is; every other name is one of the sd3 models, which have theirs in a field."""
    return _ROUTES.get(model, _SD3)
