"""Inputs that once brought out something else than our errors, shortened: each is tried again in every run of tests."""

from __future__ import annotations

FOUND: list[tuple[str, bytes]] = [
    # numbers without measure
    ("anthropic_messages response", b'{"content":[],"usage":{"input_tokens":1,"server_tool_use":{"web_search_requests":1' + b"0" * 400 + b"}}}"),
    ("openai_responses response", b'{"output":[{"type":"message","content":[{"type":"output_text","text":"","logprobs":[1e999]}]}]}'),
    ("gemini response", b'{"candidates":[{"content":{"role":-1e999,"parts":[{"text":"no"}]},"finishReason":"STOP"}]}'),
    # a value of another type
    ("openai_chat response", b'{"choices":[{"message":{"content":"Hello","annotations":["error"]}}]}'),
    ("gemini response", b'{"candidates":[{}],"usageMetadata":{"promptTokenCount":0,"trafficType":[]}}'),
    ("gemini response", b'{"error":{"details":1}}'),
    ("anthropic_messages response", b'{"content":[{"type":"text","text":"x"}],"container":[{}],"stop_reason":"end_turn"}'),
    ("openai_chat events", (
        b'\x1f{"choices":[{"delta":{"content":"a","reasoning_details":[{"type":"x","text":[""],"index":0}]}}]}\x1e'
        b'\x1f{"choices":[{"delta":{"reasoning_details":[{"type":"x","text":"1","index":0}]},"finish_reason":"stop"}]}'
    )),
    ("openai_chat events", (
        b'\x1f{"choices":[{"delta":{"content":"a","reasoning_details":[1e999]}}]}\x1e\x1f{"choices":[{"delta":{},"finish_reason":"stop"}]}'
    )),
    ("gemini events", (
        b'\x1f{"candidates":[{"content":{"parts":[{"text":"He"}]},"finishReason":"STOP","groundingMetadata":{'
        b'"groundingChunks":[{"web":{"uri":[1]}}],"groundingSupports":[{"segment":{"endIndex":2},"groundingChunkIndices":[0]}]}}]}'
    )),
    *[
        ("bedrock_converse events", (
            'contentBlockStart\x1f{"contentBlockIndex":1,"start":{"image":{"format":"png"}}}\x1e'
            'contentBlockDelta\x1f{"contentBlockIndex":1,"delta":{"image":' + image + '}}\x1e'
            'contentBlockStop\x1f{"contentBlockIndex":1}\x1emessageStop\x1f{"stopReason":"end_turn"}'
        ).encode())
        for image in ('"stop"', '{"source":[{"bytes":"x"}]}')
    ],
    # an end that is said twice
    ("bedrock_converse events", b'messageStop\x1f{"stopReason":"end_turn"}\x1emessageStop\x1f{"stopReason":"content_filtered"}'),
    ("cohere_chat events", b'\x1f{"type":"message-end","delta":{"finish_reason":"COMPLETE"}}\x1e'
                           b'\x1f{"type":"message-end","delta":{"finish_reason":"MAX_TOKENS"}}'),
    # requests at the server halves
    ("anthropic_messages request", b"{}"),
    ("anthropic_messages request", b'{"model":"m","tool_choice":{"type":[{}],"name":"x"},"messages":[{"role":"user","content":"Hi"}]}'),
    ("anthropic_messages request", b'{"model":"m","messages":[{"role":"user","content":[{"type":"image","source":{"data":"x"}}]}]}'),
    *[
        ("anthropic_messages request", b'{"model":"m","messages":[{"role":"user","content":"Hi"}],"output_config":{"format":'
                                       b'{"type":"json_schema","schema":{"type":"object","properties":{"a":' + schema + b"}}}}}")
        for schema in (b'{"format":{}}', b'{"format":[1]}', b'{"enum":1}')
    ],
    ("gemini request", b'{"contents":[{"role":{},"parts":[{"text":"Hi"}]}]}'),
    ("gemini request", b'{"contents":[{"parts":[{"text":"Hi"}]}],"generationConfig":{"responseModalities":["TEXT",0]}}'),
    ("openai_responses request", b'{"model":"m","input":[{"type":"function_call_output","call_id":{},"output":"seen"}]}'),
    ("openai_chat request", b'{"model":"m","messages":[{"role":"user","content":"Hi"}],"audio":{"voice":[1,null],"format":"wav"}}'),
    ("openai_chat request", b'{"model":"m","messages":[{"role":"user","content":"Hi"}],"response_format":{"type":"json_schema",'
                            b'"json_schema":{"schema":true}}}'),
    # files and their lists
    ("anthropic-files-files", b'{"data":1,"has_more":true}'),
    ("anthropic-files-files", b'{"id":"f","expires_at":"soon"}'),
    ("google-files-files", b'{"files":-1}'),
    ("mistral-batch-mistral_batches", b'{"outputs":2147483648}'),
    ("google-batch-gemini_batches", b'{"operations":2147483648}'),
    ("google-batch-gemini_batches", b'{"response":{"inlinedResponses":{"inlinedResponses":true}}}'),
    ("google-files-files", b'{"name":"f","sizeBytes":"many"}'),
]  # fmt: skip
