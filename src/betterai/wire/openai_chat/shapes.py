"""The structs that replies are read into: only what is used, and lenient. Unknown fields stay in the body."""

from __future__ import annotations

from typing import Any

from msgspec import Raw, Struct

from betterai.wire.lenient import Reader


class FunctionCall(Struct, gc=False):
    name: str | None = None
    arguments: str | dict[str, Any] | None = None
    input: str | None = None


class ToolCallShape(Struct, gc=False):
    index: int | None = None
    id: str | None = None
    type: str | None = None
    function: FunctionCall | None = None
    custom: FunctionCall | None = None


class ExecutedTool(Struct, gc=False):
    """A tool that the provider ran by itself; in a stream once when it begins, and again with its output."""

    index: int = 0
    type: str = ""
    name: str | None = None
    arguments: str | None = None
    output: str | None = None


class URLCitation(Struct, gc=False):
    url: str = ""
    title: str | None = None
    start_index: int | None = None
    end_index: int | None = None


class PlaceCitation(Struct, gc=False):
    """A place in the text that a document, or a tool's result, is the source of."""

    document_id: str | None = None
    tool_call_id: str | None = None
    start_index: int | None = None
    end_index: int | None = None


class FileAnnotation(Struct, gc=False):
    name: str | None = None


class Annotation(Struct, gc=False):
    type: str | None = None
    url_citation: URLCitation | None = None
    document_citation: PlaceCitation | None = None
    function_citation: PlaceCitation | None = None
    file: FileAnnotation | None = None


class AudioShape(Struct, gc=False):
    id: str | None = None
    data: str | None = None
    transcript: str | None = None
    expires_at: int | None = None


class ImageURL(Struct, gc=False):
    url: str = ""


class ImageShape(Struct, gc=False):
    image_url: ImageURL | None = None


class ContentPart(Struct, gc=False):
    """One element of a content list; `thinking` is a list of text parts."""

    type: str | None = None
    text: str | None = None
    thinking: list[ContentPart] | str | None = None
    signature: str | None = None
    closed: bool | None = None
    reference_ids: list[Any] | None = None


NO_DETAILS = Raw()
"""Stands where a message has no `reasoning_details` (msgspec has no `Raw | None`)."""


class MessageShape(Struct, gc=False):
    """A whole message, and a delta of one: they have the same fields."""

    role: str | None = None
    content: str | list[ContentPart] | None = None
    refusal: str | None = None
    reasoning: str | None = None
    reasoning_content: str | None = None
    reasoning_details: Raw = NO_DETAILS
    tool_calls: list[ToolCallShape] | None = None
    function_call: FunctionCall | None = None
    annotations: list[Raw] | None = None
    audio: AudioShape | None = None
    images: list[ImageShape] | None = None
    executed_tools: list[Raw] | None = None


class TokenShape(Struct, gc=False):
    token: str = ""
    logprob: float | None = None
    bytes: list[int] | None = None
    top_logprobs: list[TokenShape] | None = None


class ChoiceShape(Struct, gc=False):
    """`logprobs` is read by need: some vendors have other forms of it, and one gives a number."""

    index: int = 0
    delta: MessageShape | None = None
    message: MessageShape | None = None
    text: str | None = None
    finish_reason: str | None = None
    logprobs: Any = None


class InputDetails(Struct, gc=False):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    audio_tokens: int | None = None
    image_tokens: int | None = None
    video_tokens: int | None = None


class OutputDetails(Struct, gc=False):
    reasoning_tokens: int | None = None
    audio_tokens: int | None = None
    image_tokens: int | None = None


class UsageShape(Struct, gc=False):
    """`prompt_cache_hit_tokens`, a top-level `cached_tokens` and `reasoning_tokens` are other spellings."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    prompt_tokens_details: InputDetails | None = None
    completion_tokens_details: OutputDetails | None = None
    prompt_cache_hit_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None


class ChatShape(Struct, gc=False):
    """A `chat.completion` and a `chat.completion.chunk`. `error` is an object, a text, or what a vendor makes it."""

    id: str | None = None
    model: str | None = None
    choices: list[ChoiceShape] | None = None
    usage: UsageShape | None = None
    service_tier: Any = None
    error: Any = None


class SearchResult(Struct, gc=False):
    url: str | None = None
    title: str | None = None
    snippet: str | None = None


class SourcedShape(ChatShape, gc=False):
    """What vendors that search the web add: the sources of the answer, `citations` as URLs alone."""

    citations: list[str] | None = None
    search_results: list[Raw] | None = None


ANNOTATION = Reader(Annotation)
EXECUTED_TOOL = Reader(ExecutedTool)
SEARCH_RESULT = Reader(SearchResult)


def decoder_for(shape: type[ChatShape]) -> Reader[ChatShape]:
    """A decoder that takes "1" for 1: lenient in."""
    return Reader(shape)
