"""`local/eliza`: it answers by its script, the same each time, and says honestly what it is."""

import re

import pytest

from betterai.core.exceptions import UnsupportedParam
from betterai.core.media import Media
from betterai.core.message import Message, Text, ToolResult
from betterai.core.settings import GenerationSettings, ReasoningControl
from betterai.core.tools import JsonObject, JsonSchema, PlainText, Tool
from betterai.providers.local.eliza import MAX_WORDS, answer_conversation
from betterai.providers.local.eliza_script import CRISIS, FALLBACKS, FOREIGN, GROUPS, IDENTITY, KEYWORDS, SETUP, TASKS
from betterai.providers.local.reflection import read_words, reflect
from betterai.providers.local.text import LocalTextProvider
from together import each


async def ask(messages, **settings):
    return await LocalTextProvider().generate(messages, "eliza", GenerationSettings(**settings))


def talk(*texts):
    return answer_conversation(list(texts))


@pytest.mark.parametrize(
    ("said", "turned"),
    [
        ("I am sure you like my work", "you are sure I like your work"),
        ("I'm yours and you're mine", "you are mine and I am yours"),
        ("my dog hates me", "your dog hates you"),
        ("I told you about myself", "you told me about yourself"),
        ("you answer without a key", "I answer without a key"),
        ("help you", "help me"),
        ("I can’t see why you don't", "you cannot see why I do not"),
        ("", ""),
    ],
)
def test_words_are_turned_round(said, turned):
    assert reflect(read_words(said)) == turned


@each(
    ("said", "answer"),
    [
        (
            "Hello. I am happy because you answer without a key.",
            "You say you are happy, because I answer without a key.",
        ),
        ("I'm sad", "I am sorry that you are sad."),
        ("my mother never calls me", "Tell me more about your mother."),
        ("I want you to help me", "Suppose I could help you."),
        ("I WANT a holiday", "What would it change if you got a holiday?"),
        ("hi", "Hello."),
        ("Why don't you answer me?", "Do you think I should answer you?"),
        ("You are not very helpful", "What makes you think I am not very helpful?"),
        ("My dog is called Rex", "Your dog is called Rex: tell me more."),
        ("thanks!", "You are welcome."),
        ("(hm)", FALLBACKS[0]),
        ("Привет", FOREIGN[0]),
        ("2 + 2", TASKS[0]),
        ("   ", "You have said nothing yet."),
    ],
)
def test_sentences_are_answered_by_the_script(said, answer):
    assert talk(said).startswith(answer)


@pytest.mark.parametrize(
    "said",
    [
        "What are you?",
        "are you an AI?",
        "Are you a real person",
        "who are you really?",
        "What is your name?",
        "hello, who made you",
    ],
)
async def test_it_says_what_it_is_and_how_to_get_a_real_model(said):
    response = await ask(said)
    assert response.content == IDENTITY[0]
    for word in ("BetterAI", "demo program", "not a language model", "BETTERAI_MODEL", "key"):
        assert word in response.content


@pytest.mark.parametrize("said", ["How do I choose a model?", "where do I put my API key", "I need a real model"])
def test_it_says_how_to_set_a_model(said):
    assert talk(said) == SETUP[0]


@pytest.mark.parametrize("said", ["Can you write a function?", "Translate this please", "please, explain monads"])
def test_it_does_not_pretend_to_do_tasks(said):
    assert talk(said) == TASKS[0]


def test_it_sends_those_in_need_to_people():
    assert talk("hello. i'm tired and i want to die") == CRISIS[0]


def test_the_same_conversation_has_the_same_answer_and_a_repeated_sentence_another():
    first, second, third = talk("I am sad"), talk("I am sad", "I am sad"), talk("I am sad", "I am sad", "I am sad")
    assert len({first, second, third}) == 3
    assert talk("I am sad", "I am sad") == second


def test_what_was_said_comes_back_from_memory_once():
    before = ["My brother left", "hm"]
    assert "Earlier you spoke of your brother." in talk(*before)
    assert talk(*before, "hm") == FALLBACKS[0]


