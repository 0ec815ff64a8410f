"""What `local/eliza` says, as data: keywords, how to take a sentence apart at them, and how to answer.

A pattern is a line of words. `*` stands for any words or none, `+` for one word or more, `@group` for one of a group's;
`{1}`, `{2}` … in an answer are what these stood for, in order, turned round. Answers of a rule are used in turn.
"""

from __future__ import annotations

from betterai.core.data import Data


class Rule(Data, frozen=True, kw_only=True):
    """How a sentence may look, and what to say to it then."""

    pattern: str
    answers: tuple[str, ...]


class Keyword(Data, frozen=True, kw_only=True):
    """Rules for sentences that hold one of `words`. The highest `rank` in a message is tried first.

    `memories` are kept while another rule answers, and come back when nothing else fits.
    """

    words: tuple[str, ...]
    rank: int
    rules: tuple[Rule, ...]
    memories: tuple[Rule, ...] = ()


def _rule(pattern: str, *answers: str) -> Rule:
    return Rule(pattern=pattern, answers=answers)


GROUPS = {
    "sad": "sad unhappy down depressed lonely miserable upset hurt sick tired exhausted stressed anxious afraid scared "
    "worried angry bored frustrated confused lost stuck",
    "happy": "happy glad excited pleased proud relieved grateful content cheerful thankful",
    "family": "mother mom mum father dad sister brother wife husband son daughter child children parents family "
    "grandmother grandfather partner girlfriend boyfriend",
    "want": "want need wish hope",
    "made": "made wrote built created programmed",
    "machine": "ai bot robot chatbot program computer machine human person real alive conscious model llm eliza",
    "task": "write translate summarize summarise calculate compute explain generate code draw fix debug convert solve "
    "compose review",
    "can": "can could will would please",
    "pick": "choose change pick set select use get switch connect configure which what",
    "good": "good great fine well better okay ok wonderful",
    "everyone": "everyone everybody nobody someone anyone people",
    "story": "story poem song recipe weather news",
    "number": "much many",
}

IDENTITY = (
    "I am Eliza, the small demo program that comes with BetterAI. I am not a language model: I look for keywords and "
    "turn your own words round, as the first chat program did in 1966. For a real model, set BETTERAI_MODEL to a "
    "provider and a model, such as provider/model, and put that provider's key into its variable.",
    "A program of a few hundred lines inside BetterAI: no network, no key and no understanding. Set BETTERAI_MODEL and "
    "a provider's key, and the same call is answered by a real model.",
)

SETUP = (
    "Set the environment variable BETTERAI_MODEL to provider/model, and the provider's key in its own variable; or "
    "pass model= and api_key= in the call. Until then it is me who answers, BetterAI's embedded demo program.",
)

TASKS = (
    "That is a task for a real model, and I am only BetterAI's embedded demo program: I cannot do it. Set "
    "BETTERAI_MODEL and a provider's key, and ask again.",
    "I would only be pretending. I am a demo program without knowledge; a real model is one BETTERAI_MODEL and one key "
    "away.",
)

CRISIS = (
    "I am only a small program and cannot help with this, but people can, and I would like you to reach one now: call "
    "your local emergency number or a crisis line, or tell someone near you what you have just told me.",
)

GREETINGS = (
    "Hello. What is on your mind today?",
    "Hello again. Where shall we go on?",
)

SILENCE = (
    "You have said nothing yet. What would you like to talk about?",
    "I am listening. Take your time.",
)

FOREIGN = ("I am a simple program and understand only English. Could you say it in English?",)

FALLBACKS = (
    "Tell me more about that.",
    "I see. And what does that mean to you?",
    "Please go on.",
    "What makes you say that just now?",
    "I am not sure I follow. Can you put it another way?",
    "How long has this been on your mind?",
)

