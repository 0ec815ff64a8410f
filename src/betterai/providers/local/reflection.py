"""Turns a speaker's words round: "I am sure you like my work" becomes "you are sure I like your work"."""

from __future__ import annotations

import re

_CONTRACTIONS = {
    "i'm": "I am", "i've": "I have", "i'll": "I will", "i'd": "I would", "you're": "you are", "you've": "you have",
    "you'll": "you will", "you'd": "you would", "don't": "do not", "doesn't": "does not", "didn't": "did not",
    "can't": "cannot", "won't": "will not", "isn't": "is not", "aren't": "are not", "wasn't": "was not",
    "weren't": "were not", "couldn't": "could not", "wouldn't": "would not", "shouldn't": "should not",
    "haven't": "have not", "hasn't": "has not", "it's": "it is", "that's": "that is", "what's": "what is",
    "who's": "who is", "he's": "he is", "she's": "she is", "there's": "there is", "they're": "they are",
    "we're": "we are", "im": "I am", "dont": "do not", "cant": "cannot",
}  # fmt: skip

_PAIRS = {
    ("i", "am"): "you are", ("am", "i"): "are you", ("i", "was"): "you were", ("was", "i"): "were you",
    ("you", "are"): "I am", ("are", "you"): "am I", ("you", "were"): "I was", ("were", "you"): "was I",
}  # fmt: skip

_SINGLES = {
    "i": "you", "me": "you", "my": "your", "mine": "yours", "myself": "yourself", "am": "are",
    "your": "my", "yours": "mine", "yourself": "myself",
}  # fmt: skip

_BEFORE_OBJECT = frozenset({
    "about", "after", "against", "ask", "asked", "asking", "at", "before", "behind", "believe", "by", "call",
    "from", "for", "forget", "give", "gives", "hate", "hates", "help", "hear", "in", "into", "know", "like", "love",
    "loves", "made", "make", "makes", "meet", "miss", "need", "needs", "of", "on", "over", "see", "show", "tell",
    "telling", "than", "thank", "thanks", "teach", "to", "told", "toward", "trust", "understand", "upon", "use",
    "using", "want", "wants", "with", "without"
})  # fmt: skip
"""Words after which "you" is an object: it becomes "me", not "I"."""

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")


def read_words(sentence: str) -> list[str]:
    """The words of a sentence without its punctuation, contractions written out."""
    words: list[str] = []
    for word in _WORD.findall(sentence):
        words += _CONTRACTIONS.get(word.lower().replace("’", "'"), word).split()
    return words


def reflect(words: list[str]) -> str:
    """What the speaker says of himself, said to him; what he says to you, said by you."""
    turned: list[str] = []
    place = 0
    while place < len(words):
        word = words[place].lower()
        following = words[place + 1].lower() if place + 1 < len(words) else ""
        previous = words[place - 1].lower() if place else ""
        if (word, following) in _PAIRS:
            turned.append(_PAIRS[word, following])
            place += 2
            continue
        if word == "you":
            turned.append("me" if not following or previous in _BEFORE_OBJECT else "I")
        else:
            turned.append(_SINGLES.get(word, words[place]))
        place += 1
    return " ".join(turned)
