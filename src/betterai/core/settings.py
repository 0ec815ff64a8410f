"""What a caller may ask for, by category. What was not set is never sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from math import isfinite
from typing import Any, ClassVar, Literal, TypeVar, dataclass_transform, get_args

from msgspec import UNSET

from betterai.core.data import Data
from betterai.core.exceptions import ValidationError
from betterai.core.media import Media
from betterai.core.tools import AnyTool, ToolChoice

S = TypeVar("S", bound="Settings")
_SECRET = frozenset({"extra_headers", "extra_query"})
"""Where callers put keys: never shown."""
_NAMED = frozenset({"options", "extra_headers", "extra_query"})
"""Mappings whose keys are names."""
_OF_CONFIG = {
    "api_key": "api_key", "base_url": "base_url", "api_base": "base_url", "timeout": "timeout", "retries": "retries",
    "max_retries": "retries", "num_retries": "retries", "protocol": "protocol",
}  # fmt: skip
"""What is no setting of a call, by the names that other libraries have for it."""


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Settings:
    """Keyword settings that know which of them were given.

    Reading a setting that was not given gives None; `given()` holds exactly what was set, an explicit None too.
    Passing `UNSET` is the same as not passing the setting at all.
    """

    __fields__: ClassVar[frozenset[str]] = frozenset()
    __types__: ClassVar[Mapping[str, tuple[type, ...]]] = {}
    __items__: ClassVar[Mapping[str, tuple[type, ...]]] = {}
    """What the lists and mappings among them may hold."""
    __least__: ClassVar[Mapping[str, int]] = {}
    """What is a number that is never below this one."""

    def __init_subclass__(cls) -> None:
        names = {name for kind in cls.__mro__ for name in getattr(kind, "__annotations__", {})}
        cls.__fields__ = frozenset(name for name in names if not name.startswith("__"))

    def __init__(self, **given: Any) -> None:
        for name, value in given.items():
            if name not in self.__fields__:
                raise ValidationError(f"{type(self).__name__} has no setting {name!r}{_suggest(name, self.__fields__)}")
            if value is UNSET:
                continue
            expected = self.__types__.get(name)
            if expected and value is not None and value.__class__ not in expected and _is_stray(value, expected):
                wanted = " or ".join(kind.__name__ for kind in expected)
                raise ValidationError(f"{name} must be {wanted}, not {type(value).__name__} ({value!r:.60})")
            if isinstance(value, float):
                if not isfinite(value):
                    raise ValidationError(f"{name} must be a finite number, not {value}")
                value = float(value)  # numpy's are floats too, and not written as JSON
            if value is not None and (held := self.__items__.get(name)):
                _check_items(name, value, held)
            if value is not None and (least := self.__least__.get(name)) is not None and value < least:
                raise ValidationError(
                    f"{name} must be at least {least}, not {value}", hint=f"leave out {name} for none"
                )
            self.__dict__[name] = value

    def given(self) -> dict[str, Any]:
        """What was set, by name."""
        return self.__dict__

    def replace(self: S, **changes: Any) -> S:
        """A copy with these settings set; `UNSET` takes one out."""
        return type(self)(**{**self.__dict__, **changes})

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"settings do not change: use settings.replace({name}=…)")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        raise TypeError("settings may hold lists and dicts, so they have no hash")

    def __repr__(self) -> str:
        shown = {name: "***" if name in _SECRET else f"{value!r:.80}" for name, value in self.__dict__.items()}
        return f"{type(self).__name__}({', '.join(f'{name}={value}' for name, value in shown.items())})"


def _check_items(name: str, value: Any, expected: tuple[type, ...]) -> None:
    for place, item in value.items() if isinstance(value, Mapping) else enumerate(value):
        if not isinstance(item, expected):
            wanted = " or ".join(kind.__name__ for kind in expected)
            hint = _hint_at_tool(item) if name == "tools" else ""
            raise ValidationError(f"{name}[{place!r}] must be {wanted}, not {type(item).__name__}", hint=hint)
        if name in _NAMED and not isinstance(place, str):
            raise ValidationError(f"the names in {name} must be str, not {type(place).__name__}")


def _hint_at_tool(item: Any) -> str:
    if isinstance(item, Mapping):
        return "write betterai.Tool(name=…, description=…, parameters=…)"
    return "make a tool of a function with betterai.tool" if callable(item) else ""


def _suggest(name: str, known: frozenset[str]) -> str:
    if name in _OF_CONFIG:
        return f"; it is of the configuration: config=betterai.CoreConfig({_OF_CONFIG[name]}=…)"
    if name == "stream":
        return "; betterai.stream gives the answer as it comes"
    near = get_close_matches(name, known, n=3)
    return f"; did you mean {' or '.join(near)}?" if near else f"; it has {', '.join(sorted(known))}"


def _is_stray(value: Any, expected: tuple[type, ...]) -> bool:
    return not isinstance(value, expected) or isinstance(value, bool)


class CallSettings(Settings):
    """What the settings of all categories share."""

    options: Mapping[str, Mapping[str, Any]] | None = None
    """Options of single vendors, by vendor: `{"vendor": {…}}`. What is for another than the one asked is reported."""
    extra_body: Mapping[str, Any] | None = None
    """Fields that go into the request's body as they are: objects into objects, everything else on top of ours."""
    extra_headers: Mapping[str, str] | None = None
    extra_query: Mapping[str, str] | None = None


