"""`local/eliza`: a small conversation program in Weizenbaum's manner. It keeps keywords and turns sentences round.

The same conversation gets the same answer: all user messages are gone through again, each rule gives its answers in
turn, and what was kept in memory comes back when nothing else fits.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterator
from functools import cache

from betterai.core.exceptions import UnsupportedParam, ValidationError
from betterai.core.message import MediaPart, Message, ToolResult
from betterai.core.response import CallWarning
from betterai.core.settings import GenerationSettings
from betterai.core.tools import PlainText, ToolChoice
from betterai.providers.local.answer import Answer, Reply, Turn
from betterai.providers.local.eliza_script import (
    FALLBACKS,
    FOREIGN,
    GREETINGS,
    GROUPS,
    KEYWORDS,
    SILENCE,
    TASKS,
    Keyword,
    Rule,
)
from betterai.providers.local.options import ECHO_ONLY
from betterai.providers.local.reasoning import read_reasoning
from betterai.providers.local.reflection import read_words, reflect
from betterai.providers.local.unsupported import list_warnings

MAX_WORDS = 40
"""Of a sentence, so many words are looked at."""

_SENTENCE_END = re.compile(r"[.!?;:\n]+|\bbut\b", re.IGNORECASE)
_NUMBER = re.compile(r"\d")


def answer_turn(turn: Turn) -> Reply:
    """An answer to the last user message, in the light of those before it."""
    _refuse_what_it_cannot(turn)
    texts = [message.text for message in turn.messages if message.role == "user"]
    answers = (Answer(text=answer_conversation(texts, choice)) for choice in range(turn.settings.n or 1))
    return Reply(answers=tuple(answers), warnings=tuple(_list_warnings(turn)))


def answer_conversation(texts: list[str], choice: int = 0) -> str:
    """What Eliza says after these user messages; another `choice` is the same rule's next answer."""
    conversation = Conversation()
    for text in texts[:-1]:
        conversation.answer(text)
    return conversation.answer(texts[-1], choice) if texts else GREETINGS[0]


class Conversation:
    """What has to be known of a conversation so far: which answers were given, and what is worth coming back to."""

    def __init__(self) -> None:
        self._given: Counter[tuple[str, ...]] = Counter()
        self._memory: deque[str] = deque()

    def answer(self, text: str, choice: int = 0) -> str:
        """The next answer; it counts as given."""
        sentences = [words[:MAX_WORDS] for part in _SENTENCE_END.split(text) if (words := read_words(part))]
        if not sentences:
            return self._take(SILENCE, choice)
        for keyword, words in _rank(sentences):
            answer = self._try(keyword.rules, words, choice)
            if answer:
                self._remember(keyword, words)
                return answer
        if not re.search("[A-Za-z]", text):
            return self._take(TASKS if _NUMBER.search(text) else FOREIGN, choice)
        return self._memory.popleft() if self._memory else self._take(FALLBACKS, choice)

    def _try(self, rules: tuple[Rule, ...], words: list[str], choice: int) -> str:
        for rule in rules:
            match = _compile(rule.pattern).match("".join(f" {word}" for word in words))
            if match:
                turned = [reflect((found or "").split()) for found in match.groups()]
                answer = self._take(rule.answers, choice).format("", *turned)
                return answer[:1].upper() + answer[1:]
        return ""

    def _take(self, answers: tuple[str, ...], choice: int) -> str:
        given = self._given[answers]
        self._given[answers] += 1
        return answers[(given + choice) % len(answers)]

    def _remember(self, keyword: Keyword, words: list[str]) -> None:
        memory = self._try(keyword.memories, words, 0)
        if memory:
            self._memory.append(memory)


def _rank(sentences: list[list[str]]) -> list[tuple[Keyword, list[str]]]:
    """Every keyword with the first sentence that holds it, the highest rank first."""
    found: list[tuple[Keyword, list[str]]] = []
    lowered = [{word.lower() for word in words} for words in sentences]
    for keyword in KEYWORDS:
        for words, present in zip(sentences, lowered, strict=True):
            if not present.isdisjoint(keyword.words):
                found.append((keyword, words))
    return sorted(found, key=lambda pair: -pair[0].rank)


@cache
def _compile(pattern: str) -> re.Pattern[str]:
    """The pattern as an expression over words that each have a space before them."""
    return re.compile("".join(map(_compile_word, pattern.split())) + "$", re.IGNORECASE)


def _compile_word(word: str) -> str:
    if word == "*":
        return r"((?: \S+)*?)"
    if word == "+":
        return r"((?: \S+)+?)"
    if word.startswith("@"):
        return rf" ({'|'.join(GROUPS[word[1:]].split())})(?= |$)"
    return rf" {re.escape(word)}(?= |$)"


def _refuse_what_it_cannot(turn: Turn) -> None:
    """What would change the meaning of the call raises, before anything is said."""
    settings = turn.settings
    if settings.tools and not _never_calls(settings):
        raise _refuse("tools", "it cannot call tools")
    if settings.response_format is not None and not isinstance(settings.response_format, PlainText):
        raise _refuse("response_format", "it answers in plain English only")
    for message in turn.messages:
        if any(_is_media(part) for part in message.parts):
            raise _refuse("messages", "it reads text, not media")
    for name in ECHO_ONLY:
        if name in turn.options:
            raise ValidationError(
                f"the option {name!r} is for local/echo", hint="ask local/echo for scripted answers", provider="local"
            )


def _never_calls(settings: GenerationSettings) -> bool:
    choice = settings.tool_choice
    return (choice.mode if isinstance(choice, ToolChoice) else choice) == "none"


def _is_media(part: object) -> bool:
    return isinstance(part, MediaPart) or (isinstance(part, ToolResult) and any(map(_is_media, part.parts)))


def _refuse(param: str, reason: str) -> UnsupportedParam:
    return UnsupportedParam(
        f"local/eliza is a small program: {reason}",
        hint="ask local/echo, or set BETTERAI_MODEL and a key for a real model",
        param=param,
        provider="local",
        model="eliza",
    )


def _list_warnings(turn: Turn) -> Iterator[CallWarning]:
    thinks = read_reasoning(turn.settings.reasoning).sentences > 0
    yield from list_warnings(turn.settings, turn.messages, {"reasoning": "it does not think"} if thinks else {})
    if any(_is_instruction(message) for message in turn.messages):
        yield CallWarning(
            code="dropped", field="messages", message="local/eliza follows no system messages: its script is fixed"
        )


def _is_instruction(message: Message) -> bool:
    return message.role in ("system", "developer")
