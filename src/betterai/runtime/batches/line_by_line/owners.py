"""Whose a line is: a name by which other processes of the same machine can tell that its worker is gone."""

from __future__ import annotations

import os
from functools import cache
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

BOOT = Path("/proc/sys/kernel/random/boot_id")
PROCESSES = Path("/proc/self/ns/pid")


def make_owner() -> str:
    """A name for a worker of this process."""
    return f"{find_machine()}:{os.getpid()}:{uuid4().hex}"


def is_gone(owner: str) -> bool:
    """Whether its process is surely gone: False where that cannot be told, such as of another machine's."""
    machine, _, rest = owner.partition(":")
    process = rest.partition(":")[0]
    if not machine or machine != find_machine() or not process.isdigit():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


@cache
def find_machine() -> str:
    """A word for this start of this machine, and of the container whose processes are counted by themselves; "" where
    there is none.
    """
    try:
        said = f"{BOOT.read_text()}{PROCESSES.readlink()}"
    except OSError:
        return ""
    return sha256(said.encode()).hexdigest()[:16]