class ReasoningControl(Data, frozen=True, kw_only=True):
    """How much the model may think, and what of it comes back. Each provider is given the form it knows.

    `effort`: none, minimal, low, medium, high, xhigh, max. `budget`: at most this many tokens. `enabled`: on or off,
    where a model knows only that. `include`: False keeps the thoughts from the answer. `format` and `summary` are the
    vendors' words (raw, parsed, hidden; auto, concise, detailed).
    """

    effort: str | None = None
    budget: int | None = None
    enabled: bool | None = None
    include: bool | None = None
    format: str | None = None
    summary: str | None = None


class PromptCache(Data, frozen=True, kw_only=True):
    """How prompts are cached: `key` groups like prompts, `mode` and `ttl` and `retention` are the vendors' words."""

    key: str | None = None
    mode: str | None = None
    ttl: str | None = None
    retention: str | None = None


class WebSearch(Data, frozen=True, kw_only=True):
    """Let the provider search the web while it answers. `user_location` as the vendor documents it."""

    context_size: str | None = None
    user_location: Mapping[str, Any] | None = None


class AudioOutput(Data, frozen=True, kw_only=True):
    """A spoken answer of a text model: voice (a name, or the vendor's object) and format (wav, mp3, pcm16 …)."""

    voice: str | Mapping[str, Any] | None = None
    format: str | None = None


class StreamOptions(Data, frozen=True, kw_only=True):
    """Usage is asked for in every stream unless `include_usage` is False."""

    include_usage: bool | None = None
    include_obfuscation: bool | None = None


_NUMBER = (int, float)
_QUERY = (str, int, float, list, tuple)
BESIDE_ITEMS: Mapping[str, tuple[type, ...]] = {"options": (Mapping,), "extra_headers": (str,), "extra_query": _QUERY}
"""Of what the settings of all categories share."""


