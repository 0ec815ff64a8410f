"""`betterai chat`: one question, or a conversation where a terminal is."""

from __future__ import annotations

from argparse import Namespace

from betterai.cli.answer import AnswerView, describe_answer
from betterai.cli.conversation import Conversation
from betterai.cli.output import Output
from betterai.cli.prompt import has_keyboard, read_prompt
from betterai.cli.settings import read_settings
from betterai.config.defaults import MODEL_VARIABLES, default_model
from betterai.config.environment import read_variable
from betterai.core.config import CoreConfig
from betterai.core.exceptions import ConfigurationError, ValidationError


def run(arguments: Namespace, output: Output) -> int:
    settings = read_settings(arguments.options or ())
    prompt = read_prompt(arguments.prompt, output)
    if not prompt and (arguments.json or not has_keyboard() or not output.answers.is_terminal):
        raise ValidationError("there is no prompt", hint="pass one as an argument, or through stdin")
    config = CoreConfig(base_url=arguments.base_url, timeout=arguments.timeout)
    conversation = Conversation(_choose_model(arguments.model, output), config, settings, output)
    conversation.system = arguments.system or ""
    conversation.streams = arguments.stream
    conversation.shows_reasoning = arguments.show_reasoning
    with conversation:
        if not prompt:
            from betterai.cli.interactive import converse

            return converse(conversation, debug=arguments.debug)
        if arguments.json:
            _show_json(conversation, prompt)
        else:
            conversation.ask(prompt)
    return 0


def _choose_model(wanted: str | None, output: Output) -> str:
    """-m, else the environment's, else the embedded one, and then it is said who answers."""
    if wanted == "":
        raise ValidationError("the model's name is empty", hint="write -m PROVIDER/MODEL")
    variable = MODEL_VARIABLES["text"]
    model = wanted or default_model("text")
    if not model:
        raise ConfigurationError("no model is chosen", hint=f"write -m PROVIDER/MODEL, or set {variable}")
    if not wanted and read_variable(variable) is None:
        output.note(
            f"{model} answers, as no model was chosen: write -m PROVIDER/MODEL or set {variable}"
            " (`betterai providers` shows what there is)"
        )
    return model


def _show_json(conversation: Conversation, prompt: str) -> None:
    response = conversation.fetch(prompt)
    view = AnswerView(conversation.output, show_reasoning=conversation.shows_reasoning)
    view.show_reasoning(response)
    view.show_warnings(response)
    conversation.output.write_json(describe_answer(response))