KEYWORDS = (
    Keyword(
        words=("suicide", "suicidal", "kill", "die", "dead", "life"),
        rank=100,
        rules=tuple(
            _rule(pattern, *CRISIS)
            for pattern in (
                "* suicide *", "* suicidal *", "* kill myself *", "* end my life *", "* take my own life *",
                "* i @want to die *", "* i @want to be dead *",
            )
        ),
    ),
    Keyword(
        words=("you", "your", "talking"),
        rank=90,
        rules=tuple(
            _rule(pattern, *IDENTITY)
            for pattern in (
                "* are you * @machine *", "* you are * @machine *", "* what are you", "* what exactly are you",
                "* who are you *", "* your name *", "* @can you introduce yourself *", "* who @made you *",
                "* how do you work *", "* what can you do *", "* do you understand *", "* what is it that you do *",
                "* talking to * @machine *",
            )
        ),
    ),
    Keyword(
        words=("model", "models", "key", "keys", "provider", "providers", "betterai"),
        rank=85,
        rules=tuple(
            _rule(pattern, *SETUP)
            for pattern in (
                "* api key *", "* api keys *", "* real model *", "* @pick * model *", "* @pick * models *",
                "* @pick * provider *", "* how * key *", "* betterai *", "* better model *",
            )
        ),
    ),
    Keyword(
        words=tuple(GROUPS["task"].split()),
        rank=80,
        rules=tuple(_rule(pattern, *TASKS) for pattern in ("@task *", "@can @task *", "* @can you * @task *")),
    ),
    Keyword(
        words=("because",),
        rank=62,
        rules=(
            _rule(
                "* i am + because +",
                "You say you are {2}, because {3}. Is that the whole of it?",
                "And if it were not so that {3}, would you still be {2}?",
            ),
            _rule(
                "* because +",
                "Is it only because {2}?",
                "Which other reasons come to mind, beside that {2}?",
                "Does that reason explain anything else?",
            ),
        ),
    ),
    Keyword(
        words=("dream", "dreamt", "dreamed", "dreams", "nightmare"),
        rank=60,
        rules=(
            _rule("* i dreamt +", "You dreamt {2}. What stayed with you when you woke?", "Had you thought {2} before?"),
            _rule("* i dreamed +", "You dreamed {2}. What stayed with you when you woke?"),
            _rule("*", "What do your dreams tell you?", "Do the same people turn up in your dreams?"),
        ),
    ),
    Keyword(
        words=tuple(GROUPS["family"].split()),
        rank=55,
        rules=(
            _rule(
                "* my @family +",
                "Tell me more about your {2}.",
                "Your {2} {3}: how is that for you?",
                "Who else in your family matters in this?",
            ),
            _rule("* my @family *", "What comes to mind first when you think of your {2}?", "How do you two get on?"),
            _rule("* @family *", "What does the word {2} mean to you?"),
        ),
        memories=(
            _rule("* my @family *", "Earlier you spoke of your {2}. Does this have to do with that?"),
        ),
    ),
    Keyword(
        words=("i", "me", "feel", "feeling"),
        rank=50,
        rules=(
            _rule(
                "* i am * @sad *",
                "I am sorry that you are {3}. What happened?",
                "When did you first notice that you were {3}?",
                "Is there someone whom you have told that you are {3}?",
            ),
            _rule(
                "* i feel * @sad *",
                "Do you often feel {3}?",
                "What would have to change so that you felt less {3}?",
            ),
            _rule(
                "* i am * @happy *",
                "How good that you are {3}. What brought it about?",
                "What would keep you {3}?",
            ),
            _rule("* i feel +", "Tell me more about feeling {2}.", "When do you feel {2}, as a rule?"),
            _rule("* i @want you to +", "Suppose I could {3}. What would be different?", "Why should it be me?"),
            _rule(
                "* i @want +",
                "What would it change if you got {3}?",
                "Why {3}, of all things?",
                "Suppose you had {3} tomorrow. What then?",
            ),
            _rule(
                "* i am not +",
                "What would it be like to be {2}?",
                "Were you {2} once?",
            ),
            _rule(
                "* i am +",
                "How long have you been {2}?",
                "How do you feel about being {2}?",
                "Do you tell others that you are {2}?",
            ),
            _rule(
                "* i cannot +",
                "What makes you think that you cannot {2}?",
                "Have you tried? Perhaps you could {2} one day.",
            ),
            _rule("* i do not know *", "What would help you to find out?", "And if you had to guess?"),
            _rule("* i do not +", "Why do you not {2}?", "Would you like to {2}?"),
            _rule(
                "* i think +",
                "What speaks against it?",
                "Are you sure that {2}?",
            ),
            _rule("* i believe +", "Have you always believed that?", "What would make you doubt that {2}?"),
            _rule("* i remember +", "What else comes back when you remember {2}?", "Why does {2} come to you now?"),
            _rule("* i love +", "What do you love most about {2}?", "Does {2} know?"),
            _rule("* i like +", "What is it that you like about {2}?", "Since when do you like {2}?"),
            _rule("* i hate +", "Hate is a strong word. What has {2} done to you?"),
            _rule("* i have +", "How is it to have {2}?", "Would you rather not have {2}?"),
            _rule("* i was +", "What was it like to be {2}?", "Why do you tell me now that you were {2}?"),
            _rule("* i +", "You {2}: can you say more?", "What comes after that, when you {2}?"),
        ),
    ),
    Keyword(
        words=("you",),
        rank=40,
        rules=(
            _rule("* why do not you +", "Do you think I should {2}?", "Would it help if I did {2}?"),
            _rule("* you remind me of +", "What in me reminds you of {2}?"),
            _rule("* @can you +", "What I can do is listen. What would it change if I could {3}?"),
            _rule("* do you +", "We were talking of you. Why do you wonder whether I {2}?", "And you: do you {2}?"),
            _rule("* you are +", "What makes you think I am {2}?", "Would you rather I were not {2}?"),
            _rule("* are you +", "Why does it matter whether I am {2}?", "What if I were {2}?"),
            _rule("* thank you *", "You are welcome. What else is on your mind?"),
            _rule("* how are you *", "A program is always the same, thank you. And how are you?"),
            _rule("* you + me *", "What makes you think that I {2} you?", "And if I did {2} you?"),
            _rule("* you +", "Let us speak of you rather than of me.", "You say I {2}. What makes you think so?"),
        ),
    ),
    Keyword(
        words=("my",),
        rank=35,
        rules=(
            _rule("* my +", "Your {2}: tell me more.", "Why do you say \"my {2}\"?", "What does it mean to you?"),
        ),
        memories=(
            _rule("* my +", "Let us go back for a moment: your {2}.", "You said: your {2}. Has this to do with it?"),
        ),
    ),
    Keyword(
        words=tuple(GROUPS["everyone"].split()),
        rank=30,
        rules=(_rule("* @everyone *", "Really? Can you name one of them?", "Whom are you thinking of?"),),
    ),
    Keyword(
        words=("always", "never"),
        rank=28,
        rules=(
            _rule("* always *", "Always? Think of a time when it was different.", "When did it begin?"),
            _rule("* never *", "Never? Not even once?", "What would have to happen first?"),
        ),
    ),
    Keyword(
        words=("why", "what", "how", "when", "where", "who", "which"),
        rank=25,
        rules=(
            _rule("* how @number *", *TASKS),
            _rule("* why cannot i +", "What have you tried so far?", "Do you want to be able to {2}?"),
            _rule(
                "*",
                "I know no facts, I am only a demo program; but what makes you ask?",
                "What answer would you like best?",
                "What do you think yourself?",
            ),
        ),
    ),
    Keyword(
        words=("joke", "jokes"),
        rank=24,
        rules=(_rule("*", "The only joke I know is that people have told me their secrets.", "I have just the one."),),
    ),
    Keyword(
        words=tuple(GROUPS["story"].split()),
        rank=24,
        rules=(_rule("* tell * @story *", *TASKS), _rule("*", "What would you do with it?", *TASKS)),
    ),
    Keyword(
        words=("sorry",),
        rank=22,
        rules=(_rule("*", "No need to be sorry. Please go on.", "What are you sorry about?"),),
    ),
    Keyword(
        words=("perhaps", "maybe", "probably"),
        rank=20,
        rules=(_rule("*", "You do not sound certain.", "What would make you sure?"),),
    ),
    Keyword(
        words=("computer", "computers", "machine", "machines", "program", "ai"),
        rank=18,
        rules=(_rule("*", "Do machines worry you?", "What should machines be good for, to your mind?"),),
    ),
    Keyword(
        words=("thanks", "thank"),
        rank=15,
        rules=(_rule("*", "You are welcome. What else is on your mind?"),),
    ),
    Keyword(
        words=("bye", "goodbye"),
        rank=14,
        rules=(_rule("*", "Goodbye. It was good to talk with you.", "Until next time."),),
    ),
    Keyword(
        words=("yes", "yeah", "yep", "sure"),
        rank=10,
        rules=(_rule("*", "You seem sure. Tell me why.", "I understand. Go on.", "Good. And what follows from it?"),),
    ),
    Keyword(
        words=("no", "nope", "not"),
        rank=10,
        rules=(_rule("*", "Why not?", "You say no. Is that all?", "What would make it a yes?"),),
    ),
    Keyword(
        words=("hello", "hi", "hey", "greetings"),
        rank=5,
        rules=(_rule("*", *GREETINGS),),
    ),
)  # fmt: skip
"""In the order in which they are tried where ranks are equal."""
