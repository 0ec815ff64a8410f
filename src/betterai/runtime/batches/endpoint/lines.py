"""The lines of a batch, made ready: each as a plain call is sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from betterai.config.providers import ALL_MODELS
from betterai.core.batches import BatchRequest
from betterai.core.codec import BatchCodec
from betterai.core.config import CoreConfig
from betterai.core.data import Data
from betterai.core.exceptions import ConfigurationError, UnsupportedParam, ValidationError
from betterai.core.model import Category, ModelConfig
from betterai.core.provider import Provider
from betterai.core.response import CallWarning
from betterai.core.settings import CallSettings
from betterai.core.wire import WireRequest
from betterai.runtime.batches.requests import SETTINGS
from betterai.runtime.connection import TransportSource
from betterai.runtime.factory import find_provider
from betterai.runtime.inputs import read_inputs, read_texts
from betterai.runtime.packing import pack_settings, unpack_settings
from betterai.runtime.registry import choose_protocol, provider_names, resolve_model


class StoredLine(Data, frozen=True, kw_only=True):
    """What is kept of a line, to read its answer by: its model, protocol and settings, and how many inputs it had."""

    model: str
    protocol: str
    settings: Mapping[str, Any]
    inputs: int = 1
    warnings: tuple[CallWarning, ...] = ()

    def read_settings(self, category: Category) -> CallSettings:
        return SETTINGS[category](**unpack_settings(self.settings))


class LinePlanner:
    """Makes a request into the one that a plain call would send. Each model may be asked over a protocol of its own."""

    def __init__(
        self,
        provider: Provider,
        codec: BatchCodec,
        config: CoreConfig,
        category: Category,
        transport: TransportSource | None,
    ) -> None:
        self._provider = provider
        self._codec = codec
        self._config = config
        self._category = category
        self._transport = transport
        self._runners: dict[str, tuple[Any, ModelConfig]] = {}
        self.parsers: dict[bytes, Callable[[str], Any]] = {}
        """How to read answers as the types that they were asked for, by schema."""

    async def plan(self, request: BatchRequest, model: str) -> tuple[StoredLine, WireRequest, str]:
        """What to keep of the line, its request, and the model's id. Raises `ValidationError`."""
        runner, found = self.find(request.model or model)
        settings: Any = request.settings if request.settings is not None else SETTINGS[self._category]()
        given = request.input
        if self._category == "embeddings":
            given = read_texts(given)
        elif self._category == "moderation":
            given = read_inputs(given)
        plan = await runner.plan(given, found.id, settings)
        if plan.request is None or plan.codec.protocol not in self._codec.carries[self._category]:
            raise UnsupportedParam(f"the batches of {self._provider.title} do not carry {plan.codec.protocol}")
        parse = getattr(plan, "parse", None)
        if parse is not None:
            self.parsers[schema_key(plan.call.settings)] = parse
        kept = StoredLine(
            model=found.id,
            protocol=plan.codec.protocol,
            settings=pack_settings(plan.call.settings),
            inputs=len(plan.call.input) if self._category != "text" and not isinstance(plan.call.input, str) else 1,
            warnings=plan.request.warnings,
        )
        return kept, plan.request, found.id

    def find(self, name: str) -> tuple[Any, ModelConfig]:
        """The runner and the model behind a name. Raises `ValidationError` for a model of another provider."""
        known = self._runners.get(name)
        if known is not None:
            return known
        own = f"{self._provider.name}/"
        key = name if name.startswith(own) else f"{own}{name}"
        whose = name.partition("/")[0]
        if ALL_MODELS.find(key) is None and whose != self._provider.name and whose in provider_names():
            raise ValidationError(
                f"{name} is a model of another provider than the batch's", hint="make a batch for each provider"
            )
        model = resolve_model(key, self._category)
        config = msgspec.structs.replace(self._config, model=model.key, protocol=self._choose(model))
        runner, found, _ = find_provider(self._category, config, transport=self._transport)
        self._runners[name] = runner, found
        return runner, found

    def target(self, line: StoredLine) -> str:
        """The endpoint that a line is for."""
        return self._codec.carries[self._category][line.protocol]

    def _choose(self, model: ModelConfig) -> str:
        """The protocol to force: "" where the model's own one is carried."""
        carried = self._codec.carries.get(self._category)
        if not carried:
            raise ConfigurationError(
                f"the batches of {self._provider.title} carry no {self._category}",
                hint=f"they carry {', '.join(self._codec.carries)}",
                provider=self._provider.name,
            )
        wanted = self._config.protocol if self._config.protocol in carried else ""
        own = choose_protocol(self._provider, self._category, model, wanted)
        if own.protocol in carried:
            return wanted
        return next(name for name in carried if name in self._provider.protocols[self._category])


def schema_key(settings: CallSettings) -> bytes:
    """What tells two response formats apart."""
    try:
        return msgspec.json.encode(settings.given().get("response_format"))
    except (TypeError, ValueError):
        return b""
