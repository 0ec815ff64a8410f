"""The router: a text provider made of text providers."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Collection, Coroutine, Mapping, Sequence
from random import Random
from typing import TYPE_CHECKING, Any, Literal, Unpack

from msgspec.structs import replace

from betterai.config.environment import complete_config
from betterai.core.base import BaseTextProvider
from betterai.core.config import CoreConfig, Retries, Timeout
from betterai.core.exceptions import ValidationError
from betterai.core.message import Message, Messages
from betterai.core.model import ModelConfig
from betterai.core.options import GenerationOptions
from betterai.core.response import CallWarning, Output, ProviderResponse, TextChunk
from betterai.core.results import TokenCount
from betterai.core.routing import ROUTER_PREFIX, Breaker, Choose, Hedge, OnBreak, Target
from betterai.core.settings import GenerationSettings
from betterai.runtime.attempts import SYSTEM_CLOCK, Clock, read_retries, read_timeout
from betterai.runtime.messages import read_messages
from betterai.runtime.observing.calls import ObservedTextProvider, Subject
from betterai.runtime.retry_quota import RetryQuota
from betterai.runtime.router.affinity import Affinity, NameConversation
from betterai.runtime.router.asked import fit_settings
from betterai.runtime.router.call import RoutedCall
from betterai.runtime.router.checks import check_choices, check_client, check_functions, check_kinds, check_queue
from betterai.runtime.router.health import Health
from betterai.runtime.router.hedging import Hedging
from betterai.runtime.router.routes import Lane, Route
from betterai.runtime.router.silence import LENIENCE
from betterai.runtime.router.streaming import stream_answer
from betterai.runtime.router.turns import Turns
from betterai.runtime.stream import TextStream

if TYPE_CHECKING:
    from betterai.runtime.client import Client, Found
    from betterai.runtime.router.status import RouterStatus

_NO_SETTINGS = GenerationSettings()


class Router(ObservedTextProvider):
    """Several targets as one text provider: a call that one of them fails is answered by the next.

        router = betterai.Router(["groq/…", Target("deepseek/…", weight=2), provider], on_break="restart")
        response = await router.generate("Hello")
        async for chunk in router.stream("Hello", temperature=0.2): …

    `choose` says who is asked first: the targets in their order, one drawn by weight, the quickest, the least busy.
    `on_break` is for streams that broke after their first content: fail, begin anew elsewhere, or go on there.
    `timeout` and `retries` hold for a whole call, whichever targets it asks (without `retries` three attempts, and at
    least one for each target and key). `sticky` keeps a conversation where it was answered last, while that is well;
    it is known by its beginning, or by what a function of messages and settings says. `also_after` lets a call go on
    where a filter refused it, or its answer does not fit. At most `queue` calls wait for a place at a target, callers
    taking turns: `settings.user`, or what `caller` says of the settings.

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
        also_after: Collection[Literal["content_filter", "output"]] = (),
        sticky: bool | NameConversation = False,
        queue: int = 1024,
        caller: Callable[[GenerationSettings], str] | None = None,
        client: Client | None = None,
        clock: Clock = SYSTEM_CLOCK,
        random: Random | None = None,
        name: str = "",
    ) -> None:
        if isinstance(targets, str) or not targets:
            raise ValidationError("a router has a list of targets, one at least", hint='write Router(["…", "…"])')
        check_choices(choose, on_break, also_after)
        check_functions(sticky, caller)
        check_kinds(hedge=(hedge, Hedge, None), breaker=(breaker, Breaker), random=(random, Random, None))
        check_queue(queue)
        check_client(client)
        self.name = name
        self.choose = choose
        self.on_break = on_break
        self.also_after = also_after
        self.clock = clock
        self.random = random or Random()
        self.breaker = breaker
        self.health = Health(breaker)
        self.sticky = bool(sticky)
        self.affinity = Affinity(sticky)
        self.turns = Turns(queue)
        self._caller = caller
        self.hedging = Hedging(hedge)
        base = client.config if client is not None else CoreConfig()
        given = {"timeout": timeout, "retries": retries}
        limits = complete_config(replace(base, **{key: value for key, value in given.items() if value is not None}))
        self.timeout = read_timeout(limits.timeout)
        self.states_first_byte = isinstance(limits.timeout, Timeout)
        """Whether the caller has set a limit for the first byte, and not only for the whole."""
        self.unsupported = limits.unsupported
        self._client = client
        made = [target if isinstance(target, Target) else Target(target) for target in targets]
        self.lanes = tuple(Lane(target, index, self._find, limits) for index, target in enumerate(made))
        self.routes: tuple[Route, ...] = tuple(route for lane in self.lanes for route in lane.routes)
        self.retries = read_retries(limits.retries)
        self.quota = RetryQuota() if self.retries.throttle else None
        if limits.retries is None:
            self.retries = replace(self.retries, attempts=max(self.retries.attempts, len(self.routes)))

    @staticmethod
    def from_config(name: str, *, client: Client | None = None) -> Router:
        """The router that the configuration file declares as `[routers.NAME]`. Raises `BetterAIError`."""
        from betterai.runtime.router.declared import make_router

        return make_router(name, client)

    def generate(
        self,
        messages: Messages,
        model: str = "",
        settings: GenerationSettings | Mapping[str, Any] | None = None,
        *,
        system: str | None = None,
        **options: Unpack[GenerationOptions[Output]],
    ) -> Coroutine[Any, Any, ProviderResponse[Output]]:
        """Generate one answer: `await router.generate("Hello", temperature=0.2)`. Raises `BetterAIError`."""
        if system or options or not (settings is None or isinstance(settings, GenerationSettings)):
            messages, settings = _read_call(messages, system, settings, options)
        return super().generate(messages, model, settings)

    def generate_stream(
        self,
        messages: Messages,
        model: str = "",
        settings: GenerationSettings | Mapping[str, Any] | None = None,
    ) -> AsyncGenerator[TextChunk, None]:
        """Stream one answer, as providers do; `stream` is the comfortable way. Raises `BetterAIError`."""
        if not (settings is None or isinstance(settings, GenerationSettings)):
            messages, settings = _read_call(messages, None, settings, {})
        return super().generate_stream(messages, model, settings)

    def stream(
        self,
        messages: Messages,
        *,
        system: str | None = None,
        settings: GenerationSettings | Mapping[str, Any] | None = None,
        **options: Unpack[GenerationOptions[Output]],
    ) -> TextStream[Output]:
        """Stream one answer: `async for chunk in router.stream("Hello", temperature=0.2)`, as `betterai.stream`."""
        messages, settings = _read_call(messages, system, settings, options)
        return TextStream(super().generate_stream(messages, "", settings), self.name)

    def check(self) -> tuple[CallWarning, ...]:
        """Look all targets up now, with their keys: what is misspelt is else found when it is asked for the first time.
        Nothing is sent. The warnings name models that the catalogue does not list. Raises `BetterAIError`.
        """
        from betterai.runtime.router.resolving import check_targets

        return check_targets(self)

    def _describe(self, model: str) -> Subject:
        return Subject(provider="router", model=self.name.removeprefix(ROUTER_PREFIX), wraps=True)

    async def _generate(self, messages: Messages, model: str, settings: GenerationSettings) -> ProviderResponse:
        if model:
            self._check_model(model)
        call = RoutedCall(self, messages, settings, streaming=False)
        answer = await call.reach()
        assert answer.response is not None
        return call.complete(answer.response, answer)

    def _generate_stream(
        self, messages: Messages, model: str, settings: GenerationSettings
    ) -> AsyncGenerator[TextChunk, None]:
        self._check_model(model)
        return stream_answer(self, messages, settings)

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

    def status(self) -> RouterStatus:
        """How it is doing now, target by target."""
        from betterai.runtime.router.status import describe_router

        return describe_router(self)

    def list_models(self) -> list[ModelConfig | None]:
        """The models of its targets, None for what is a class and names none. Raises `BetterAIError`."""
        return [getattr(lane.routes[0].open(), "model", None) for lane in self.lanes]

    def _check_model(self, model: str) -> None:
        if model and model != self.name:
            raise ValidationError(f"a router chooses the model, so {model!r} cannot be asked for", hint="leave it out")

    def _find(self, config: CoreConfig) -> Found:
        from betterai.runtime.client import default_client

        client = self._client or default_client()
        return client._find(config.model, None) if config.model.startswith(ROUTER_PREFIX) else client.look_up(config)

    def find_delay(self, call: RoutedCall, route: Route) -> float | None:
        """After how many seconds a second target is asked beside this one; None for never."""
        if call.trial:
            usual = route.lane.times(streaming=call.streaming).mean
            return max(self.breaker.patience, LENIENCE * (usual or 0.0))
        return None if self.hedging.hedge is None else self.hedging.find_delay(call, route)

    def name_caller(self, settings: GenerationSettings) -> str:
        """Whose turn it is in a queue."""
        return self._caller(settings) if self._caller is not None else settings.user or ""

    async def aclose(self) -> None:
        """Close what class providers of its own hold; providers that were given are yours to close."""
        for route in self.routes:
            await route.aclose()


def _read_call(
    messages: Messages,
    system: str | None,
    settings: GenerationSettings | Mapping[str, Any] | None,
    options: GenerationOptions[Any],
) -> tuple[Messages, GenerationSettings]:
    """As the short ways read it."""
    from betterai.runtime.client import merge_settings

    given = (Message.system(system), *read_messages(messages)) if system else messages
    return given, merge_settings(settings, options)
