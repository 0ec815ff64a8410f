"""Which route a conversation belongs to: the one that it began with, and those that made what it holds."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from threading import Lock
from typing import Any, TypeAlias

from betterai.core.exceptions import BetterAIError
from betterai.core.message import MediaPart, Message
from betterai.core.settings import GenerationSettings
from betterai.runtime.router.routes import Route

REMEMBERED = 10_000
"""How many conversations a router knows; the one that was asked longest ago is forgotten first."""

NameConversation: TypeAlias = Callable[[Sequence[Any], GenerationSettings], Hashable]
"""Says which conversation a call belongs to; None for none."""


class Affinity:
    """The conversations of one router, and where each was answered last."""

    def __init__(self, sticky: bool | NameConversation) -> None:
        self._name = sticky if callable(sticky) else name_conversation if sticky else None
        self._known: OrderedDict[Hashable, Route] = OrderedDict()
        self._lock = Lock()

    def name(self, messages: Sequence[Any], settings: GenerationSettings) -> Hashable:
        return None if self._name is None else self._name(messages, settings)

    def remember(self, name: Hashable, route: Route) -> None:
        with self._lock:
            self._known[name] = route
            self._known.move_to_end(name)
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)

    def arrange(self, name: Hashable, messages: Sequence[Any], routes: Sequence[Route]) -> Sequence[Route]:
        """The routes with those in front that the conversation belongs to."""
        if name is not None and (known := self._known.get(name)) is not None and routes[0] is not known:
            routes = [known, *(route for route in routes if route is not known)]
        if (owner := find_owner(messages)) is not None:
            routes = sorted(routes, key=lambda route: not _is_owner(route, owner))
        return routes


def name_conversation(messages: Sequence[Any], settings: GenerationSettings) -> Hashable:
    """A conversation by its beginning: all up to the first message of the user, which each turn sends again."""
    texts = []
    for message in messages:
        role, text = _read(message)
        texts.append(text)
        if role == "user":
            break
    return hash(tuple(texts))


def _read(message: Any) -> tuple[str, str]:
    if isinstance(message, Message):
        return message.role, message.text
    if not isinstance(message, Mapping):
        return "", ""
    content = message.get("content")
    if isinstance(content, str):
        return str(message.get("role")), content
    parts = content if isinstance(content, Sequence) else ()
    texts = [str(part.get("text", "")) for part in parts if isinstance(part, Mapping)]
    return str(message.get("role")), "".join(texts)


Owner: TypeAlias = tuple[str, str, str]
"""A protocol, a provider and an account, as far as they are said."""


def find_owner(messages: Sequence[Any]) -> Owner | None:
    """Who made what only its maker can read: a file kept at a provider, else signed or encrypted thoughts in the last
    answer.
    """
    thoughts: Owner | None = None
    for message in messages:
        if not isinstance(message, Message):
            continue
        opaque = message.opaque
        for part in message.parts:
            opaque = opaque or part.opaque
            if isinstance(part, MediaPart) and part.media.owner:
                provider, _, account = part.media.owner.partition("#")
                return "", provider, account
        if message.role == "assistant":
            thoughts = None if opaque is None else (opaque.protocol, opaque.provider, "")
    return thoughts


def _is_owner(route: Route, owner: Owner) -> bool:
    try:
        route.open()
    except BetterAIError:
        return False
    protocol, provider, account = owner
    vendor, spoken = route.protocol
    same = (not provider or provider == vendor) and (not protocol or protocol == spoken)
    return same and (not account or route.place("key")[1] == account)
