"""P5: what is large goes through in little memory, and the event loop goes on: `make bench` in small."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = """
import json, sys
from benchmarks.large.__main__ import open_place, watch_once
with open_place(64) as place:
    print(json.dumps(watch_once(place, "transcribe", "download", "edit_picture")))
"""
SLOW = 5
"""A machine that runs all tests at once is so many times slower than what the limits are for."""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_p5_64_mib_in_and_out_take_little_memory_and_hold_up_nobody() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    sound, film, picture = json.loads(done.stdout)
    assert max(sound["grown"], film["grown"]) <= 16
    assert max(sound["longest_ms"], film["longest_ms"], picture["longest_ms"]) <= 20 * SLOW
