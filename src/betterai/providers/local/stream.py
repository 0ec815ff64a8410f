"""From whole answers to the chunks of a stream, and to the one response that both ways of asking give."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from msgspec.structs import replace

from betterai.core.message import AnyPart, Message, Reasoning, Text, ToolCall
from betterai.core.price import price_usage
from betterai.core.response import ProviderResponse, TextChunk, TokenLogprob, ToolCallDelta
from betterai.core.usage import Usage
from betterai.providers.local.answer import Answer, Reply, Turn
from betterai.providers.local.options import read_usage
from betterai.providers.local.words import count_usage, split_words

IMPOSSIBLE = -9999.0
"""The log probability of what is never said (JSON has no minus infinity)."""


def build_chunks(turn: Turn, reply: Reply) -> Iterator[TextChunk]:
    """Choices take turns, each with deltas, parts as they are finished, its finish; then usage, then the response."""
    response = build_response(turn, reply)
    choices = [_build_choice(turn, answer, index) for index, answer in enumerate(reply.answers)]
    for row in zip_longest(*choices):
        yield from (chunk for chunk in row if chunk is not None)
    if response.usage is not None:
        yield TextChunk(usage=response.usage, model=response.model, id=response.id)
    yield TextChunk(response=response, model=response.model, id=response.id)


def build_response(turn: Turn, reply: Reply) -> ProviderResponse:
    """The whole response, the second and later answers in `alternatives`."""
    usage = _build_usage(turn, reply.answers)
    first, *others = [_respond(turn, answer) for answer in reply.answers]
    return replace(
        first,
        usage=usage,
        tokens_used=usage.total_tokens if usage is not None else None,
        cost=price_usage(usage, turn.model.price),
        warnings=reply.warnings,
        alternatives=tuple(others),
    )


def _respond(turn: Turn, answer: Answer) -> ProviderResponse:
    return ProviderResponse(
        content=answer.text,
        model=turn.model.id,
        provider="local",
        id=_build_id(turn),
        message=Message(role="assistant", parts=tuple(_list_parts(answer))),
        finish_reason=answer.finish_reason,
        raw_finish_reason=answer.raw_finish_reason,
        logprobs=_build_logprobs(turn, split_words(answer.text)) if _wants_logprobs(turn) else None,
    )


def _build_usage(turn: Turn, answers: Sequence[Answer]) -> Usage | None:
    stream_options = turn.settings.stream_options
    if turn.stream and stream_options is not None and stream_options.include_usage is False:
        return None
    if "usage" in turn.options:
        return read_usage(turn.options["usage"])
    return count_usage(turn.messages, answers)


def _build_id(turn: Turn) -> str:
    return f"local-{turn.fingerprint:08x}"


def _list_parts(answer: Answer) -> Iterator[AnyPart]:
    if answer.reasoning and answer.show_reasoning:
        yield Reasoning(text=answer.reasoning)
    if answer.text:
        yield Text(text=answer.text)
    yield from answer.tool_calls


def _build_choice(turn: Turn, answer: Answer, choice: int) -> Iterator[TextChunk]:
    model, id = turn.model.id, _build_id(turn)
    for part in _list_parts(answer):
        if isinstance(part, Reasoning):
            for piece in _split(turn, part.text):
                yield TextChunk(reasoning=piece, choice=choice, model=model, id=id)
        elif isinstance(part, ToolCall):
            for delta in _split_call(turn, part):
                yield TextChunk(tool_call=delta, choice=choice, model=model, id=id)
        else:
            for piece, logprobs in _split_with_logprobs(turn, answer.text):
                yield TextChunk(content=piece, logprobs=logprobs, choice=choice, model=model, id=id)
        yield TextChunk(part=part, choice=choice, model=model, id=id)
    yield TextChunk(
        finish_reason=answer.finish_reason,
        raw_finish_reason=answer.raw_finish_reason,
        choice=choice,
        model=model,
        id=id,
    )


def _split(turn: Turn, text: str) -> list[str]:
    size = turn.options.get("chunk_size")
    if size is None:
        return split_words(text)
    return [text[start : start + size] for start in range(0, len(text), size)]


def _split_answer(turn: Turn, text: str) -> list[str]:
    """The scripted pieces, as far as the text was not cut to the caller's limits; else as any text."""
    if "pieces" not in turn.options:
        return _split(turn, text)
    pieces, left = [], text
    for piece in turn.options["pieces"]:
        pieces.append(left[: len(piece)])
        left = left[len(piece) :]
    return [piece for piece in pieces if piece]


def _split_call(turn: Turn, call: ToolCall) -> Iterator[ToolCallDelta]:
    """Id and name first, then the arguments in two or more fragments, where they are long enough for two."""
    yield ToolCallDelta(index=call.index, id=call.id, name=call.name)
    length = len(call.arguments)
    size = turn.options.get("chunk_size", max(1, min(12, (length + 1) // 2)))
    for start in range(0, length, size):
        yield ToolCallDelta(index=call.index, arguments=call.arguments[start : start + size])


def _split_with_logprobs(turn: Turn, text: str) -> Iterator[tuple[str, tuple[TokenLogprob, ...] | None]]:
    """The pieces, each with the log probabilities of the words that end in it."""
    if not _wants_logprobs(turn):
        yield from ((piece, None) for piece in _split_answer(turn, text))
        return
    words = split_words(text)
    sent = ended = next_word = 0
    for piece in _split_answer(turn, text):
        sent += len(piece)
        first = next_word
        while next_word < len(words) and ended + len(words[next_word]) <= sent:
            ended += len(words[next_word])
            next_word += 1
        yield piece, _build_logprobs(turn, words[first:next_word]) or None


def _wants_logprobs(turn: Turn) -> bool:
    return bool(turn.settings.logprobs or turn.settings.top_logprobs)


def _build_logprobs(turn: Turn, words: Sequence[str]) -> tuple[TokenLogprob, ...]:
    """Each word was certain; with `top_logprobs`, made-up words that were not fill the list."""
    return tuple(_certain(word, turn.settings.top_logprobs or 0) for word in words)


def _certain(word: str, count: int) -> TokenLogprob:
    others = tuple(_build_logprob(f"{word}{rank}", IMPOSSIBLE) for rank in range(1, count))
    said = _build_logprob(word, 0.0)
    return replace(said, top_logprobs=(said, *others)) if count else said


def _build_logprob(token: str, logprob: float) -> TokenLogprob:
    return TokenLogprob(token=token, logprob=logprob, bytes=tuple(token.encode(errors="surrogatepass")))
