"""Programs of their own: what is only to be seen from outside a process."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path

TESTS = Path(__file__).parents[1]
SOURCE = TESTS.parent / "src"
_PRELUDE = """import logging
logging.getLogger("asyncio").addFilter(lambda record: " took " not in record.getMessage())  # slow machines
"""


def run_python(
    code: str,
    *arguments: str,
    path: tuple[Path, ...] = (),
    env: Mapping[str, str] | None = None,
    strict: bool = True,
    source: Path = SOURCE,
) -> subprocess.CompletedProcess[str]:
    """Run a program, with warnings as errors and asyncio's debug mode; keys of this machine are not there."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")}
    code = (_PRELUDE if strict else "") + textwrap.dedent(code)
    places = os.pathsep.join(str(place) for place in (*path, source))
    flags = ("-X", "dev", "-W", "error") if strict else ()
    return subprocess.run(
        [sys.executable, *flags, "-c", code, *arguments],
        env={**kept, "PYTHONPATH": places, **(env or {})},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def check_python(code: str, *arguments: str, **options: object) -> str:
    """What the program printed. It must end well and say nothing on stderr."""
    done = run_python(code, *arguments, **options)  # type: ignore[arg-type]
    assert (done.returncode, done.stderr) == (0, ""), done.stderr or done.stdout
    return done.stdout
