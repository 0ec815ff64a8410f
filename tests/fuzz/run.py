"""`make fuzz`: attack everything that reads bytes, for as long as asked, and say what came out that is not ours.

python -m fuzz.run --minutes 10 [--seed N] [--target NAME]
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from random import Random

from fuzz.targets import Target, all_targets

SLOW_SECONDS = 2.0
"""An input of some KiB that takes longer than this, in CPU, is a find too."""

Find = tuple[str, str, int]
"""The exception and the place in our code that it came from."""


def place_of(error: BaseException) -> Find:
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "betterai" in frame.filename]
    frame = (frames or traceback.extract_tb(error.__traceback__))[-1]
    return type(error).__name__, "/".join(frame.filename.split("/")[-2:]), frame.lineno or 0


def attack(target: Target, data: bytes) -> Find | None:
    began = time.process_time()
    try:
        target.attack(data)
    except Exception as error:
        return place_of(error)
    return ("slow", target.name, 0) if time.process_time() - began > SLOW_SECONDS else None


def shrink(target: Target, data: bytes, find: Find, seconds: float = 5.0) -> bytes:
    """Fewer bytes that end at the same place."""
    end, size = time.monotonic() + seconds, max(1, len(data) // 2)
    while size and time.monotonic() < end:
        place = 0
        while place < len(data) and time.monotonic() < end:
            shorter = data[:place] + data[place + size :]
            if attack(target, shorter) == find:
                data = shorter
            else:
                place += size
        size //= 2
    return data


def run(minutes: float, seed: int, only: str) -> int:
    targets = [target for target in all_targets(vendors=True) if only in target.name]
    random, end, tried, finds = Random(seed), time.monotonic() + minutes * 60, 0, dict[Find, str]()
    shown = time.monotonic()
    while time.monotonic() < end:
        target = random.choice(targets)
        for _ in range(50):
            data = target.mutate(random, random.choice(target.seeds))
            find = attack(target, data)
            tried += 1
            if find is not None and find not in finds:
                finds[find] = f"{find}\n    ({target.name!r}, {shrink(target, data, find)!r})"
                print(finds[find], flush=True)
        if time.monotonic() - shown > 5:
            shown = time.monotonic()
            print(f"{tried:,} inputs, {len(finds)} finds, {max(0.0, end - shown):.0f} s left", file=sys.stderr)
    print(f"{tried:,} inputs at {len(targets)} targets, seed {seed}: {len(finds)} finds")
    return 1 if finds else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--target", default="")
    options = parser.parse_args()
    sys.exit(run(options.minutes, options.seed, options.target))
