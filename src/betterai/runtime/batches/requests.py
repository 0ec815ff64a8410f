"""The requests of a batch as callers pass them, as JSON lines, and as the store keeps them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec

from betterai.core.batches import BatchLimits, BatchRequest
from betterai.core.exceptions import BetterAIError, ValidationError
from betterai.core.model import Category
from betterai.core.settings import (
    CallSettings,
    EmbeddingSettings,
    GenerationSettings,
    ImageSettings,
    ModerationSettings,
)
from betterai.core.tools import Tool
from betterai.runtime.inputs import merge
from betterai.runtime.packing import pack, pack_settings, unpack, unpack_settings

SETTINGS: Mapping[Category, type[CallSettings]] = {
    "text": GenerationSettings, "embeddings": EmbeddingSettings, "moderation": ModerationSettings,
    "image": ImageSettings,
}  # fmt: skip
"""The categories whose calls may be lines of a batch."""
_FIELDS = frozenset({"id", "input", "messages", "prompt", "model", "settings"})


def merge_settings(category: Category, settings: CallSettings | None, options: Mapping[str, Any]) -> CallSettings:
    """Settings of a category with options on top. Raises `ValidationError`."""
    kind = SETTINGS.get(category)
    if kind is None:
        raise ValidationError(f"there are no batches of {category}", hint=f"there are some of {', '.join(SETTINGS)}")
    return merge(kind, settings, options)


async def read_requests(
    requests: Mapping[str, Any] | Iterable[Any] | AsyncIterable[Any], common: CallSettings
) -> AsyncGenerator[BatchRequest]:
    """Each request as ours, with the settings that are common to all below its own. Raises `ValidationError`."""
    if isinstance(requests, Mapping):
        requests = (BatchRequest(id=id, input=input) for id, input in requests.items())
    if isinstance(requests, AsyncIterable):
        async for item in requests:
            yield _complete(item, common)
    elif isinstance(requests, Iterable) and not isinstance(requests, str | bytes):
        for item in requests:
            yield _complete(item, common)
    else:
        raise ValidationError(
            f"the requests of a batch must be a mapping or an iterable, not {type(requests).__name__}",
            hint="pass {'id': 'Hello'}, or BatchRequest(id=…, input=…) for each",
        )


def _complete(item: Any, common: CallSettings) -> BatchRequest:
    request = item if isinstance(item, BatchRequest) else read_request(item, type(common))
    own = request.settings
    if own is not None and type(own) is not type(common):
        raise ValidationError(
            f"line {request.id!r}: its settings must be {type(common).__name__}, not {type(own).__name__}",
            hint="all lines of a batch are of one category",
        )
    return msgspec.structs.replace(request, settings=common.replace(**own.given()) if own is not None else common)


def read_request(fields: Any, kind: type[CallSettings]) -> BatchRequest:
    """A request as a JSON object: `{"id", "input" or "messages" or "prompt", "model", "settings": {…}}`."""
    if not isinstance(fields, Mapping):
        raise ValidationError(f"a request is a BatchRequest or an object, not {type(fields).__name__} ({fields!r:.60})")
    if unknown := fields.keys() - _FIELDS:
        raise ValidationError(
            f"line {fields.get('id')!r}: a request has no {sorted(map(str, unknown))[0]!r}",
            hint=f"it has {', '.join(sorted(_FIELDS))}",
        )
    inputs = [fields[name] for name in ("input", "messages", "prompt") if name in fields]
    if len(inputs) != 1 or not isinstance(fields.get("id"), str):
        raise ValidationError(
            f"line {fields.get('id')!r}: a request has an id, which is a text, and one of input, messages and prompt"
        )
    try:
        given = unpack_settings(fields.get("settings") or {})
        if isinstance(tools := given.get("tools"), list):
            given["tools"] = [msgspec.convert(tool, Tool) if isinstance(tool, Mapping) else tool for tool in tools]
        settings = kind(**given) if "settings" in fields else None
        return BatchRequest(
            id=fields["id"], input=unpack(inputs[0]), model=fields.get("model") or "", settings=settings
        )
    except (msgspec.ValidationError, AttributeError, TypeError, ValidationError) as error:
        raise ValidationError(f"line {fields['id']!r}: {error}") from error


def dump_request(request: BatchRequest) -> bytes:
    """A request as one line of JSON, without what may hold a secret. Raises `ValidationError`."""
    try:
        return msgspec.json.encode(
            {
                "id": request.id,
                "input": pack(request.input),
                "model": request.model,
                "settings": pack_settings(request.settings or CallSettings()),
            }
        )
    except (TypeError, ValueError) as error:
        raise ValidationError(f"it cannot be stored: {error}") from error


def load_request(data: bytes, category: Category) -> BatchRequest:
    """What `dump_request` wrote."""
    return read_request(msgspec.json.decode(data), SETTINGS[category])


@contextmanager
def naming_line(id: str) -> Iterator[None]:
    """What is raised inside says which line it is about."""
    try:
        yield
    except BetterAIError as error:
        error.message = f"line {id!r}: {error.message}"
        raise


class LineCheck:
    """Whether ids can be those of a batch: each once, and such as the provider takes. Raises `ValidationError`."""

    def __init__(self, limits: BatchLimits, title: str) -> None:
        import re

        self._limits = limits
        self._pattern = re.compile(limits.id_pattern) if limits.id_pattern else None
        self._title = title
        self._seen: set[str] = set()

    def check(self, id: str) -> None:
        most = self._limits.id_length
        if not isinstance(id, str) or not id:
            raise ValidationError(f"the id {id!r} is none: it is a text, and not empty")
        if id in self._seen:
            raise ValidationError(f"the id {id!r} occurs twice in one batch")
        if most is not None and len(id) > most:
            raise ValidationError(f"the id {id[:80]!r} has {len(id)} letters, and {self._title} takes at most {most}")
        if self._pattern is not None and not self._pattern.fullmatch(id):
            raise ValidationError(f"{self._title} takes no id {id!r}: it must match {self._limits.id_pattern}")
        self._seen.add(id)

    def finish(self) -> int:
        """How many there were."""
        if not self._seen:
            raise ValidationError("the batch is empty", hint="it has at least one request")
        return len(self._seen)
