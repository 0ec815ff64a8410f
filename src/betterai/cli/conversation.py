"""Who is asked, how, and what was said so far."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Self

from msgspec.structs import replace

from betterai.cli.answer import AnswerView, KeptMedia
from betterai.cli.output import Output
from betterai.cli.pictures import save
from betterai.core.config import CoreConfig
from betterai.core.exceptions import BetterAIError, ConfigurationError
from betterai.core.media import Media
from betterai.core.message import Message, ToolCall
from betterai.core.model import ModelConfig
from betterai.core.response import ProviderResponse, TextChunk
from betterai.core.routing import ROUTER_PREFIX
from betterai.core.settings import GenerationSettings
from betterai.runtime.client import Client
from betterai.runtime.registry import get_provider, resolve_model
from betterai.runtime.router.router import Router


class Conversation:
    """A model, how it is asked, and the turns so far. What was said stays, whichever model is asked next.

    Use it with `with`: all turns share one event loop and its connections.
    """

    def __init__(self, model: str, config: CoreConfig, settings: GenerationSettings, output: Output) -> None:
        self.output = output
        self.system = ""
        self.streams = True
        self.shows_reasoning = False
        self.shows_markdown = False
        self.folder: Path | None = None
        """Where media of answers are kept."""
        self.history: list[Message] = []
        self._client = Client(config, trust_env=True)
        self._base_url = config.base_url
        self._settings = settings
        self._partial = ""
        self._may_restart = False
        """Whether an answer may begin anew: then only a terminal is shown it while it comes."""
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
        self._may_restart = False
        if name.startswith(ROUTER_PREFIX):
            if self._base_url:
                raise ConfigurationError(f"{name} has its own base URLs", hint="take out --base-url")
            router = Router.from_config(name.removeprefix(ROUTER_PREFIX))
            self._may_restart = router.on_break != "fail"
            return ModelConfig(id=name.removeprefix(ROUTER_PREFIX), provider=ROUTER_PREFIX.rstrip("/"))
        model = resolve_model(name)
        if self._base_url and get_provider(model.provider).embedded:
            raise ConfigurationError(
                f"{model.key} has no base URL: it runs in this process", hint="take out --base-url"
            )
        return model

    def fetch(self, question: Message) -> ProviderResponse:
        """The answer, without showing it. Ctrl-C closes the upstream, here and in what follows."""
        return self._runner.run(self._fetch(question))

    def follow(self, question: Message, show: Callable[[TextChunk], None]) -> ProviderResponse:
        """The answer, each piece of it handed to `show` as it comes."""
        self._partial = ""
        return self._runner.run(self._stream(question, show))

    def ask(self, question: Message) -> ProviderResponse:
        """The answer, shown as it comes."""
        view = AnswerView(self.output, show_reasoning=self.shows_reasoning)
        erasable = self.output.answers.is_terminal or not self._may_restart
        if self.streams and not self.shows_markdown and erasable:
            try:
                response = self.follow(question, view.show_chunk)
            finally:
                view.end()
        else:
            self._partial = ""
            response = self.fetch(question)
            view.show_whole(response, as_markdown=self.shows_markdown)
        view.show_rest(response, self.keep_media(response))
        return response

    def keep_media(self, response: ProviderResponse) -> list[KeptMedia]:
        """The media of an answer, saved where there is a folder for them."""
        return [self._keep(media) for media in response.media]

    def _keep(self, media: Media) -> KeptMedia:
        if self.folder is None:
            return KeptMedia(media=media)
        try:
            loaded = self._runner.run(self._client.load_media(media))
            return KeptMedia(media=loaded, path=str(save(loaded, self.folder)))
        except BetterAIError as error:  # the answer is there all the same
            self.output.note(f"warning: not saved: {error}")
            return KeptMedia(media=media)

    async def _fetch(self, question: Message) -> ProviderResponse:
        await asyncio.sleep(0)  # the loop stood still between the turns: let it see what the server closed
        messages = [*self.history, question]
        return await self._client.generate(self.model, messages, system=self.system or None, settings=self._settings)

    async def _stream(self, question: Message, show: Callable[[TextChunk], None]) -> ProviderResponse:
        await asyncio.sleep(0)  # as above
        messages = [*self.history, question]
        system = self.system or None
        async with self._client.stream(self.model, messages, system=system, settings=self._settings) as stream:
            try:
                async for chunk in stream:
                    show(chunk)
            finally:
                self._partial = stream.partial.content
        return stream.response

    def keep(self, question: Message, response: ProviderResponse) -> None:
        """Add a turn. Calls of tools are left out, as there is nobody to answer them."""
        answer = response.message or Message.assistant(response.content)
        parts = tuple(part for part in answer.parts if not isinstance(part, ToolCall) or part.server)
        if parts:
            self.history += [question, replace(answer, parts=parts)]

    def keep_partial(self, question: Message) -> bool:
        """Add a turn that was broken off, where its answer had begun."""
        if self._partial:
            self.history += [question, Message.assistant(self._partial)]
        return bool(self._partial)
