"""Who is asked, how, and what was said so far."""

from __future__ import annotations

import asyncio
from typing import Self

from msgspec.structs import replace

from betterai.cli.answer import AnswerView
from betterai.cli.output import Output
from betterai.core.config import CoreConfig
from betterai.core.exceptions import ConfigurationError
from betterai.core.message import Message, ToolCall
from betterai.core.model import ModelConfig
from betterai.core.response import ProviderResponse
from betterai.core.settings import GenerationSettings
from betterai.runtime.client import Client
from betterai.runtime.registry import get_provider, resolve_model


class Conversation:
    """A model, how it is asked, and the turns so far. What was said stays, whichever model is asked next.

    Use it with `with`: all turns share one event loop and its connections.
    """

    def __init__(self, model: str, config: CoreConfig, settings: GenerationSettings, output: Output) -> None:
        self.output = output
        self.system = ""
        self.streams = True
        self.shows_reasoning = False
        self.history: list[Message] = []
        self._client = Client(config, trust_env=True)
        self._base_url = config.base_url
        self._settings = settings
        self._partial = ""
        self._model = self._resolve(model)
        self._runner = asyncio.Runner()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._runner.run(self._client.aclose())
        finally:
            self._runner.close()

    @property
    def model(self) -> str:
        return self._model.key

    def choose_model(self, name: str) -> None:
        """Ask another model from now on. Raises `BetterAIError`, and then the one before stays."""
        chosen = self._resolve(name)
        if self._base_url and chosen.provider != self._model.provider:
            raise ConfigurationError(
                f"--base-url was given for {self._model.provider}, so {chosen.provider} cannot be asked from here",
                hint="begin another conversation for it",
            )
        self._model = chosen

    def _resolve(self, name: str) -> ModelConfig:
        model = resolve_model(name)
        if self._base_url and get_provider(model.provider).embedded:
            raise ConfigurationError(
                f"{model.key} has no base URL: it runs in this process", hint="take out --base-url"
            )
        return model

    def fetch(self, text: str) -> ProviderResponse:
        """The answer, without showing it. Ctrl-C closes the upstream, here and in `ask`."""
        return self._runner.run(self._fetch(text))

    def ask(self, text: str) -> ProviderResponse:
        """The answer, shown as it comes."""
        view = AnswerView(self.output, show_reasoning=self.shows_reasoning)
        self._partial = ""
        if self.streams:
            response = self._runner.run(self._stream(text, view))
        else:
            response = self.fetch(text)
            view.show_whole(response)
        view.show_rest(response)
        return response

    async def _fetch(self, text: str) -> ProviderResponse:
        await asyncio.sleep(0)  # the loop stood still between the turns: let it see what the server closed
        messages = [*self.history, Message.user(text)]
        return await self._client.generate(self.model, messages, system=self.system or None, settings=self._settings)

    async def _stream(self, text: str, view: AnswerView) -> ProviderResponse:
        await asyncio.sleep(0)  # as above
        messages = [*self.history, Message.user(text)]
        system = self.system or None
        async with self._client.stream(self.model, messages, system=system, settings=self._settings) as stream:
            try:
                async for chunk in stream:
                    view.show_chunk(chunk)
            finally:
                self._partial = stream.partial.content
                view.end()
        return stream.response

    def keep(self, text: str, response: ProviderResponse) -> None:
        """Add a turn. Calls of tools are left out, as there is nobody to answer them."""
        answer = response.message or Message.assistant(response.content)
        parts = tuple(part for part in answer.parts if not isinstance(part, ToolCall) or part.server)
        if parts:
            self.history += [Message.user(text), replace(answer, parts=parts)]

    def keep_partial(self, text: str) -> bool:
        """Add a turn that was broken off, where its answer had begun."""
        if self._partial:
            self.history += [Message.user(text), Message.assistant(self._partial)]
        return bool(self._partial)
