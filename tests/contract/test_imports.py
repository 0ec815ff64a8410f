"""What is imported when: no vendor before it is asked for, and then no other."""

from __future__ import annotations

import os

import pytest

from betterai.providers import discover_names
from runtime.subprocesses import check_python

VENDORS = """
    import os, sys
    import betterai

    def vendors():
        inside = [name.split(".")[2] for name in sys.modules if name.startswith("betterai.providers.")]
        return sorted(set(inside))
"""


def test_importing_betterai_imports_no_vendor() -> None:
    code = """
    for name in betterai.__all__:
        getattr(betterai, name)
    print(vendors())
    """
    assert check_python(VENDORS + code) == "[]\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="asks each vendor in a fork of one process")
def test_asking_for_a_vendor_imports_no_other() -> None:
    code = """
    for name in sys.argv[1:]:
        if not (child := os.fork()):
            try:
                betterai.get_text_provider(f"{name}/any-model")
            except betterai.BetterAIError:
                pass
            print(name, *(set(vendors()) - {name}), flush=True)
            os._exit(0)
        os.waitpid(child, 0)
    """
    assert check_python(VENDORS + code, *discover_names()).split() == list(discover_names())
