"""The router: a text provider made of text providers."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from random import Random
from typing import TYPE_CHECKING

from msgspec.structs import replace

from betterai.config.environment import complete_config
from betterai.core.base import BaseTextProvider
from betterai.core.config import CoreConfig, Retries, Timeout
from betterai.core.exceptions import (
    APIConnectionError,
    APITimeoutError,
    AuthenticationError,
    BetterAIError,
    ModelNotFoundError,
    OverloadedError,
    PermissionDeniedError,
    QuotaExceededError,
    RateLimitError,
    ValidationError,
)
from betterai.core.message import Messages
from betterai.core.model import ModelConfig
from betterai.core.response import ProviderResponse, TextChunk
from betterai.core.results import TokenCount
from betterai.core.routing import Breaker, Choose, Hedge, OnBreak, Target
from betterai.core.settings import GenerationSettings
from betterai.runtime.attempts import SYSTEM_CLOCK, Clock, read_retries, read_timeout
from betterai.runtime.router.asked import fit_settings
from betterai.runtime.router.call import RoutedCall
from betterai.runtime.router.health import Health
from betterai.runtime.router.hedging import Hedging
from betterai.runtime.router.routes import Lane, Route
from betterai.runtime.router.streaming import stream_answer
from betterai.runtime.router.turns import Turns

if TYPE_CHECKING:
    from betterai.runtime.client import Client, Found

_NO_SETTINGS = GenerationSettings()


class Router(BaseTextProvider):
    """Several targets as one text provider: a call that one of them fails is answered by the next.

        router = betterai.Router(["groq/…", Target("deepseek/…", weight=2), provider], on_break="restart")
        response = await router.generate("Hello")
        async for chunk in betterai.stream(router, "Hello"): …

    `choose` says who is asked first, `on_break` what becomes of a stream that broke after its first content. `timeout`
    and `retries` hold for a whole call: attempts, over all targets together (without `retries` three, and at least one
    for each target and key). `sticky` keeps a conversation where it began.

    It holds no connections: targets that are names are reached through `client`, or the module's own.
    """

    def __init__(
        self,
        targets: Sequence[str | BaseTextProvider | Target],
        *,
        choose: Choose = "order",
        on_break: OnBreak = "fail",
        hedge: Hedge | None = None,
        breaker: Breaker = Breaker(),  # noqa: B008 (a value that never changes)
        timeout: float | Timeout | None = None,
        retries: int | Retries | None = None,
        queue: int = 1024,
        client: Client | None = None,
        clock: Clock = SYSTEM_CLOCK,
        random: Random | None = None,
        name: str = "",
    ) -> None:
        self.name = name
        self.choose = choose
        self.on_break = on_break
        self.clock = clock
        self.random = random or Random()
        self.breaker = breaker
        self.health = Health(breaker)
        self.turns = Turns(queue)
        self.hedging = Hedging(hedge)
        limits = complete_config(CoreConfig(timeout=timeout, retries=retries))
        self.timeout = read_timeout(limits.timeout)
        self.unsupported = limits.unsupported
        self._client = client
        made = [target if isinstance(target, Target) else Target(target) for target in targets]
        if not made:
            raise ValidationError("a router has at least one target")
        self.lanes = tuple(Lane(target, index, self._find, limits) for index, target in enumerate(made))
        self.routes: tuple[Route, ...] = tuple(route for lane in self.lanes for route in lane.routes)
        self.retries = read_retries(limits.retries)
        if limits.retries is None:
            self.retries = replace(self.retries, attempts=max(self.retries.attempts, len(self.routes)))

    async def generate(
        self, messages: Messages, model: str = "", settings: GenerationSettings | None = None
    ) -> ProviderResponse:
        """Generate one answer. Raises `BetterAIError`; its `attempts` list all that was tried."""
        self._check_model(model)
        call = RoutedCall(self, messages, settings or _NO_SETTINGS, streaming=False)
        answer = await call.reach()
        assert answer.response is not None
        return call.complete(answer.response, answer)

    async def generate_stream(
        self, messages: Messages, model: str = "", settings: GenerationSettings | None = None
    ) -> AsyncGenerator[TextChunk, None]:
        """Stream one answer. What breaks before the first content is not seen. Raises `BetterAIError`."""
        self._check_model(model)
        call = RoutedCall(self, messages, settings or _NO_SETTINGS, streaming=True)
        chunks = stream_answer(call)
        try:
            async for chunk in chunks:
                yield chunk
        finally:
            await chunks.aclose()

    async def count_tokens(
        self, messages: Messages, model: str = "", settings: GenerationSettings | None = None
    ) -> TokenCount:
        """How many input tokens a call would have at the first target. Raises `BetterAIError`."""
        from betterai.runtime.count import count_tokens

        self._check_model(model)
        route = self.routes[0]
        provider = route.open()
        asked, _ = fit_settings(settings or _NO_SETTINGS, route, self)
        return await count_tokens(provider, messages, route.model, asked)

    def list_models(self) -> list[ModelConfig | None]:
        """The models of its targets, None for what is a class and names none. Raises `BetterAIError`."""
        return [getattr(lane.routes[0].open(), "model", None) for lane in self.lanes]

    def _check_model(self, model: str) -> None:
        if model and model != self.name:
            raise ValidationError(f"a router chooses the model, so {model!r} cannot be asked for", hint="leave it out")

    def _find(self, config: CoreConfig) -> Found:
        from betterai.runtime.client import default_client

        return (self._client or default_client()).look_up(config)

    def find_delay(self, call: RoutedCall, route: Route) -> float | None:
        """After how many seconds a second target is asked beside this one; None for never."""
        if call.trial:
            return self.breaker.patience
        return None if self.hedging.hedge is None else self.hedging.find_delay(call, route)

    def remember(self, call: RoutedCall, route: Route) -> None:
        pass

    def name_caller(self, settings: GenerationSettings) -> str:
        return settings.user or ""

    def blame(self, route: Route, error: Exception, now: float) -> None:
        """Note a failure where it belongs."""
        health = self.health
        if isinstance(error, QuotaExceededError):
            health.refuse(route.place("account"), now)
        elif isinstance(error, RateLimitError):
            health.pause(route.place("route"), now + (error.retry_after or self.breaker.interval))
        elif isinstance(error, AuthenticationError):
            health.refuse(route.place("key"), now)
        elif isinstance(error, PermissionDeniedError | ModelNotFoundError):
            health.refuse(route.place("route"), now)
        elif isinstance(error, APITimeoutError):
            health.blame(route.place("region"), now, at_once=True)
        elif isinstance(error, APIConnectionError):
            health.blame(route.place("region"), now, at_once=False)
        elif isinstance(error, OverloadedError) or not isinstance(error, BetterAIError):
            health.blame(route.place("model"), now, at_once=False)

    async def aclose(self) -> None:
        """Close what class providers of its own hold; providers that were given are yours to close."""
        for route in self.routes:
            await route.aclose()
