"""Moderation as OpenAI documents it (https://platform.openai.com/docs/api-reference/moderations), and compatibles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Never

from msgspec import Struct

from betterai.core.codec import ModerationCall
from betterai.core.results import ModerationResponse, ModerationVerdict
from betterai.core.wire import WireResponse
from betterai.wire.exchanges import OneExchange
from betterai.wire.lenient import Reader
from betterai.wire.plain_usage import PlainUsage
from betterai.wire.report import Report


class VerdictShape(Struct):
    categories: dict[str, bool | None]
    category_scores: dict[str, float | None]
    flagged: bool | None = None


class ModerationsShape(Struct):
    results: list[VerdictShape]
    model: str | None = None
    usage: PlainUsage | None = None


_decode = Reader(ModerationsShape).decode


class OpenAIModerations(OneExchange[ModerationCall, ModerationResponse, Never]):
    """`POST /moderations`: a verdict on each text. With a picture among them all are judged together, as one thing."""

    protocol: ClassVar[str] = "openai_moderations"
    path: ClassVar[str] = "/moderations"
    accepts: ClassVar[Mapping[str, frozenset[str]]] = {"image": frozenset({"bytes", "url"})}

    def begin_body(self, call: ModerationCall, report: Report) -> dict[str, Any]:
        if all(isinstance(item, str) for item in call.input):
            return {"model": call.model.id, "input": list(call.input)}
        if len(call.input) > 1:
            report.translate("inputs", "with a picture among them they are judged together, and get one verdict")
        return {"model": call.model.id, "input": [self._part(item, report) for item in call.input]}

    def _part(self, item: Any, report: Report) -> dict[str, Any]:
        if isinstance(item, str):
            return {"type": "text", "text": item}
        if item.kind != "image":
            report.drop("media", f"{item.kind} is not judged here")
        return {"type": "image_url", "image_url": {"url": item.url if item.url is not None else item.to_data_url()}}

    def read(self, call: ModerationCall, reply: WireResponse) -> ModerationResponse:
        shape = _decode(reply.content)
        return ModerationResponse(
            verdicts=tuple(_read_verdict(item) for item in shape.results),
            model=shape.model or call.model.id,
            usage=None if shape.usage is None else shape.usage.read(),
            body=reply.content,
        )


def _read_verdict(shape: VerdictShape) -> ModerationVerdict:
    """A category that the model does not judge is null: it is left out."""
    categories = {name: said for name, said in shape.categories.items() if said is not None}
    return ModerationVerdict(
        flagged=any(categories.values()) if shape.flagged is None else shape.flagged,
        categories=categories,
        scores={name: score for name, score in shape.category_scores.items() if score is not None},
    )
