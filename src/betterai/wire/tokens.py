"""How many input tokens a call may have, guessed from what it holds and from how its protocol frames that.

`docs/token-counting.md` says how far off it is, by provider, and `tests/recordings/tokens.py` measures that anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from betterai.core.data import Data
from betterai.core.message import AnyPart, MediaPart, Message, Reasoning, ToolCall, ToolResult
from betterai.core.response import CallWarning
from betterai.core.settings import GenerationSettings
from betterai.core.tools import CustomTool, JsonSchema, Tool

LETTERS_PER_TOKEN = 8
"""Tokenizers have most words whole; longer ones come in pieces of about this many letters."""
DIGITS_PER_TOKEN = 3
MARKS_PER_TOKEN = 2
"""Punctuation and symbols."""
OTHER_LETTERS_PER_TOKEN = 2
"""Of scripts that are neither Latin without accents, nor of the Far East: there a letter is a token."""
PER_IMAGE = 400
PER_SMALL_IMAGE = 85
"""A picture for which `detail="low"` is asked."""


class Frame(Data, frozen=True, kw_only=True):
    """What stands around texts: for a call, for a message, where there are tools at all, and for each of them. `schema`
    is how many characters of a tool's JSON without spaces are a token.
    """

    call: int
    message: int
    tools: int
    tool: int
    schema: int


USUAL = Frame(call=4, message=4, tools=45, tool=50, schema=5)
_CLAUDES = Frame(call=7, message=1, tools=510, tool=40, schema=7)
FRAMES: Mapping[str, Frame] = {
    "openai_responses": Frame(call=2, message=4, tools=10, tool=0, schema=6),
    "gemini": Frame(call=1, message=0, tools=4, tool=0, schema=5),
    "anthropic_messages": _CLAUDES,
    "bedrock_converse": _CLAUDES,
}
"""Of protocols that few families of models speak. Others speak Chat Completions, and those of many families."""

PIECE = 8192
"""So many characters are looked at at once, and the rest of a word."""

_RUNS = re.compile(r"[A-Za-z]+|[0-9]+")
_BETWEEN = re.compile("[^A-Za-z0-9]")
_MARKS = re.compile(r"[^\w\s]|_")
_EASTERN = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]")
_OTHER = re.compile("[^\\W\\d_A-Za-z\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]")


def estimate_tokens(
    messages: Sequence[Message], settings: GenerationSettings, protocol: str = ""
) -> tuple[int, tuple[CallWarning, ...]]:
    """A guess at the input tokens, and what it leaves out. Pure: nothing is loaded, no tokenizer is needed."""
    uncounted: dict[str, None] = {}
    frame = FRAMES.get(protocol, USUAL)
    tokens = float(frame.call)
    for message in messages:
        tokens += frame.message + sum(_estimate_part(part, uncounted) for part in message.parts)
    tokens += _estimate_tools(settings.tools or (), frame, uncounted)
    if isinstance(settings.response_format, JsonSchema):
        tokens += _estimate_json(settings.response_format.schema) / frame.schema
    warnings = [CallWarning(code="dropped", field=field, message="its tokens are not estimated") for field in uncounted]
    return round(tokens), tuple(warnings)


def estimate_text(text: str) -> float:
    """By kinds of characters. In pieces, so that other threads have their turn meanwhile: a search of a whole long text
    lets none of them go on.
    """
    tokens, start = 0.0, 0
    while len(text) - start > PIECE:
        end = _BETWEEN.search(text, start + PIECE)
        cut = len(text) if end is None else end.end()
        tokens += _estimate_piece(text[start:cut])
        start = cut
    return tokens + _estimate_piece(text[start:] if start else text)


def _estimate_piece(text: str) -> float:
    tokens = 0.0
    for run in _RUNS.findall(text):
        tokens += -(-len(run) // (DIGITS_PER_TOKEN if run[0] <= "9" else LETTERS_PER_TOKEN))
    tokens += len(_MARKS.findall(text)) / MARKS_PER_TOKEN
    if not text.isascii():
        tokens += len(_EASTERN.findall(text)) + len(_OTHER.findall(text)) / OTHER_LETTERS_PER_TOKEN
    return tokens


def _estimate_part(part: AnyPart, uncounted: dict[str, None]) -> float:
    if isinstance(part, MediaPart):
        if part.media.kind == "image":
            return PER_SMALL_IMAGE if part.detail == "low" else PER_IMAGE
        uncounted[part.media.kind] = None
        return 0
    if isinstance(part, ToolCall):
        return estimate_text(part.name) + estimate_text(part.arguments)
    if isinstance(part, ToolResult):
        return sum(_estimate_part(item, uncounted) for item in part.parts)
    if isinstance(part, Reasoning) and not part.text and part.opaque is not None:
        uncounted["reasoning"] = None
    return estimate_text(part.text)


def _estimate_tools(tools: Iterable[object], frame: Frame, uncounted: dict[str, None]) -> float:
    tokens = 0.0
    for tool in tools:
        tokens = tokens or frame.tools
        if isinstance(tool, Tool):
            tokens += frame.tool + _estimate_json([tool.name, tool.description, tool.parameters]) / frame.schema
        elif isinstance(tool, CustomTool):
            tokens += frame.tool + _estimate_json([tool.name, tool.description, tool.format]) / frame.schema
        else:
            uncounted["tools"] = None
    return tokens


def _estimate_json(value: object) -> int:
    """In characters."""
    return len(msgspec.json.encode(value).decode())
