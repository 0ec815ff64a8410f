"""Writes `docs/command-line.md`: `python tests/cli/help_page.py` (a test compares it with the file)."""

from __future__ import annotations

import os
from pathlib import Path
from unittest.mock import patch

from betterai.cli.parser import build_parser

TARGET = Path(__file__).parents[2] / "docs" / "command-line.md"
HEAD = """# The command line

```console
$ betterai chat "Why is the sky blue?"                 # a streamed answer
$ betterai chat -m openai/gpt-6-luna -a photo.png "What is this?"
$ cat report.txt | betterai chat -s "Summarise in three sentences."
$ betterai chat                                        # a conversation; /help says what it understands
$ betterai models --can vision --provider google       # the catalogue
$ betterai providers                                   # which keys are set, and what sets the others
```

What follows is what `--help` says.
"""


def render() -> str:
    with patch.dict(os.environ, {"COLUMNS": "100"}):
        parser, commands = build_parser()
        shown = {"": parser, **{name: found for name, found in commands.parsers.items() if found.description}}
        pages = [_section(f"betterai {name}".rstrip(), found.format_help()) for name, found in shown.items()]
    return "\n".join([HEAD, *pages])


def _section(title: str, text: str) -> str:
    return f"## {title}\n\n```text\n{text.strip()}\n```\n"


if __name__ == "__main__":
    TARGET.write_text(render())
