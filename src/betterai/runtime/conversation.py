"""A conversation that keeps its history, its tools and its spending."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from decimal import Decimal
from typing import Any, Literal, Self, Unpack

import msgspec

from betterai.core.base import BaseTextProvider
from betterai.core.config import CoreConfig, check_config
from betterai.core.data import Data
from betterai.core.exceptions import SpendLimitReached, ValidationError
from betterai.core.media import Media
from betterai.core.message import MediaPart, Message, Messages
from betterai.core.options import GenerationOptions
from betterai.core.response import Output, ProviderResponse, TextChunk
from betterai.core.settings import GenerationSettings
from betterai.core.usage import Cost, Usage
from betterai.runtime.client import Client, default_client, merge_settings
from betterai.runtime.messages import read_messages
from betterai.runtime.spending import Spending, read_dollars
from betterai.runtime.tools.loop import Approve, ToolLoop
from betterai.runtime.tools.stream import ToolStream, ask_stream, ask_whole


class StoredConversation(Data, frozen=True, kw_only=True):
    """The stored form. A change that old programs cannot read takes the next version."""

    version: Literal[1] = 1
    model: str
    system: str | None = None
    messages: tuple[Message, ...]
    spending: Spending


class ConversationState:
    """All of a conversation but how it waits: `betterai.Conversation` and `betterai.sync.Conversation` are made of it.

    `model` and `system` may be changed between turns, and so may `messages`, which hold the history without the system
    text. `max_cost` in US dollars: `SpendLimitReached` is raised before a call once it is spent; `unknown_cost` is what
    a call counts as whose cost nobody knows, without it such a call is the last one. `config`, `settings` and the
    options hold for all turns.
    """

    def __init__(
        self,
        model: str | BaseTextProvider = "",
        *,
        system: str | None = None,
        messages: Messages = (),
        max_cost: Decimal | float | None = None,
        unknown_cost: Decimal | float | None = None,
        max_steps: int = 8,
        approve: Approve | None = None,
        client: Client | None = None,
        config: CoreConfig | None = None,
        settings: GenerationSettings | None = None,
        **options: Unpack[GenerationOptions],
    ) -> None:
        if client is not None and not isinstance(client, Client):
            raise ValidationError(f"client is a betterai.Client, not {type(client).__name__}")
        if config is not None:
            check_config(config)
        self.model = model
        self.system = system
        self.messages: list[Message] = list(read_messages(messages)) if messages else []
        self.max_steps = max_steps
        self.approve = approve
        self.settings = merge_settings(settings, options)
        self._client = client
        self._config = config
        self._spending = Spending(
            limit=read_dollars(max_cost, "max_cost"), unknown_cost=read_dollars(unknown_cost, "unknown_cost")
        )
        self._speaks = False

    @property
    def usage(self) -> Usage | None:
        """What the providers counted so far; None where none of them said anything."""
        return self._spending.usage

    @property
    def cost(self) -> Cost:
        """What was spent so far, failed turns too; its amount is None where that is not known of every call."""
        return self._spending.cost

    def fork(self) -> Self:
        """Another conversation that goes on from here. What was spent counts in both."""
        twin = type(self)(
            self.model, system=self.system, messages=tuple(self.messages), max_steps=self.max_steps,
            approve=self.approve, client=self._client, config=self._config, settings=self.settings,
        )  # fmt: skip
        twin._spending = msgspec.structs.replace(self._spending)
        return twin

    def to_json(self) -> bytes:
        """Model, system text, history and spending. Settings, tools and keys are the program's, and are not stored; nor
        is a provider in place of a model's name: pass it to `from_json` again.
        """
        return msgspec.json.encode(
            StoredConversation(
                model=name_model(self.model), system=self.system, messages=tuple(self.messages), spending=self._spending
            )
        )

    @classmethod
    def from_json(cls, data: bytes | str, **arguments: Any) -> Self:
        """A stored conversation, with tools and settings as they are given here; what is given goes before what was
        stored. Raises `ValidationError` where it is something else.
        """
        try:
            stored = msgspec.json.decode(data, type=StoredConversation)
        except msgspec.MsgspecError as error:
            raise ValidationError(f"this is no stored conversation: {error}", hint="pass what to_json gave") from error
        spending = stored.spending
        limits = {"max_cost": spending.limit, "unknown_cost": spending.unknown_cost}
        kept = {"model": stored.model, "system": stored.system, "messages": stored.messages, **limits}
        made = cls(**{**kept, **arguments})
        given = made._spending
        made._spending = msgspec.structs.replace(spending, limit=given.limit, unknown_cost=given.unknown_cost)
        return made

    def _open(self, question: Message, options: GenerationOptions[Any], *, stream: bool) -> ToolStream:
        """One turn, which begins when it is read."""
        client = self._client or default_client()
        ask = (ask_stream if stream else ask_whole)(client, self.model, self.system, self._config)
        settings = self.settings.replace(**options) if options else self.settings
        history = (*self.messages, question)
        loop = ToolLoop(
            ask, history, settings, max_steps=self.max_steps, approve=self.approve, spending=self._spending,
            listener=client.listener,
        )  # fmt: skip
        return ToolStream(loop, name_model(self.model), self._speak(loop, client, len(self.messages)))

    async def _speak(self, loop: ToolLoop, client: Client, before: int) -> AsyncGenerator[TextChunk, None]:
        if self._speaks:
            raise ValidationError("this conversation is in the middle of a turn", hint="await it, or use fork()")
        self._check_price(client)
        chunks = loop.chunks()
        self._speaks = True
        try:
            async for chunk in chunks:
                yield chunk
        finally:
            self._speaks = False
            await chunks.aclose()
            run = loop.run
            if run.finished and run.messages[-1].parts:
                self.messages += run.messages[before:]

    def _check_price(self, client: Client) -> None:
        spending = self._spending
        if spending.limit is None or spending.unknown_cost is not None:
            return
        for name in list_unpriced(client._find(self.model, self._config).provider):
            raise SpendLimitReached(
                f"no price is known for {name}, so a limit of ${spending.limit} cannot be kept",
                hint="pass unknown_cost, which a call counts as whose cost is not known",
                limit=spending.limit,
            )


class Conversation(ConversationState):
    """A conversation: `await talk.ask("Hello")`, or `async with talk.stream("Hello") as stream`.

    A turn that fails, is left early or is answered with nothing leaves the history as it was; what it cost counts all
    the same.
    """

    async def ask(
        self, text: str | Message, *media: Media, **options: Unpack[GenerationOptions[Output]]
    ) -> ProviderResponse[Output]:
        """Say something and get the answer, after as many steps with tools as it takes. Raises `BetterAIError`."""
        return await self._open(read_question(text, media), options, stream=False).collect()

    def stream(self, text: str | Message, *media: Media, **options: Unpack[GenerationOptions]) -> ToolStream:
        """The same as a stream. The turn is over when its last chunk has come."""
        return self._open(read_question(text, media), options, stream=True)


def read_question(text: str | Message, media: Iterable[Media]) -> Message:
    """A message of the user's, with media after what it says."""
    if not isinstance(text, Message):
        return Message.user(text, *media)
    return msgspec.structs.replace(text, parts=(*text.parts, *(MediaPart(media=item) for item in media)))


def name_model(model: str | BaseTextProvider) -> str:
    """How a model is stored and shown; a provider that has no name of its own is not found again by this one."""
    return model if isinstance(model, str) else getattr(model, "name", "") or f"{type(model).__name__}()"


def list_unpriced(provider: BaseTextProvider) -> list[str]:
    """Those of a provider's models whose price is not known."""
    models = provider.list_models() if hasattr(provider, "list_models") else (getattr(provider, "model", None),)
    return [
        model.key if model is not None else name_model(provider) for model in models if not getattr(model, "price", 0)
    ]