class GenerationSettings(CallSettings):
    """Settings of text generation. What a provider cannot take is reported in `response.warnings`, or raises."""

    __types__: ClassVar[Mapping[str, tuple[type, ...]]] = {
        "temperature": _NUMBER, "top_p": _NUMBER, "top_k": (int,), "min_p": _NUMBER, "max_tokens": (int,),
        "stop": (str, list, tuple), "seed": (int,), "n": (int,), "frequency_penalty": _NUMBER,
        "presence_penalty": _NUMBER, "logit_bias": (Mapping,), "logprobs": (bool,), "top_logprobs": (int,),
        "tools": (list, tuple), "tool_choice": (str, ToolChoice), "parallel_tool_calls": (bool,),
        "reasoning": (str, int, bool, ReasoningControl), "verbosity": (str,), "modalities": (list, tuple),
        "audio": (AudioOutput,), "prediction": (str, list, tuple), "cache": (PromptCache,),
        "web_search": (WebSearch, bool), "moderation": (Mapping,), "service_tier": (str,), "store": (bool,),
        "metadata": (Mapping,), "user": (str,), "safety_identifier": (str,),
        "stream_options": (StreamOptions,), "spelling": (frozenset,), "options": (Mapping,),
        "extra_body": (Mapping,), "extra_headers": (Mapping,), "extra_query": (Mapping,),
    }  # fmt: skip
    __items__: ClassVar[Mapping[str, tuple[type, ...]]] = {
        "tools": get_args(AnyTool), "stop": (str,), "modalities": (str,), "logit_bias": _NUMBER,
        "prediction": (str, Mapping), **BESIDE_ITEMS,
    }  # fmt: skip
    __least__: ClassVar[Mapping[str, int]] = dict.fromkeys(("max_tokens", "n", "top_logprobs"), 0)

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    max_tokens: int | None = None
    """At most this many output tokens, reasoning too where the provider counts it so."""
    stop: str | Sequence[str] | None = None
    seed: int | None = None
    n: int | None = None
    """How many answers; the second and later ones are in `response.alternatives`."""
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    logit_bias: Mapping[str, float] | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    tools: Sequence[AnyTool] | None = None
    tool_choice: Literal["auto", "none", "required"] | str | ToolChoice | None = None
    """auto, none, required, or the name of the one tool to call."""
    parallel_tool_calls: bool | None = None
    response_format: Any = None
    """A type (msgspec Struct, dataclass, TypedDict, Pydantic model …), a JSON Schema, or `JsonSchema`/`JsonObject`."""
    reasoning: str | int | bool | ReasoningControl | None = None
    """An effort, a budget in tokens, on or off, or a `ReasoningControl`."""
    verbosity: str | None = None
    modalities: Sequence[str] | None = None
    audio: AudioOutput | None = None
    prediction: str | Sequence[Mapping[str, Any]] | None = None
    """Text that the answer will mostly repeat."""
    cache: PromptCache | None = None
    web_search: WebSearch | bool | None = None
    moderation: Mapping[str, Any] | None = None
    service_tier: str | None = None
    store: bool | None = None
    metadata: Mapping[str, str] | None = None
    user: str | None = None
    safety_identifier: str | None = None
    stream_options: StreamOptions | None = None
    spelling: frozenset[str] | None = None
    """Set by server halves: which of two names for one setting the caller wrote; codecs of that protocol keep it."""


_BESIDE: Mapping[str, tuple[type, ...]] = {
    "options": (Mapping,), "extra_body": (Mapping,), "extra_headers": (Mapping,), "extra_query": (Mapping,),
}  # fmt: skip
_LIST = (list, tuple)


class ImageSettings(CallSettings):
    """Settings of image generation. `size` is "1024x1024"; `aspect` is "16:9"; one of them is enough."""

    __types__: ClassVar[Mapping[str, tuple[type, ...]]] = {
        "size": (str,), "aspect": (str,), "n": (int,), "quality": (str,), "style": (str,), "format": (str,),
        "compression": (int,), "background": (str,), "seed": (int,), "steps": (int,), "guidance": _NUMBER,
        "negative_prompt": (str,), "images": _LIST, "mask": (Media,), "partial_images": (int,), "moderation": (str,),
        "user": (str,), **_BESIDE,
    }  # fmt: skip
    __items__: ClassVar[Mapping[str, tuple[type, ...]]] = {"images": (Media,), **BESIDE_ITEMS}
    __least__: ClassVar[Mapping[str, int]] = dict.fromkeys(("n", "compression", "steps", "partial_images"), 0)

    size: str | None = None
    aspect: str | None = None
    n: int | None = None
    quality: str | None = None
    style: str | None = None
    format: str | None = None
    compression: int | None = None
    background: str | None = None
    seed: int | None = None
    steps: int | None = None
    guidance: float | None = None
    negative_prompt: str | None = None
    images: Sequence[Media] | None = None
    """Reference images, or the picture to edit."""
    mask: Media | None = None
    partial_images: int | None = None
    moderation: str | None = None
    user: str | None = None


class VideoSettings(CallSettings):
    """Settings of video generation: `seconds` of film, `size` "1280x720" or `aspect` and `resolution`."""

    __types__: ClassVar[Mapping[str, tuple[type, ...]]] = {
        "seconds": _NUMBER, "size": (str,), "aspect": (str,), "resolution": (str,), "fps": (int,), "n": (int,),
        "seed": (int,), "negative_prompt": (str,), "audio": (bool,), "first_frame": (Media,), "last_frame": (Media,),
        "images": _LIST, "video": (Media,), **_BESIDE,
    }  # fmt: skip
    __items__: ClassVar[Mapping[str, tuple[type, ...]]] = {"images": (Media,), **BESIDE_ITEMS}
    __least__: ClassVar[Mapping[str, int]] = dict.fromkeys(("seconds", "fps", "n"), 0)

    seconds: float | None = None
    size: str | None = None
    aspect: str | None = None
    resolution: str | None = None
    fps: int | None = None
    n: int | None = None
    seed: int | None = None
    negative_prompt: str | None = None
    audio: bool | None = None
    first_frame: Media | None = None
    last_frame: Media | None = None
    images: Sequence[Media] | None = None
    video: Media | None = None


