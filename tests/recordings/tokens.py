"""Writes the tables of `docs/token-counting.md`: `python tests/recordings/tokens.py` (a test compares them)."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1]))

from betterai.core.message import Text, ToolCall, ToolResult
from betterai.core.tools import Tool
from betterai.wire.tokens import estimate_tokens
from recordings.inputs import Sample, read_samples

TARGET = Path(__file__).parents[2] / "docs" / "token-counting.md"
BEGIN, END = "<!-- measured: python tests/recordings/tokens.py -->", "<!-- end of what is measured -->"
ENOUGH = 8
"""Providers with fewer requests are counted under "others"."""

Estimate = Callable[[Sample], float]


def whole_text(sample: Sample) -> str:
    """Everything that is sent as text, tools as JSON."""
    texts = []
    for message in sample.messages:
        for part in message.parts:
            if isinstance(part, ToolCall):
                texts.append(f"{part.name} {part.arguments}")
            elif isinstance(part, Text | ToolResult):
                texts.append(part.text)
    for tool in sample.settings.tools or ():
        assert isinstance(tool, Tool)
        texts.append(json.dumps([tool.name, tool.description, tool.parameters], ensure_ascii=False))
    return "\n".join(texts)


RULES: dict[str, Estimate] = {
    "`len(prompt.split()) // 4`, the handbook's": lambda sample: len(whole_text(sample).split()) // 4,
    "characters / 4": lambda sample: len(whole_text(sample)) / 4,
    "bytes / 4": lambda sample: len(whole_text(sample).encode()) / 4,
    "words × 1.3": lambda sample: len(whole_text(sample).split()) * 1.3,
    "characters / 4, and 4 a message": lambda sample: len(whole_text(sample)) / 4 + 4 * len(sample.messages),
    "ours": lambda sample: estimate_tokens(sample.messages, sample.settings, sample.protocol)[0],
}


def error(estimate: Estimate, sample: Sample) -> float:
    return abs(estimate(sample) - sample.tokens) / sample.tokens


def ninth(errors: Sequence[float]) -> float:
    """The error that nine of ten do not exceed."""
    return sorted(errors)[max(0, -(-len(errors) * 9 // 10) - 1)]


def shown(errors: Sequence[float]) -> str:
    return f"{median(errors):.0%} | {ninth(errors):.0%}" if errors else "– | –"


def factor(samples: Iterable[Sample]) -> float:
    """How many times the tokens are what the handbook's line says, at the median; a guess of 0 counts as 1."""
    return median(sample.tokens / max(1, len(whole_text(sample).split()) // 4) for sample in samples)


def render() -> str:
    samples = read_samples()
    plain = [sample for sample in samples if not sample.settings.tools]
    tools = [sample for sample in samples if sample.settings.tools]
    lines = [
        f"{len(samples)} requests, {len(plain)} of plain text and {len(tools)} with tools. The handbook's line gives "
        f"{1 / factor(plain):.0%} of the tokens of plain text: it is off by a factor of {factor(plain):.1f} at the median.",
        "",
        "| rule | plain text: median error | 9 of 10 within | with tools: median error | 9 of 10 within |",
        "|---|---|---|---|---|",
    ]
    for name, rule in RULES.items():
        errors = [shown([error(rule, sample) for sample in group]) for group in (plain, tools)]
        lines.append(f"| {name} | {' | '.join(errors)} |")
    lines += [
        "",
        "Ours, by who counted:",
        "",
        "| provider | protocol | plain | median error | 9 of 10 within | with tools | median error | 9 of 10 within |",
        "|---|---|---|---|---|---|---|---|",
    ]
    groups: dict[tuple[str, str], list[Sample]] = defaultdict(list)
    for sample in samples:
        groups[sample.provider, sample.protocol].append(sample)
    others = [sample for group in groups.values() if len(group) < ENOUGH for sample in group]
    rows = {key: group for key, group in sorted(groups.items()) if len(group) >= ENOUGH}
    for (provider, protocol), group in {**rows, ("others", ""): others}.items():
        cells = []
        for chosen in (False, True):
            errors_of = [error(RULES["ours"], sample) for sample in group if bool(sample.settings.tools) == chosen]
            cells.append(f"{len(errors_of)} | {shown(errors_of)}")
        lines.append(f"| {provider} | {protocol} | {' | '.join(cells)} |")
    return "\n".join(lines)


def put_in(page: str) -> str:
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n{render()}\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    TARGET.write_text(put_in(TARGET.read_text()))