async def test_the_whole_history_is_read():
    history = [Message.user("My brother left"), Message.assistant("…"), Message.user("hm")]
    assert "brother" in (await ask(history)).content


async def test_other_choices_are_other_answers_of_the_same_rule():
    response = await ask("I am sad", n=3)
    answers = [response.content, *(answer.content for answer in response.alternatives)]
    assert len(set(answers)) == 3
    assert response.content == (await ask("I am sad")).content


async def test_the_response_has_the_shape_of_the_echos():
    chunks = [c async for c in LocalTextProvider().generate_stream("hello", "eliza", GenerationSettings())]
    response = chunks[-1].response
    assert len([chunk for chunk in chunks if chunk.content]) > 3
    assert "".join(chunk.content for chunk in chunks) == response.content
    assert response.message.parts == (Text(text=response.content),)
    assert (response.model, response.provider, response.finish_reason) == ("eliza", "local", "stop")
    assert response.usage.text_out == len(response.content.split())
    assert (response.cost.amount, response.cost.status) == (0, "exact")
    assert response == await ask("hello")


async def test_limits_hold():
    assert (await ask("hello", max_tokens=2)).content == "Hello. What"
    assert (await ask("hello", stop=".")).content == "Hello"


@pytest.mark.parametrize(
    ("param", "settings"),
    [
        ("tools", {"tools": [Tool(name="f")]}),
        ("response_format", {"response_format": JsonObject()}),
        ("response_format", {"response_format": JsonSchema(schema={})}),
    ],
)
async def test_what_would_change_the_meaning_raises(param, settings):
    with pytest.raises(UnsupportedParam, match="local/eliza") as caught:
        await ask("x", **settings)
    assert caught.value.param == param


async def test_media_raises_inside_results_too():
    image = Media(kind="image", data=b"x")
    inside = ToolResult(id="1", parts=(Message.user("", image).parts[1],))
    for message in (Message.user("look", image), Message(role="tool", parts=(inside,))):
        with pytest.raises(UnsupportedParam):
            await ask([Message.user("hello"), message])


async def test_what_changes_nothing_passes():
    response = await ask(
        "hi", tools=[Tool(name="f")], tool_choice="none", response_format=PlainText(), reasoning="none"
    )
    assert response.warnings == ()
    assert (await ask("hi", tools=[])).warnings == ()


async def test_what_is_left_out_is_reported():
    response = await ask(
        [Message.system("be rude"), Message.user("hi")], reasoning=ReasoningControl(effort="high"), store=True
    )
    assert [warning.field for warning in response.warnings] == ["reasoning", "store", "messages"]


async def test_a_conversation_without_a_user_is_greeted():
    assert (await ask([Message.system("x")])).content.startswith("Hello.")


RULES = [(keyword, rule) for keyword in KEYWORDS for rule in (*keyword.rules, *keyword.memories)]


@each(("keyword", "rule"), RULES, ids=lambda value: getattr(value, "pattern", ""))
def test_a_rule_is_found_by_its_keyword_and_its_answers_have_their_words(keyword, rule):
    tokens = rule.pattern.split()
    said = " ".join(GROUPS[token[1:]] if token[0] == "@" else token for token in tokens).split()
    assert rule.pattern == "*" or set(said) & set(keyword.words), "no sentence would reach this rule"
    slots = sum(token[0] in "*+@" for token in tokens)
    for answer in rule.answers:
        numbers = [int(number) for number in re.findall(r"{(\d+)}", answer)]
        assert all(0 < number <= slots for number in numbers)
        open_slots = [token for token in tokens if token[0] in "*+@"]
        assert all(open_slots[number - 1] != "*" or "+" in tokens or "@" in rule.pattern for number in numbers)
        assert answer[0].isupper() or answer[0] == "{"


def test_hostile_lengths_end_soon():
    assert talk("i am because " * 20_000)
    assert talk("a" * 100_000)
    assert talk(*["my house is old"] * 500)
    assert len(talk("I am " + "very " * 1000).split()) <= MAX_WORDS + 10
