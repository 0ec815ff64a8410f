"""`betterai chat`: one question, or a conversation where a terminal is."""

from __future__ import annotations

import re
from argparse import Namespace
from pathlib import Path
from typing import Any

from betterai.cli.answer import AnswerView, describe_answer, describe_chunk
from betterai.cli.attachments import STDIN, read_attachment
from betterai.cli.conversation import Conversation
from betterai.cli.output import Output
from betterai.cli.pictures import open_folder
from betterai.cli.prompt import has_keyboard, read_prompt
from betterai.cli.settings import read_settings
from betterai.config.defaults import MODEL_VARIABLES, chosen_model, default_model
from betterai.core.config import CoreConfig
from betterai.core.data import parse_strict_json
from betterai.core.exceptions import ConfigurationError, ValidationError
from betterai.core.message import Message, Text
from betterai.core.response import TextChunk
from betterai.core.settings import GenerationSettings
from betterai.core.tools import JsonSchema


def run(arguments: Namespace, output: Output) -> int:
    settings = _read_settings(arguments)
    attached = [read_attachment(word) for word in arguments.attach]
    prompt = read_prompt(arguments.prompt, output, with_stdin=STDIN not in arguments.attach)
    question = Message(role="user", parts=(*attached, *([Text(text=prompt)] if prompt else ())))
    if not question.parts and (arguments.json or not has_keyboard() or not output.answers.is_terminal):
        raise ValidationError("there is no prompt", hint="pass one as an argument, or through stdin")
    config = CoreConfig(base_url=arguments.base_url, protocol=arguments.protocol or "", timeout=arguments.timeout)
    conversation = Conversation(_choose_model(arguments.model, output), config, settings, output)
    conversation.system = arguments.system or ""
    conversation.streams = arguments.stream is not False
    conversation.shows_reasoning = arguments.show_reasoning
    conversation.shows_markdown = arguments.markdown and _check_markdown()
    conversation.folder = open_folder(Path(arguments.save).expanduser()) if arguments.save else None
    with conversation:
        if not question.parts:
            from betterai.cli.interactive import converse

            return converse(conversation, debug=arguments.debug)
        if arguments.json:
            _write_json(conversation, question, in_pieces=bool(arguments.stream))
        else:
            conversation.ask(question)
    return 0


def _read_settings(arguments: Namespace) -> GenerationSettings:
    settings = read_settings(arguments.options or ())
    if not arguments.schema:
        return settings
    if "response_format" in settings.given():
        raise ValidationError("response_format is given twice", hint="take out --schema, or the option")
    return settings.replace(response_format=_read_schema(Path(arguments.schema).expanduser()))


def _read_schema(path: Path) -> JsonSchema:
    try:
        schema: Any = parse_strict_json(path.read_bytes())
    except OSError as error:
        raise ValidationError(f"cannot read {str(path)!r}: {error.strerror or error}") from None
    except ValueError as error:
        raise ValidationError(f"{path} is not JSON: {error}") from None
    if not isinstance(schema, dict):
        raise ValidationError(f"{path} is not a JSON Schema", hint="it must be a JSON object")
    return JsonSchema(schema=schema, name=re.sub(r"[^A-Za-z0-9_-]", "_", path.stem)[:64] or "output")


def _check_markdown() -> bool:
    from betterai.cli.rich_text import has_rich

    if not has_rich():
        raise ConfigurationError("--markdown needs the package rich", hint="pip install 'betterai[rich]'")
    return True


def _choose_model(wanted: str | None, output: Output) -> str:
    """-m, else the environment's or the file's, else the embedded one, and then it is said who answers."""
    if wanted == "":
        raise ValidationError("the model's name is empty", hint="write -m PROVIDER/MODEL")
    variable = MODEL_VARIABLES["text"]
    model = wanted or default_model("text")
    if not model:
        raise ConfigurationError("no model is chosen", hint=f"write -m PROVIDER/MODEL, or set {variable}")
    if not wanted and not chosen_model("text")[0]:
        output.note(
            f"{model} answers, as no model was chosen: write -m PROVIDER/MODEL or set {variable}"
            " (`betterai providers` shows what there is)"
        )
    return model


def _write_json(conversation: Conversation, question: Message, *, in_pieces: bool) -> None:
    """One JSON object; with `in_pieces` a line for each piece as it comes, and the whole answer as the last."""
    output = conversation.output

    def write(chunk: TextChunk) -> None:
        if said := describe_chunk(chunk):
            output.write_json(said)

    response = conversation.follow(question, write) if in_pieces else conversation.fetch(question)
    view = AnswerView(output, show_reasoning=conversation.shows_reasoning)
    view.show_reasoning(response)
    view.show_warnings(response)
    answer = describe_answer(response, conversation.keep_media(response))
    output.write_json({"response": answer} if in_pieces else answer)
