"""How the models that Runway serves are asked, each in its maker's words (runwayml 5.24.0, types/*_params.py)."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

from betterai.core.data import Data


class Family(Data, frozen=True, kw_only=True):
    """`needs` is what is sent where the caller says nothing of it, for the model takes no request without; `of_text` is
    the same, for films of a text alone.
    """

    needs: Mapping[str, str | int] = {}
    of_text: Mapping[str, str | int] = {}
    video: str = "videoUri"
    """The field of the film that another one is made of."""
    aspects: bool = False
    """Whether `ratio` is an aspect, and `resolution` a field of its own; else `ratio` is pixels, and says both."""
    references: bool = False
    """Whether films of texts and of films take `references`."""


_WIDE = {"ratio": "1280:720"}
_FAMILIES: tuple[tuple[str, Family], ...] = (
    ("gen4.5", Family(needs={**_WIDE, "duration": 5})),
    ("gen4*", Family(needs=_WIDE)),
    ("veo3*", Family(needs=_WIDE)),
    ("kling_4", Family(references=True)),
    ("kling*_4k", Family(of_text={"ratio": "3840:2160"}, video="promptVideo")),
    ("kling*[03]_pro", Family(of_text={"ratio": "1920:1080"}, video="promptVideo")),
    ("kling*_standard", Family(of_text=_WIDE, video="promptVideo")),
    ("hailuo3", Family(video="promptVideo", aspects=True, references=True)),
    ("seedance2*", Family(video="promptVideo", references=True)),
    ("grok_imagine_1_5", Family(aspects=True, references=True)),
    ("h3_max", Family(aspects=True)),
    ("wan3*", Family(references=True)),
    ("gemini_omni_flash_1.1", Family(references=True)),
)


def find_family(model: str) -> Family:
    """The family of a model; of one that is not known nothing special."""
    return next((family for pattern, family in _FAMILIES if fnmatchcase(model, pattern)), Family())
