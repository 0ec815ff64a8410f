"""How a line ended, as bytes and back: its response, or its typed error with all that it says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from betterai.core import exceptions
from betterai.core.batches import BatchLine, make_line_error
from betterai.core.data import Data
from betterai.core.exceptions import BetterAIError, JobInDoubt, OutputInvalidError, ProviderError
from betterai.core.model import Category
from betterai.core.response import ProviderResponse
from betterai.core.results import EmbeddingResponse, ImageResponse, ModerationResponse
from betterai.core.settings import CallSettings
from betterai.runtime.batches.line_by_line.table import Outcome
from betterai.runtime.packing import pack, unpack
from betterai.runtime.schema import parse_output, read_response_format

_RESULTS: Mapping[str, type[Any]] = {
    "text": ProviderResponse, "embeddings": EmbeddingResponse, "moderation": ModerationResponse, "image": ImageResponse,
}  # fmt: skip
_TEXTS = ("message", "hint", "provider", "model", "code", "provider_message", "request_id", "param")
MAX_BODY = 64 * 1024
_NONE = msgspec.Raw(b"null")


class _Outcome(Data, frozen=True, kw_only=True, omit_defaults=True):
    """`error` is the name of a class in `core/exceptions.py`, `fields` what it says."""

    response: msgspec.Raw = _NONE
    error: str = ""
    fields: Mapping[str, Any] = {}


def dump_response(response: Any) -> bytes:
    """A response as JSON, without cookies; one that was read as a type of the caller's is read again from its text."""
    if isinstance(response, ProviderResponse):
        response = _forget_parsed(response)
    kept = {name: value for name, value in response.headers.items() if name.lower() not in exceptions.SECRET_HEADERS}
    response = msgspec.structs.replace(response, headers=kept)
    return msgspec.json.encode(_Outcome(response=msgspec.Raw(msgspec.json.encode(response))))


def _forget_parsed(response: ProviderResponse) -> ProviderResponse:
    others = tuple(map(_forget_parsed, response.alternatives))
    return msgspec.structs.replace(response, parsed=None, alternatives=others)


def dump_error(error: BetterAIError) -> bytes:
    """An error as JSON. One of a class of the caller's becomes the nearest of ours."""
    kind = next(kind for kind in type(error).__mro__ if getattr(exceptions, kind.__name__, None) is kind)
    fields: dict[str, Any] = {name: _clean(said) for name in _TEXTS if (said := getattr(error, name, ""))}
    fields.update(status=error.status, headers=error.headers, retryable=error.retryable, retry_after=error.retry_after)
    fields["body"] = error.body[:MAX_BODY].decode("utf-8", "replace")
    held = getattr(error, "response", None)
    response = msgspec.json.encode(_forget_parsed(held)) if isinstance(held, ProviderResponse) else b"null"
    return msgspec.json.encode(_Outcome(error=kind.__name__, fields=fields, response=msgspec.Raw(response)))


def _clean(said: object) -> str:
    """A text that JSON can hold: what a class raises may have half a letter in it."""
    return str(said).encode("utf-8", "replace").decode()


def dump_wanted(settings: CallSettings | None) -> bytes | None:
    """What the answer is to be read as, where that is more than a text."""
    wanted = getattr(settings, "response_format", None)
    return None if wanted is None else msgspec.json.encode(pack(wanted))


class OutcomeReader:
    """Reads the outcomes of one batch. `types` are those that answers were asked for with `response_format`."""

    def __init__(self, category: Category, types: Sequence[Any] = ()) -> None:
        self._decode: Callable[[msgspec.Raw], Any] = msgspec.json.Decoder(_RESULTS[category]).decode
        self._formats = [read_response_format(kind) for kind in types]

    def read(self, line: Outcome) -> BatchLine:
        id, state = line.id, line.state
        if line.outcome is None:
            return BatchLine(id=id, state=state, error=_doubt() if state == "in_doubt" else make_line_error(state))
        try:
            return self._read(line, line.outcome)
        except msgspec.MsgspecError as error:  # of another version of ours
            unread = ProviderError(f"its outcome is stored, and cannot be read: {error}")
            return BatchLine(id=id, state="failed", error=unread)

    def _read(self, line: Outcome, outcome: bytes) -> BatchLine:
        id, state = line.id, line.state
        found = msgspec.json.decode(outcome, type=_Outcome)
        response: Any = self._decode(found.response) if found.response != _NONE else None
        if found.error:
            error = _rebuild(found, response)
            return BatchLine(id=id, state=state, error=_doubt(error) if state == "in_doubt" else error)
        return self._parse(BatchLine(id=id, state=state, response=response, warnings=response.warnings), line.wanted)

    def _parse(self, line: BatchLine, kept: bytes | None) -> BatchLine:
        """With the answer as the type that it was asked for."""
        if kept is None:
            return line
        wanted = unpack(msgspec.json.decode(kept))
        known = (kind for kind in self._formats if kind.schema == wanted)
        parse = next(known, None) or read_response_format(wanted)
        if parse.parse is None:
            return line
        try:
            return msgspec.structs.replace(line, response=parse_output(line.response, parse.parse))
        except OutputInvalidError as error:
            return msgspec.structs.replace(line, state="failed", response=None, error=error)


def _doubt(cause: BetterAIError | None = None) -> JobInDoubt:
    """The error of a line of which nobody knows whether it was answered."""
    why = f" ({cause.message})" if cause is not None else ""
    error = JobInDoubt(
        f"it was asked, and nobody knows whether it was answered{why}",
        hint="resume the batch with retry_in_doubt=True to ask it again: it may cost twice",
    )
    error.__cause__ = cause
    return error


def _rebuild(found: _Outcome, response: Any) -> BetterAIError:
    kind: type[BetterAIError] = getattr(exceptions, found.error, ProviderError)
    fields = dict(found.fields)
    body = fields.pop("body", "")
    error = kind(fields.pop("message", ""), body=body.encode(), **fields)
    if response is not None:
        error.response = response  # type: ignore[attr-defined]
    return error
