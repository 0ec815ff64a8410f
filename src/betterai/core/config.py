"""What a caller says about a call as a whole: which model, which key, how long, how often."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from betterai.core.data import Data
from betterai.core.exceptions import ValidationError


class Timeout(Data, frozen=True, kw_only=True):
    """Four limits in seconds, each with its own error. `total` spans the retries; the others hold for one attempt."""

    connect: float = 10.0
    first_byte: float = 300.0
    idle: float = 120.0
    total: float = 1800.0


class Retries(Data, frozen=True, kw_only=True):
    """How often, and how patiently. Waits are drawn from 0 to `base` · 2ⁿ seconds, at most `cap` (full jitter);
    what the provider asks for in Retry-After is kept up to `longest`, beyond it the error is raised at once.

    `throttle`: where most retries to an address fail, in the whole process, they are held back to a tenth of its calls.
    """

    attempts: int = 3
    base: float = 0.5
    cap: float = 8.0
    longest: float = 60.0
    throttle: bool = True


_KINDS: Mapping[str, tuple[type, ...]] = {
    "model": (str,),
    "protocol": (str,),
    "api_key": (str,),
    "base_url": (str,),
    "timeout": (int, float, Timeout),
    "retries": (int, Retries),
    "hops": (int,),
    "settings": (Mapping,),
    "providers": (Mapping,),
    "options": (Mapping,),
}
_NEVER_NONE = ("model", "protocol", "hops", "settings", "providers", "options")


class CoreConfig(Data, frozen=True, kw_only=True):
    """Which model, and how to reach it. None means: the environment, then the configuration file, then the default.

    `unsupported="raise"` turns every warning about a setting into `UnsupportedParam`. `settings` are the provider's
    own (resource, region, project …), `providers` those of several, by name: `{"acme": {"api_key": …}}`; `options` go
    to class providers' constructors. `protocol` chooses among those that the provider speaks ("openai_chat",
    "openai_responses"); "" takes the model's, or the provider's first. `hops` is how many requests one answer may take
    where the provider pauses in the middle of it: 1 gives the answer as it paused.
    """

    model: str = ""
    protocol: str = ""
    api_key: str | None = None
    base_url: str | None = None
    timeout: float | Timeout | None = None
    retries: int | Retries | None = None
    unsupported: Literal["warn", "raise"] | None = None
    hops: int = 16
    settings: Mapping[str, str] = {}
    providers: Mapping[str, Mapping[str, str]] = {}
    options: Mapping[str, Any] = {}

    def __post_init__(self) -> None:
        for name, kinds in _KINDS.items():
            value = getattr(self, name)
            if value is None and name not in _NEVER_NONE:
                continue
            if not isinstance(value, kinds) or isinstance(value, bool):
                wanted = " or ".join(kind.__name__ for kind in kinds)
                raise ValidationError(f"CoreConfig: {name} must be {wanted}, not {type(value).__name__}")
        if self.unsupported not in (None, "warn", "raise"):
            raise ValidationError(f"CoreConfig: unsupported must be 'warn' or 'raise', not {self.unsupported!r}")
        if self.hops < 1:
            raise ValidationError(f"CoreConfig: an answer takes at least one request, not hops={self.hops}")
        if self.base_url == "":
            raise ValidationError("CoreConfig: base_url is empty", hint="leave it out for the provider's own")
        if self.settings:
            _check_texts("settings", self.settings)
        for name, table in self.providers.items():
            _check_texts(f"providers[{name!r}]", table)

    def __repr__(self) -> str:
        url = re.sub(r"//[^/?#]*@", "//***@", self.base_url or "") or None
        return f"CoreConfig(model={self.model!r}, base_url={url!r}, api_key={'***' if self.api_key else None})"


def _check_texts(where: str, table: object) -> None:
    """Values may be secrets, and are not shown. None is a value that is not given."""
    if not isinstance(table, Mapping):
        raise ValidationError(f"CoreConfig: {where} must be a dict of texts, not {type(table).__name__}")
    for name, value in table.items():
        if not isinstance(name, str):
            raise ValidationError(f"CoreConfig: the names in {where} must be str, not {type(name).__name__}")
        if value is not None and not isinstance(value, str):
            raise ValidationError(f"CoreConfig: {where}[{name!r}] must be str, not {type(value).__name__}")


def check_config(config: object) -> None:
    """Raises `ValidationError` for what is none, such as a model's name."""
    if not isinstance(config, CoreConfig):
        shown = f'betterai.CoreConfig(model="{config}")' if isinstance(config, str) else "betterai.CoreConfig(…)"
        raise ValidationError(f"a configuration is a CoreConfig, not {type(config).__name__}", hint=f"pass {shown}")
