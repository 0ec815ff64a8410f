"""`betterai count`: how many tokens a prompt would have, counted by the provider or estimated, and what they cost."""

from __future__ import annotations

import asyncio
from argparse import Namespace

from betterai.cli.attachments import STDIN, read_attachment
from betterai.cli.output import Output
from betterai.cli.prompt import read_prompt
from betterai.config.defaults import default_model
from betterai.core.config import CoreConfig
from betterai.core.exceptions import ValidationError
from betterai.core.message import Message, Text
from betterai.core.results import TokenCount
from betterai.runtime.client import Client


def run(arguments: Namespace, output: Output) -> int:
    attached = [read_attachment(word) for word in arguments.attach]
    prompt = read_prompt(arguments.prompt, output, with_stdin=STDIN not in arguments.attach)
    question = Message(role="user", parts=(*attached, *([Text(text=prompt)] if prompt else ())))
    if not question.parts:
        raise ValidationError("there is no prompt", hint="pass one as an argument, or through stdin")
    count = asyncio.run(_count(arguments, question))
    for warning in count.warnings:
        output.note(f"{warning.field}: {warning.message}")
    if arguments.json:
        output.write_json(
            {
                "model": f"{count.provider}/{count.model}",
                "tokens": count.tokens,
                "estimated": count.estimated,
                "cost": count.cost,
                "warnings": count.warnings,
            }
        )
    else:
        output.answers.write(describe_count(count) + "\n")
    return 0


async def _count(arguments: Namespace, question: Message) -> TokenCount:
    config = CoreConfig(base_url=arguments.base_url) if arguments.base_url else None
    model = arguments.model or default_model("text")
    async with Client(trust_env=True) as client:
        return await client.count_tokens(model, question, system=arguments.system, config=config)


def describe_count(count: TokenCount) -> str:
    """One line: the tokens, whether they were counted, and what they cost."""
    how = "estimated" if count.estimated else f"counted by {count.provider}"
    cost = count.cost.amount if count.cost is not None else None
    price = f", ${cost.normalize():f} of input" if cost is not None else ""
    return f"{count.tokens} tokens ({how}){price}"
