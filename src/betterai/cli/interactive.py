"""A conversation on a terminal: what is typed is asked, and lines that begin with a slash are commands."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from betterai.cli.attachments import read_attachment
from betterai.cli.conversation import Conversation
from betterai.cli.failure import show_error
from betterai.core.exceptions import BetterAIError
from betterai.core.message import MediaPart, Message, Text

HELP = """\
/model NAME   ask another model from now on; what was said stays
/attach FILE  send a file or URL with the next question; without FILE, list them
/system TEXT  set the system message; without TEXT there is none
/clear        forget what was said, and what is attached
/help         show this list
/exit         end, as Ctrl-D does

Ctrl-C stops an answer and keeps what was said. A line that begins with a space is sent even if a slash follows.
"""


def converse(conversation: Conversation, *, debug: bool) -> int:
    """Ask and answer until the end; the exit code."""
    with suppress(ImportError):
        import readline  # noqa: F401 importing it gives input() its editing and its history
    conversation.output.note(f"talking to {conversation.model}; /help lists commands, Ctrl-D ends")
    return Dialogue(conversation, debug=debug).run()


class Dialogue:
    """The loop from prompt to prompt."""

    def __init__(self, conversation: Conversation, *, debug: bool) -> None:
        self._conversation = conversation
        self._debug = debug
        self._output = conversation.output
        self._ended = False
        self._attached: dict[str, Text | MediaPart] = {}
        self._commands: dict[str, Callable[[str], None]] = {
            "/model": self._choose_model,
            "/system": self._set_system,
            "/attach": self._attach,
            "/clear": self._clear,
            "/reset": self._clear,
            "/help": self._help,
            "/exit": self._exit,
        }

    def run(self) -> int:
        interrupted = False
        while not self._ended:
            try:
                line = input("> ")
                interrupted = False
                self._obey(line)
            except EOFError:
                self._output.answers.write("\n")
                return 0
            except UnicodeDecodeError as error:
                self._output.note(f"error: that was not readable: {error}")
            except KeyboardInterrupt:
                self._output.answers.write("\n")
                if interrupted:
                    raise
                interrupted = True
                self._output.note("Ctrl-C once more ends, as Ctrl-D does")
        return 0

    def _obey(self, line: str) -> None:
        if line.startswith("/"):
            name, _, rest = line.partition(" ")
            command = self._commands.get(name)
            if command is None:
                self._output.note(f"there is no {name}: /help lists the commands; begin with a space to send it")
            else:
                command(rest.strip())
        elif line.strip():
            self._ask(line.strip())

    def _ask(self, text: str) -> None:
        conversation = self._conversation
        question = Message(role="user", parts=(*self._attached.values(), Text(text=text)))
        try:
            conversation.keep(question, conversation.ask(question))
            self._attached.clear()
        except KeyboardInterrupt:
            self._say_what_stays("stopped", question)
        except Exception as error:  # providers that are classes of others raise what they like; the dialogue goes on
            show_error(error, self._output, debug=self._debug)
            self._say_what_stays("broken off", question)

    def _say_what_stays(self, what: str, question: Message) -> None:
        kept = self._conversation.keep_partial(question)
        if kept:
            self._attached.clear()
        self._output.note(f"{what}: {'what was said is kept' if kept else 'the question is taken back'}")

    def _choose_model(self, name: str) -> None:
        try:
            if name:
                self._conversation.choose_model(name)
            self._output.note(f"talking to {self._conversation.model}")
        except BetterAIError as error:
            show_error(error, self._output, debug=self._debug)

    def _set_system(self, text: str) -> None:
        self._conversation.system = text
        self._output.note("the system message is set" if text else "there is no system message now")

    def _attach(self, word: str) -> None:
        try:
            if word:
                self._attached[word] = read_attachment(word)
            self._output.note(f"attached: {', '.join(self._attached) or 'nothing'}")
        except BetterAIError as error:
            show_error(error, self._output, debug=self._debug)

    def _clear(self, _: str) -> None:
        self._conversation.history.clear()
        self._attached.clear()
        self._output.note("forgotten")

    def _help(self, _: str) -> None:
        self._output.answers.write(HELP)

    def _exit(self, _: str) -> None:
        self._ended = True
