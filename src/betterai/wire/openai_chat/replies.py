"""Whole choices as our responses; what streamed ones amount to must be the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Raw

from betterai.core.media import Media, parse_data_url
from betterai.core.message import (
    AnyPart,
    Citation,
    MediaPart,
    Message,
    Opaque,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from betterai.core.model import ModelConfig
from betterai.core.response import ProviderResponse, TokenLogprob
from betterai.core.usage import Usage
from betterai.wire.openai_chat.messages import PROTOCOL
from betterai.wire.openai_chat.shapes import (
    ANNOTATION,
    EXECUTED_TOOL,
    NO_DETAILS,
    SEARCH_RESULT,
    Annotation,
    ChatShape,
    ChoiceShape,
    ContentPart,
    FunctionCall,
    MessageShape,
    SourcedShape,
    TokenShape,
    ToolCallShape,
)
from betterai.wire.openai_chat.think_tags import split_think_tags
from betterai.wire.tool_call_ids import make_tool_call_id

if TYPE_CHECKING:
    from betterai.core.codec import TextCall
    from betterai.wire.openai_chat.client import OpenAIChat


def parse_choices(
    codec: OpenAIChat, call: TextCall, shape: ChatShape, usage: Usage | None = None, body: bytes = b""
) -> ProviderResponse:
    """The first choice as the response, and the others, in the order of their indexes, as its alternatives."""
    choices = shape.choices or []
    model = shape.model or call.model.id
    sources: tuple[Citation, ...] = ()
    if shape.__class__ is not ChatShape and isinstance(shape, SourcedShape):
        sources = parse_sources(shape, call.model)
    if len(choices) == 1:
        return _parse_choice(codec, call, choices[0], model, sources, id=shape.id or "", usage=usage, body=body)
    first, *rest = sorted(choices, key=attrgetter("index"))
    others = tuple([_parse_choice(codec, call, choice, model, sources) for choice in rest])
    return _parse_choice(codec, call, first, model, sources, others, id=shape.id or "", usage=usage, body=body)


def _parse_choice(
    codec: OpenAIChat,
    call: TextCall,
    choice: ChoiceShape,
    model: str,
    sources: tuple[Citation, ...],
    others: tuple[ProviderResponse, ...] = (),
    *,
    id: str = "",
    usage: Usage | None = None,
    body: bytes = b"",
) -> ProviderResponse:
    message = choice.message or choice.delta or MessageShape(content=choice.text)
    text = message.content
    if text.__class__ is str and text and not any(_read_beside(message)) and not sources and not codec.think_tags:
        parts: tuple[AnyPart, ...] = (Text(text=text),)
    else:
        text, parts = _parse_rich(codec, call, choice, message, sources)
    called = bool(message.tool_calls or message.function_call)
    return ProviderResponse(
        content=text,
        model=model,
        tokens_used=usage.total_tokens if usage is not None else None,
        message=Message(role="assistant", parts=parts),
        finish_reason=codec.finish_reason_of(choice.finish_reason, refused=bool(message.refusal), called=called),
        raw_finish_reason=choice.finish_reason or "",
        usage=usage,
        alternatives=others,
        logprobs=None if choice.logprobs is None else parse_logprobs(choice.logprobs),
        id=id,
        body=body,
    )


_read_beside = attrgetter(*(name for name in MessageShape.__struct_fields__ if name not in ("role", "content")))
"""What a message may have beside a text: nothing, mostly."""


def _parse_rich(
    codec: OpenAIChat, call: TextCall, choice: ChoiceShape, message: MessageShape, sources: tuple[Citation, ...]
) -> tuple[str, tuple[AnyPart, ...]]:
    """The text, and all parts, of a message that is more than a text."""
    text, thought = split_content(message.content)
    if codec.think_tags:
        text, tagged = split_think_tags(text)
        thought += tagged
    calls = message.tool_calls or ()
    if message.function_call is not None and not calls:
        calls = [ToolCallShape(function=message.function_call)]
    return text, assemble_parts(
        call,
        reasoning=thought or message.reasoning_content or message.reasoning or "",
        details=None if message.reasoning_details is NO_DETAILS else join_details([message.reasoning_details]),
        marks=find_marks(message.content) if isinstance(message.content, list) else {},
        server=parse_executed_tools(message.executed_tools, call) if message.executed_tools else (),
        text=text,
        citations=_find_citations(message, call.model, sources),
        refusal=message.refusal or "",
        media=parse_media(message, call),
        tool_calls=parse_tool_calls(calls, call, choice.index) if calls else (),
    )


def assemble_parts(
    call: TextCall,
    *,
    reasoning: str,
    details: Raw | None,
    marks: Mapping[str, Any],
    server: Sequence[AnyPart],
    text: str,
    citations: tuple[Citation, ...],
    refusal: str,
    media: Sequence[Media],
    tool_calls: Sequence[ToolCall],
) -> tuple[AnyPart, ...]:
    """The parts of one answer, in the order that both whole and streamed replies give them."""
    parts: list[AnyPart] = []
    if reasoning or details is not None:
        parts.append(Reasoning(text=reasoning, opaque=_keep_thoughts(call, details, marks)))
    parts.extend(server)
    if text or citations:
        parts.append(Text(text=text, citations=citations))
    if refusal:
        parts.append(Refusal(text=refusal))
    if media:
        parts.extend(MediaPart(media=item) for item in media)
    parts.extend(tool_calls)
    return tuple(parts)


def _keep_thoughts(call: TextCall, details: Raw | None, marks: Mapping[str, Any]) -> Opaque | None:
    if details is not None:
        data = Raw(b'{"reasoning_details":' + bytes(details) + b"}")
    elif marks:
        data = Raw(msgspec.json.encode({"type": "thinking", **marks}))
    else:
        return None
    return keep_verbatim(data, call.model)


def keep_verbatim(data: Raw, model: ModelConfig) -> Opaque:
    """What a model of one provider gave, and only it understands."""
    return Opaque(protocol=PROTOCOL, provider=model.provider, model=model.id, data=data)


def parse_executed_tools(raws: Sequence[Raw], call: TextCall) -> list[AnyPart]:
    """The tools that the provider ran, each with its result: what was said last of each index holds."""
    last = {EXECUTED_TOOL.decode(raw).index: raw for raw in raws}
    parts: list[AnyPart] = []
    for index, raw in last.items():
        shape = EXECUTED_TOOL.decode(raw)
        id, name = "_".join(filter(None, ("executed", call.id, str(index)))), shape.name or shape.type
        opaque = keep_verbatim(raw, call.model)
        call_part = ToolCall(id=id, name=name, arguments=shape.arguments or "", index=index, server=True, opaque=opaque)
        parts.append(call_part)
        if shape.output is not None:
            parts.append(ToolResult(id=id, name=name, parts=(Text(text=shape.output),)))
    return parts


def split_content(content: str | list[ContentPart] | None) -> tuple[str, str]:
    """Text and thoughts of a content field, which some vendors give as a list."""
    if content is None or isinstance(content, str):
        return content or "", ""
    text, thought = [], []
    for part in content:
        if part.text is not None and part.type != "thinking":
            text.append(part.text)
        elif isinstance(part.thinking, str):
            thought.append(part.thinking)
        elif part.thinking:
            thought.extend(piece.text or "" for piece in part.thinking)
    return "".join(text), "".join(thought)


def find_marks(content: list[ContentPart]) -> dict[str, Any]:
    """The signature of thoughts in a content list, and whether they are closed; the last one says it for all."""
    marks: dict[str, Any] = {}
    for part in content:
        if part.signature:
            marks["signature"] = part.signature
        if part.closed is not None:
            marks["closed"] = part.closed
    return marks


def parse_references(content: list[ContentPart], model: ModelConfig, before: int = 0) -> list[Citation]:
    """References in a content list, each to what stands before it. `before` is how long the text is so far."""
    found, place = [], before
    for part in content:
        if part.text is not None and part.type != "thinking":
            place += len(part.text)
        elif part.reference_ids is not None:
            data = Raw(msgspec.json.encode({"type": "reference", "reference_ids": part.reference_ids}))
            found.append(Citation(end=place, opaque=keep_verbatim(data, model)))
    return found


def _find_citations(message: MessageShape, model: ModelConfig, sources: tuple[Citation, ...]) -> tuple[Citation, ...]:
    if not message.annotations and not isinstance(message.content, list):
        return sources
    references = parse_references(message.content, model) if isinstance(message.content, list) else ()
    return (*references, *parse_citations(message.annotations, model), *sources)


def parse_sources(shape: SourcedShape, model: ModelConfig, known: int = 0) -> tuple[Citation, ...]:
    """The sources that stand beside the choices, in the order of the numbers that the text has for them; those after
    the first `known` ones.
    """
    if found := shape.search_results:
        return tuple(_parse_source(raw, model) for raw in found[known:])
    return tuple(Citation(url=url) for url in (shape.citations or ())[known:])


def _parse_source(raw: Raw, model: ModelConfig) -> Citation:
    item = SEARCH_RESULT.decode(raw)
    opaque = keep_verbatim(raw, model)
    return Citation(url=item.url or "", title=item.title or "", text=item.snippet or "", opaque=opaque)


def join_details(pieces: Sequence[Raw]) -> Raw | None:
    """The lists of `reasoning_details` that came, as one list, each element as it was."""
    given = [bytes(piece).strip() for piece in pieces if piece is not NO_DETAILS]
    if not given:
        return None
    inner = [piece[1:-1].strip() for piece in given if piece.startswith(b"[")]
    kept = [piece for piece in inner if piece]
    return Raw(b"[" + b",".join(kept) + b"]") if kept else None


_PIECES = ("text", "summary")
"""The fields of an element of `reasoning_details` that come in pieces."""


def merge_details(pieces: Sequence[Raw]) -> Raw | None:
    """The `reasoning_details` of a stream as a whole reply has them: pieces of one element, which have its type and
    index, put together.
    """
    joined = join_details(pieces)
    if joined is None or b'"index"' not in bytes(joined):
        return joined
    whole: list[dict[str, Any]] = []
    for element in msgspec.json.decode(joined, type=list[dict[str, Any]]):
        if not whole or not _goes_on(whole[-1], element):
            whole.append(element)
        else:
            said = {name: (whole[-1].get(name) or "", element.get(name)) for name in _PIECES}
            texts = {
                name: begun + text
                for name, (begun, text) in said.items()
                if isinstance(begun, str) and isinstance(text, str) and text
            }
            whole[-1].update({name: value for name, value in element.items() if value is not None} | texts)
    return Raw(msgspec.json.encode(whole))


def _goes_on(last: dict[str, Any], element: dict[str, Any]) -> bool:
    """Whether an element is the next piece of the last one. Encrypted ones come whole."""
    same = all(last.get(name) == element.get(name) for name in ("type", "index"))
    ids = [item["id"] for item in (last, element) if item.get("id") is not None]
    return same and "index" in element and "data" not in element and (len(ids) < 2 or ids[0] == ids[1])


def parse_logprobs(value: Any) -> tuple[TokenLogprob, ...] | None:
    """The log probabilities of the tokens, as one list or as two; None for the forms of other protocols."""
    if not isinstance(value, dict):
        return None
    content = value.get("content")
    if content is None and isinstance(tokens := value.get("tokens"), list):
        numbers = value.get("token_logprobs") or ()
        content = [{"token": token, "logprob": number} for token, number in zip(tokens, numbers, strict=False)]
    try:
        tokens = msgspec.convert(content, list[TokenShape] | None, strict=False)
    except msgspec.ValidationError:
        return None
    return tuple(_read_token(token) for token in tokens or ()) or None


def _read_token(shape: TokenShape) -> TokenLogprob:
    return TokenLogprob(
        token=shape.token,
        logprob=-9999.0 if shape.logprob is None else shape.logprob,
        bytes=None if shape.bytes is None else tuple(shape.bytes),
        top_logprobs=tuple(_read_token(token) for token in shape.top_logprobs or ()),
    )


def parse_citations(annotations: list[Raw] | None, model: ModelConfig) -> tuple[Citation, ...]:
    """Sources of places of the text, and files that were read for it; what is neither is passed over."""
    read = ((raw, ANNOTATION.decode(raw)) for raw in annotations or ())
    found = ((raw, _parse_annotation(shape)) for raw, shape in read)
    return tuple(
        msgspec.structs.replace(citation, opaque=keep_verbatim(raw, model))
        for raw, citation in found
        if citation is not None
    )


def _parse_annotation(shape: Annotation) -> Citation | None:
    if (cited := shape.url_citation) is not None:
        return Citation(url=cited.url, title=cited.title or "", start=cited.start_index, end=cited.end_index)
    if (place := shape.document_citation or shape.function_citation) is not None:
        named = place.document_id or place.tool_call_id or ""
        return Citation(title=named, start=place.start_index, end=place.end_index)
    return None if shape.file is None else Citation(title=shape.file.name or "")


def parse_media(message: MessageShape, call: TextCall) -> list[Media]:
    if message.images is None and message.audio is None:
        return []
    media = [parse_data_url("image", item.image_url.url) for item in message.images or [] if item.image_url]
    if (audio := message.audio) is not None:
        said = audio.transcript or ""
        sound = Media(kind="audio", mime_type=audio_type(call), base64=audio.data, file_id=audio.id, transcript=said)
        media.append(sound)
    return media


def audio_type(call: TextCall) -> str:
    """The MIME type of the sound that was asked for; replies do not say it."""
    wanted = call.settings.audio
    return f"audio/{wanted.format}" if wanted is not None and wanted.format else ""


def parse_tool_calls(shapes: Sequence[ToolCallShape], call: TextCall, choice: int) -> list[ToolCall]:
    return [parse_tool_call(shape, call, index, choice) for index, shape in enumerate(shapes)]


def parse_tool_call(shape: ToolCallShape, call: TextCall, index: int, choice: int = 0) -> ToolCall:
    function = shape.function or shape.custom or FunctionCall()
    return ToolCall(
        id=shape.id or make_tool_call_id(call, index, choice),
        name=function.name or "",
        arguments=argument_text(function),
        index=index,
        kind="custom" if shape.custom is not None else "function",
    )


def argument_text(function: FunctionCall) -> str:
    """The arguments as text: some vendors send the object itself."""
    if isinstance(function.arguments, dict):
        return msgspec.json.encode(function.arguments).decode()
    return function.arguments or function.input or ""
