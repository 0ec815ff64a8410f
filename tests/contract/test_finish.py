"""T9: every protocol's words for why an answer ended, as ours; the word itself is kept, whole and streamed."""

from __future__ import annotations

from collections.abc import Mapping

from contract.cases import TEXT_CODECS, Case, over
from contract.doubles import Asked, Said
from contract.reading import stream_of, whole_of
from together import each

WORDS: Mapping[str, Mapping[str, str]] = {
    "openai_chat": {
        "stop": "stop", "length": "length", "tool_calls": "tool_calls", "function_call": "tool_calls",
        "content_filter": "content_filter", "brand_new": "other",
    },
    "openai_responses": {
        "completed": "stop", "max_output_tokens": "length", "content_filter": "content_filter", "refusal": "refusal",
        "brand_new": "other",
    },
    "anthropic_messages": {
        "end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length", "tool_use": "tool_calls",
        "pause_turn": "pause", "refusal": "refusal", "model_context_window_exceeded": "length", "brand_new": "other",
    },
    "gemini": {
        "STOP": "stop", "MAX_TOKENS": "length", "SAFETY": "content_filter", "RECITATION": "content_filter",
        "BLOCKLIST": "content_filter", "PROHIBITED_CONTENT": "content_filter", "SPII": "content_filter",
        "MALFORMED_FUNCTION_CALL": "error", "OTHER": "other", "BRAND_NEW": "other",
    },
    "bedrock_converse": {
        "end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length", "tool_use": "tool_calls",
        "guardrail_intervened": "content_filter", "content_filtered": "content_filter",
        "model_context_window_exceeded": "length", "malformed_model_output": "error", "malformed_tool_use": "error",
        "brand_new": "other",
    },
    "cohere_chat": {
        "COMPLETE": "stop", "STOP_SEQUENCE": "stop", "MAX_TOKENS": "length", "TOOL_CALL": "tool_calls",
        "ERROR": "error", "TIMEOUT": "error", "BRAND_NEW": "other",
    },
    "ollama_chat": {"stop": "stop", "length": "length", "load": "other", "brand_new": "other"},
}  # fmt: skip
"""From the vendors' references, see the facts sheets of each protocol."""
ASKED = (Asked("call_a", "add", ("{}",)),)
ROWS = [(case, word) for case in TEXT_CODECS for word in WORDS[case.protocol]]


@each("case, word", ROWS, by=lambda row: row[0].provider.name)
def test_t9_each_word_is_one_of_ours_and_is_kept(case: Case, word: str) -> None:
    wanted = WORDS[case.protocol][word]
    said = Said(text="Hello", asked=ASKED if wanted == "tool_calls" else (), finish=word)
    whole, (chunks, streamed) = whole_of(case, said), stream_of(case, said)
    kept = "completed" if word == "refusal" and case.protocol == "openai_responses" else word
    assert (whole.finish_reason, whole.raw_finish_reason) == (wanted, kept)
    assert (streamed.finish_reason, streamed.raw_finish_reason) == (wanted, kept)
    assert len([chunk for chunk in chunks if chunk.finish_reason]) == 1


@over(TEXT_CODECS)
def test_t9_calls_of_tools_are_a_reason_where_the_protocol_has_no_word_for_it(case: Case) -> None:
    whole, (_, streamed) = whole_of(case, Said(asked=ASKED)), stream_of(case, Said(asked=ASKED))
    assert whole.finish_reason == streamed.finish_reason == "tool_calls"


@over(TEXT_CODECS)
def test_t9_an_answer_that_was_cut_off_is_never_shown_as_a_call_of_tools(case: Case) -> None:
    cut = next(word for word, reason in WORDS[case.protocol].items() if reason == "length")
    said = Said(text="Hello", asked=ASKED, finish=cut)
    whole, (_, streamed) = whole_of(case, said), stream_of(case, said)
    assert whole.finish_reason == streamed.finish_reason == "length"
