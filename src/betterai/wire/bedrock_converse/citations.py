"""Citations as the protocol has them, as ours, and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Raw

from betterai.core.message import Citation, Opaque
from betterai.core.model import ModelConfig
from betterai.wire.bedrock_converse.shapes import PROTOCOL, CitationShape
from betterai.wire.lenient import Reader
from betterai.wire.report import Report
from betterai.wire.residue import is_own

_decode = Reader(CitationShape).decode


def parse_citation(raw: Raw, provider: str, model: str) -> Citation:
    """One citation. Its place is one in the source, not in the answer, so `start` and `end` are not given."""
    shape = _decode(raw)
    web = shape.location.web if shape.location is not None else None
    return Citation(
        url=web.url if web is not None else shape.source or "",
        title=shape.title or "",
        text="".join(piece.text for piece in shape.sourceContent or ()),
        opaque=Opaque(protocol=PROTOCOL, provider=provider, model=model, data=Raw(bytes(raw))),
    )


def parse_citations(raws: Iterable[Raw], provider: str, model: str) -> tuple[Citation, ...]:
    return tuple(parse_citation(raw, provider, model) for raw in raws)


def build_citations(citations: Sequence[Citation], model: ModelConfig, report: Report) -> list[Raw]:
    """Those that came from this protocol, as they came; others cannot be told to it."""
    written = [
        item.opaque.data for item in citations if item.opaque is not None and is_own(item.opaque, PROTOCOL, model)
    ]
    if len(written) < len(citations):
        report.drop("messages.citations", "citations of another provider")
    return written
