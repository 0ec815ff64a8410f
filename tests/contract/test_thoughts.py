"""T2: thoughts, signatures and encrypted reasoning go back to whom they came from as they came, and to nobody else."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from betterai.core.message import Message
from contract.cases import TEXT_CODECS, Case, build
from contract.doubles import Said
from contract.reading import double_of, read_whole
from together import each

SEAL = "EqQBCkYIBxgCKkBs3al3d/x+y=="
"""What no other provider may be sent."""
CALL = {"name": "add", "arguments": '{"b": 1.50, "a": [ ]}'}
Json = dict[str, Any]


def _chat(**message: Any) -> Json:
    called = {"id": "abcdef123", "type": "function", "function": CALL}
    return {"choices": [{"index": 0, "finish_reason": "stop", "message": {
        "role": "assistant", "content": "Hi", "tool_calls": [called], **message,
    }}]}  # fmt: skip


DETAILS = [
    {"type": "reasoning.text", "text": "Hm.", "signature": SEAL, "format": "some-v1", "index": 0},
    {"type": "reasoning.encrypted", "data": SEAL, "id": "r1", "format": "some-v1", "index": 1},
]
CALLED = {"type": "function_call", "id": "fc_1", "call_id": "abcdef123", "status": "completed", **CALL}
SPOKEN = {
    "type": "message", "id": "msg_1", "status": "completed", "role": "assistant",
    "content": [{"type": "output_text", "text": "Hi", "annotations": []}],
}  # fmt: skip


def _sealed(id: str, *summary: str) -> Json:
    parts = [{"type": "summary_text", "text": text} for text in summary]
    return {"type": "reasoning", "id": id, "summary": parts, "encrypted_content": SEAL}


USE = {"type": "tool_use", "id": "abcdef123", "name": "add", "input": {"b": 1.5, "a": []}}
GEMINI_CALL = {"functionCall": {"id": "abcdef123", "name": "add", "args": {"b": 1.5, "a": []}}}
USE_OF_CONVERSE = {"toolUse": {"toolUseId": "abcdef123", "name": "add", "input": {"b": 1.5, "a": []}}}

ANSWERS: Mapping[str, Mapping[str, Any]] = {
    "openai_chat": {
        "thoughts": _chat(reasoning="Hm."),
        "sealed details": _chat(reasoning="Hm.", reasoning_details=DETAILS),
    },
    "openai_responses": {
        "sealed thoughts": {"output": [_sealed("rs_1", "Hm."), SPOKEN, CALLED]},
        "a seal alone": {"output": [_sealed("rs_1"), CALLED]},
        "two in a row": {"output": [_sealed("rs_1", "Hm.", "So."), _sealed("rs_2"), SPOKEN]},
    },
    "anthropic_messages": {
        "thinking": {"content": [{"type": "thinking", "thinking": "Hm.", "signature": SEAL}, USE]},
        "redacted": {"content": [{"type": "redacted_thinking", "data": SEAL}, {"type": "text", "text": "Hi"}]},
        "a signature alone": {"content": [{"type": "thinking", "thinking": "", "signature": SEAL}, USE]},
        "all between texts": {
            "content": [
                {"type": "thinking", "thinking": "Hm.", "signature": SEAL}, {"type": "text", "text": "Hi"},
                {"type": "redacted_thinking", "data": SEAL}, USE,
            ],
        },
    },
    "gemini": {
        name: {"candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": "STOP"}]}
        for name, parts in {
            "signed thoughts": [{"text": "Hm.", "thought": True, "thoughtSignature": SEAL}, {"text": "Hi"}],
            "a signed text": [{"text": "Hi", "thoughtSignature": SEAL}],
            "a signed call": [{**GEMINI_CALL, "thoughtSignature": SEAL}],
            "a signature on nothing": [{"text": "Hi"}, {"text": "", "thoughtSignature": SEAL}],
        }.items()
    },
    "bedrock_converse": {
        name: {"output": {"message": {"role": "assistant", "content": content}}, "stopReason": "end_turn"}
        for name, content in {
            "thoughts": [{"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": SEAL}}}, USE_OF_CONVERSE],
            "redacted": [{"reasoningContent": {"redactedContent": "RXFRQkNrWUk="}}, {"text": "Hi"}],
            "a signature alone": [{"reasoningContent": {"reasoningText": {"text": "", "signature": SEAL}}}, {"text": "Hi"}],
        }.items()
    },
    "cohere_chat": {
        "thoughts": {
            "id": "a-1", "finish_reason": "COMPLETE",
            "message": {
                "role": "assistant",
                "content": [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Hi"}],
            },
        },
    },
    "ollama_chat": {
        "thoughts": {"done": True, "done_reason": "stop", "message": {
            "role": "assistant", "content": "Hi", "thinking": "Hm.",
        }},
    },
}  # fmt: skip
"""What each protocol answers with thoughts in it, in plain dictionaries."""
SENT: Mapping[str, Callable[[Json], Any]] = {
    "openai_chat": lambda body: body["messages"][1],
    "openai_responses": lambda body: [item for item in body["input"][1:-1] if item["type"] != "function_call_output"],
    "anthropic_messages": lambda body: body["messages"][1]["content"],
    "gemini": lambda body: body["contents"][1]["parts"],
    "bedrock_converse": lambda body: body["messages"][1]["content"],
    "cohere_chat": lambda body: body["messages"][1],
    "ollama_chat": lambda body: body["messages"][1],
}
CAME: Mapping[str, Callable[[Json], Any]] = {
    "openai_chat": lambda body: body["choices"][0]["message"],
    "openai_responses": lambda body: body["output"],
    "anthropic_messages": lambda body: body["content"],
    "gemini": lambda body: body["candidates"][0]["content"]["parts"],
    "bedrock_converse": lambda body: body["output"]["message"]["content"],
    "cohere_chat": lambda body: body["message"],
    "ollama_chat": lambda body: body["message"],
}
"""Where the turn of the assistant stands in a request, and where in a reply."""
THINKING = [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}, {"type": "text", "text": "Hi"}]
OWN: Mapping[str, Mapping[str, Any]] = {"mistral-text-openai_chat": {"thoughts": _chat(content=THINKING)}}
"""Who answers otherwise than the rest of its protocol."""


def answers_of(case: Case) -> Mapping[str, Any]:
    return OWN.get(str(case), ANSWERS[case.protocol])


ROWS = [(case, name) for case in TEXT_CODECS for name in answers_of(case)]


OVER_ROWS = each("case, name", ROWS, by=lambda row: row[0].provider.name)


def store(message: Message) -> Message:
    """As a program keeps it: JSON, and back."""
    stored = msgspec.json.encode(message)
    again = msgspec.json.decode(stored, type=Message)
    assert msgspec.json.encode(again) == stored
    return again


def reply_of(case: Case, name: str) -> Json:
    """The body; Chat vendors give their thoughts in a field of their own name."""
    body = json.loads(json.dumps(answers_of(case)[name]))
    if case.protocol == "openai_chat" and case.codec.reasoning_field and "reasoning" in CAME["openai_chat"](body):
        message = CAME["openai_chat"](body)
        message[case.codec.reasoning_field] = message.pop("reasoning")
    return {**double_of(case).whole(Said(text="Hi")), **body}


def answer_of(case: Case, body: Json) -> Message:
    message = read_whole(case, body).message
    assert message is not None
    return store(message)


def conversation(message: Message) -> tuple[Message, ...]:
    results = tuple(Message.tool(call.id, "2") for call in message.tool_calls)
    return (Message.user("Hello"), message, *results, Message.user("And?"))


def as_sent(case: Case, turn: Any) -> Any:
    """Two things that may be told otherwise: an empty list of sources, and the plain text of thoughts whose sealed form
    goes beside it.
    """
    if case.protocol == "openai_responses":
        for item in turn:
            for part in item.get("content") or ():
                part.pop("annotations", None)
    elif case.protocol == "openai_chat" and "reasoning_details" in turn and not case.codec.reasoning_field:
        turn.pop("reasoning", None)
    return turn


@OVER_ROWS
def test_t2_thoughts_go_back_after_storing_as_they_came(case: Case, name: str) -> None:
    body = reply_of(case, name)
    request = build(case, messages=conversation(answer_of(case, body)))
    assert isinstance(request.body, bytes)
    sent = as_sent(case, SENT[case.protocol](json.loads(request.body)))
    came = as_sent(case, CAME[case.protocol](body))
    if [warning.field for warning in request.warnings] == ["messages.reasoning"]:
        assert case.protocol == "openai_chat"  # its vendors have no one way to give thoughts back, and many have none
        came.pop("reasoning")
    else:
        assert request.warnings == ()
    assert sent == came


@OVER_ROWS
def test_t2_to_every_other_provider_they_are_dropped_with_a_warning_and_never_an_error(case: Case, name: str) -> None:
    message = answer_of(case, reply_of(case, name))
    sealed = any(part.opaque is not None and SEAL in json.dumps(part.opaque.value) for part in message.parts)
    assert sealed or name in ("thoughts", "redacted")
    for other in TEXT_CODECS:
        if (other.provider.name, other.protocol) == (case.provider.name, case.protocol):
            continue
        request = build(other, messages=conversation(message))
        assert isinstance(request.body, bytes)
        assert SEAL.encode() not in request.body, other
        assert not sealed or [warning.field for warning in request.warnings if warning.code == "dropped"], other