class TranscriptionSettings(CallSettings):
    """Settings of speech to text. `language` is a BCP 47 tag; `timestamps` are "word" or "segment"."""

    __types__: ClassVar[Mapping[str, tuple[type, ...]]] = {
        "language": (str,), "prompt": (str,), "keywords": _LIST, "timestamps": _LIST, "diarize": (bool,),
        "speakers": (int,), "temperature": _NUMBER, "translate": (bool,), "sample_rate": (int,), "channels": (int,),
        "encoding": (str,), "interim": (bool,), **_BESIDE,
    }  # fmt: skip
    __items__: ClassVar[Mapping[str, tuple[type, ...]]] = {
        "keywords": (str,), "timestamps": (str,), **BESIDE_ITEMS,
    }  # fmt: skip
    __least__: ClassVar[Mapping[str, int]] = dict.fromkeys(("speakers", "sample_rate", "channels"), 0)

    language: str | None = None
    prompt: str | None = None
    keywords: Sequence[str] | None = None
    timestamps: Sequence[Literal["word", "segment"]] | None = None
    diarize: bool | None = None
    speakers: int | None = None
    temperature: float | None = None
    translate: bool | None = None
    sample_rate: int | None = None
    """Of raw audio that is streamed in, in Hz."""
    channels: int | None = None
    encoding: str | None = None
    interim: bool | None = None


class SpeechSettings(CallSettings):
    """Settings of text to speech. `format` is mp3, wav, pcm, opus …; `sample_rate` in Hz; `speed` 1.0 is normal."""

    __types__: ClassVar[Mapping[str, tuple[type, ...]]] = {
        "voice": (str,), "format": (str,), "sample_rate": (int,), "speed": _NUMBER, "language": (str,),
        "instructions": (str,), "seed": (int,), "alignment": (bool,), **_BESIDE,
    }  # fmt: skip
    __items__: ClassVar[Mapping[str, tuple[type, ...]]] = BESIDE_ITEMS
    __least__: ClassVar[Mapping[str, int]] = dict.fromkeys(("sample_rate", "speed"), 0)

    voice: str | None = None
    format: str | None = None
    sample_rate: int | None = None
    speed: float | None = None
    language: str | None = None
    instructions: str | None = None
    seed: int | None = None
    alignment: bool | None = None


class EmbeddingSettings(CallSettings):
    """Settings of embeddings. `task` is what the vectors are for: "query", "document", "similarity", "classification",
    "clustering" are known to each vendor in its own word; any other word is sent as it is. `truncate` says whether
    texts that are too long for the model may be cut; without it, it is the vendor's choice.
    """

    __types__: ClassVar[Mapping[str, tuple[type, ...]]] = {
        "dimensions": (int,), "task": (str,), "encoding": (str,), "truncate": (bool,), "user": (str,), **_BESIDE,
    }  # fmt: skip
    __items__: ClassVar[Mapping[str, tuple[type, ...]]] = BESIDE_ITEMS
    __least__: ClassVar[Mapping[str, int]] = dict.fromkeys(("dimensions",), 0)

    dimensions: int | None = None
    task: str | None = None
    encoding: Literal["float", "int8", "uint8", "binary", "ubinary"] | None = None
    """What the vectors are made of. A binary vector has a number for each eight dimensions, which are its bits."""
    truncate: bool | None = None
    user: str | None = None


class RerankSettings(CallSettings):
    """Settings of ranking: the `top` best of the documents, at most `max_tokens` read of each."""

    __types__: ClassVar[Mapping[str, tuple[type, ...]]] = {
        "top": (int,), "max_tokens": (int,), "truncate": (bool,), **_BESIDE,
    }  # fmt: skip
    __items__: ClassVar[Mapping[str, tuple[type, ...]]] = BESIDE_ITEMS
    __least__: ClassVar[Mapping[str, int]] = dict.fromkeys(("top", "max_tokens"), 0)

    top: int | None = None
    max_tokens: int | None = None
    truncate: bool | None = None


class ModerationSettings(CallSettings):
    """Settings of moderation: what all categories share."""

    __types__: ClassVar[Mapping[str, tuple[type, ...]]] = _BESIDE
    __items__: ClassVar[Mapping[str, tuple[type, ...]]] = BESIDE_ITEMS
