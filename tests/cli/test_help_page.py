"""`docs/command-line.md` says what `--help` says."""

from __future__ import annotations

import sys

import pytest

from cli.help_page import TARGET, render


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="later versions of argparse lay help out otherwise")
def test_the_page_on_the_command_line_is_true() -> None:
    assert TARGET.read_text() == render(), "run: python tests/cli/help_page.py"
