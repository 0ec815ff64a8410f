"""The structs that replies and events are read into: only what is used, and lenient. Items are kept as they came."""

from __future__ import annotations

from typing import Any

from msgspec import Raw, Struct

from betterai.wire.lenient import Reader

ABSENT = Raw()
"""Stands where a field was not there (msgspec has no `Raw | None`)."""


class AnnotationShape(Struct, gc=False):
    """Offsets are characters of the text; `index` is where a file is cited."""

    type: str | None = None
    url: str | None = None
    title: str | None = None
    filename: str | None = None
    start_index: int | None = None
    end_index: int | None = None
    index: int | None = None


class PartShape(Struct, gc=False):
    """One element of an item's content, or of its summary."""

    type: str | None = None
    text: str | None = None
    refusal: str | None = None
    annotations: list[Raw] | None = None
    logprobs: Raw = ABSENT
    data: str | None = None
    transcript: str | None = None


class ItemShape(Struct, gc=False):
    """One output item of any type. `arguments` is a text, or the object itself; so are `action` and `result`."""

    type: str = ""
    id: str | None = None
    status: str | None = None
    call_id: str | None = None
    name: str | None = None
    execution: str | None = None
    arguments: Raw = ABSENT
    input: Raw = ABSENT
    action: Raw = ABSENT
    operation: Raw = ABSENT
    actions: Raw = ABSENT
    queries: Raw = ABSENT
    code: Raw = ABSENT
    environment: Raw = ABSENT
    result: Raw = ABSENT
    output_format: str | None = None
    content: list[PartShape] | str | None = None
    summary: list[PartShape] | None = None


class InputDetails(Struct, gc=False):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    cache_write_tokens_details: dict[str, int | None] | None = None


class OutputDetails(Struct, gc=False):
    reasoning_tokens: int | None = None


class UsageShape(Struct, gc=False):
    input_tokens: int | None = None
    output_tokens: int | None = None
    total_tokens: int | None = None
    input_tokens_details: InputDetails | None = None
    output_tokens_details: OutputDetails | None = None


class SearchUsage(Struct, gc=False):
    num_requests: int | None = None


class ImageUsage(Struct, gc=False):
    total_tokens: int | None = None


class ToolUsage(Struct, gc=False):
    """What tools of the provider used, which is billed beside the tokens."""

    web_search: SearchUsage | None = None
    image_gen: ImageUsage | None = None


class IncompleteShape(Struct, gc=False):
    reason: str | None = None


class ResponseShape(Struct, gc=False):
    """A `response`. `error` is an object, a text, or what a vendor makes it; items are read one by one."""

    id: str | None = None
    object: str | None = None
    model: str | None = None
    status: str | None = None
    output: list[Raw] | None = None
    error: Any = None
    incomplete_details: IncompleteShape | None = None
    usage: UsageShape | None = None
    service_tier: Any = None
    tool_usage: ToolUsage | None = None


class EventShape(Struct, gc=False):
    """One event of any type: the fields that events have."""

    type: str = ""
    delta: str | None = None
    item_id: str | None = None
    output_index: int | None = None
    text: str | None = None
    refusal: str | None = None
    arguments: str | None = None
    input: str | None = None
    partial_image_b64: str | None = None
    output_format: str | None = None
    item: Raw = ABSENT
    response: Raw = ABSENT
    annotation: Raw = ABSENT
    logprobs: Raw = ABSENT


class WithinShape(Struct, gc=False):
    """The response that an event holds. A whole response holds none: it is read as its own."""

    response: Raw = ABSENT


class NamedShape(Struct, gc=False):
    """Only the type of an event, where nothing else of it can be read."""

    type: str = ""


class HeadShape(Struct, gc=False):
    """The beginning of a response that is still being made."""

    id: str | None = None
    model: str | None = None
    status: str | None = None


decode_item = Reader(ItemShape).decode
decode_event = Reader(EventShape).decode
decode_name = Reader(NamedShape).decode
decode_head = Reader(HeadShape).decode
decode_within = Reader(WithinShape).decode
decode_annotation = Reader(AnnotationShape).decode


def decoder_for(shape: type[ResponseShape]) -> Reader[ResponseShape]:
    """A decoder that takes "1" for 1: lenient in."""
    return Reader(shape)
