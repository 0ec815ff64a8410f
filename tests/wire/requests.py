"""Request bodies that are valid in the protocol (facts sheet, section 1), with unknown keys at every level."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

Values = st.SearchStrategy[Any]

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
names = st.sampled_from(["f", "get_weather", "Ann-1"])
numbers = st.integers(-3, 3) | st.floats(-2, 2, allow_nan=False).map(lambda value: round(value, 2))
counts = st.integers(0, 20)
nothing = st.none()
flags = st.booleans()
unknown = st.dictionaries(
    st.sampled_from(["x_new", "x_other"]),
    nothing | counts | texts | st.just([]) | st.just({"deep": [None]}),
    max_size=1,
)


def shape(required: dict[str, Values] | None = None, **optional: Values) -> Values:
    """An object with these fields, and maybe with one that nobody knows."""
    known = st.fixed_dictionaries(required or {}, optional=optional)
    return st.builds(lambda fields, more: {**more, **fields}, known, unknown)


def word(*known: str) -> Values:
    return st.sampled_from(known)


schemas = st.sampled_from(
    [
        {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
        {"type": "object"},
        {"$ref": "#/$defs/X"},
    ]
)
marks = shape({"mode": st.just("explicit")}, ttl=word("30m", "12h") | nothing) | nothing
base64 = st.just("QUJD")


def part(kind: str, inner: Values) -> Values:
    return shape({"type": st.just(kind), kind: inner}, prompt_cache_breakpoint=marks)


text_parts = part("text", texts)
image_parts = part(
    "image_url",
    shape(
        {"url": word("https://e.com/a.png", "data:image/png;base64,QUJD")}, detail=word("auto", "low", "high") | nothing
    ),
)
audio_parts = part("input_audio", shape({"data": base64, "format": word("wav", "mp3")}))
file_parts = part(
    "file",
    shape({"file_id": st.just("file-1")}, filename=st.just("a.pdf"))
    | shape({"file_data": word("data:application/pdf;base64,QUJD", "QUJD")}, filename=st.just("a.pdf")),
)
refusal_parts = st.fixed_dictionaries({"type": st.just("refusal"), "refusal": texts})
user_content = texts | st.lists(text_parts | image_parts | audio_parts | file_parts, max_size=3)
plain_content = texts | st.lists(text_parts, max_size=2)

function_calls = shape(
    {
        "id": names,
        "type": st.just("function"),
        "function": shape({"name": names, "arguments": word("{}", '{"a": 1}', "")}),
    }
)
custom_calls = shape({"id": names, "type": st.just("custom"), "custom": shape({"name": names, "input": texts})})
legacy_calls = st.fixed_dictionaries({"name": names, "arguments": st.just("{}")})

assistant_extras: dict[str, Values] = {
    "refusal": nothing | texts,
    "name": names,
    "audio": nothing | st.fixed_dictionaries({"id": st.just("audio_1")}),
}
assistant_content = nothing | texts | st.lists(text_parts | refusal_parts, max_size=2)
messages = st.one_of(
    shape({"role": word("system", "developer"), "content": plain_content}, name=names),
    shape({"role": st.just("user"), "content": user_content}, name=names),
    shape({"role": st.just("tool"), "tool_call_id": names, "content": plain_content}),
    shape({"role": st.just("assistant"), "content": assistant_content}, **assistant_extras),
    shape(
        {"role": st.just("assistant"), "tool_calls": st.lists(function_calls | custom_calls, min_size=1, max_size=2)},
        content=assistant_content,
        **assistant_extras,
    ),
)
legacy_messages = st.one_of(
    shape({"role": st.just("function"), "name": names, "content": texts}),
    shape({"role": st.just("assistant"), "content": nothing, "function_call": legacy_calls}),
    messages,
)

tools = st.one_of(
    shape(
        {"type": st.just("function"), "function": shape({"name": names}, description=texts | nothing,
                                                        parameters=schemas, strict=flags | nothing)},
    ),
    shape(
        {"type": st.just("custom"), "custom": shape({"name": names}, description=texts, format=word(
            {"type": "text"}, {"type": "grammar", "grammar": {"syntax": "lark", "definition": "a"}}))},  # type: ignore[arg-type]
    ),
    shape({"type": word("web_search", "mcp")}, size=counts),
)  # fmt: skip
named_function = st.fixed_dictionaries({"type": st.just("function"), "function": shape({"name": names})})
named_custom = shape({"type": st.just("custom"), "custom": st.fixed_dictionaries({"name": names})})
allowed = shape(
    {"type": st.just("allowed_tools"), "allowed_tools": shape(
        {"mode": word("auto", "required"), "tools": st.lists(named_function, min_size=1, max_size=2)})},
)  # fmt: skip
response_formats = st.one_of(
    shape({"type": word("text", "json_object")}),
    shape({"type": st.just("json_schema"), "json_schema": shape({"name": names}, schema=schemas, description=texts | nothing,
                                                                strict=flags | nothing)}),
)  # fmt: skip
location = st.fixed_dictionaries({"type": st.just("approximate"), "approximate": shape(country=st.just("CH"))})

FIELDS: dict[str, Values] = {
    "audio": nothing | shape({"voice": texts | shape({"id": texts}), "format": word("wav", "mp3")}),
    "frequency_penalty": nothing | numbers,
    "logit_bias": nothing | st.dictionaries(st.sampled_from(["1", "50256"]), numbers, max_size=2),
    "logprobs": nothing | flags,
    "max_completion_tokens": nothing | counts,
    "max_tokens": nothing | counts,
    "metadata": nothing | st.dictionaries(names, texts, max_size=2),
    "modalities": nothing | st.lists(word("text", "audio"), max_size=2),
    "moderation": nothing
    | shape({"model": names}, policy=nothing | shape(input=nothing | shape({"mode": word("score")}))),
    "n": nothing | counts,
    "parallel_tool_calls": flags,
    "prediction": nothing | shape({"type": st.just("content"), "content": texts | st.lists(text_parts, max_size=2)}),
    "presence_penalty": nothing | numbers,
    "prompt_cache_key": nothing | texts,
    "prompt_cache_options": shape({"mode": word("implicit", "explicit")}, ttl=st.just("30m") | nothing),
    "prompt_cache_retention": nothing | word("in_memory", "24h"),
    "reasoning_effort": nothing | word("none", "minimal", "low", "medium", "high", "xhigh", "max"),
    "response_format": response_formats,
    "safety_identifier": nothing | texts,
    "seed": nothing | counts,
    "service_tier": nothing | word("auto", "default", "flex", "priority"),
    "stop": nothing | texts | st.lists(texts, max_size=4),
    "store": nothing | flags,
    "stream": nothing | flags,
    "stream_options": nothing | shape(include_usage=flags | nothing, include_obfuscation=flags | nothing),
    "temperature": nothing | numbers,
    "tool_choice": word("none", "auto", "required") | named_function | named_custom | allowed,
    "tools": st.lists(tools, max_size=3),
    "top_logprobs": nothing | counts,
    "top_p": nothing | numbers,
    "user": texts,
    "verbosity": nothing | word("low", "medium", "high"),
    "web_search_options": shape(search_context_size=word("low", "high") | nothing, user_location=location | nothing),
}
LEGACY: dict[str, Values] = {
    "functions": st.lists(shape({"name": names}, description=texts, parameters=schemas), max_size=2),
    "function_call": word("none", "auto") | st.fixed_dictionaries({"name": names}),
}
REQUIRED: dict[str, Values] = {"model": st.just("any-model"), "messages": st.lists(messages, max_size=3)}

bodies = shape(REQUIRED, **FIELDS)
legacy_bodies = shape({**REQUIRED, "messages": st.lists(legacy_messages, max_size=3)}, **FIELDS, **LEGACY)
