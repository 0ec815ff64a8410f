"""What a module of tests registers is gone before the next one, in whichever order a worker gets them."""

from __future__ import annotations

from pathlib import Path

import pytest

import betterai
from betterai.runtime.registry import provider_names
from runtime.providers import MODEL, PROVIDER


def test_providers_and_models_of_a_module_end_with_it(
    pytestconfig: pytest.Config, request: pytest.FixtureRequest
) -> None:
    [hooks] = [
        plugin
        for plugin in pytestconfig.pluginmanager.get_plugins()
        if getattr(plugin, "__file__", None) == str(Path(__file__).with_name("conftest.py"))
    ]

    def end(next: pytest.Item | None) -> None:
        ending = hooks.pytest_runtest_teardown(request.node, next)
        ending.send(None)
        with pytest.raises(StopIteration):
            ending.send(None)

    betterai.register_text_provider("left-behind", PROVIDER)
    betterai.ALL_MODELS.update({"left-behind/m-1": MODEL})
    end(request.node)
    assert "left-behind" in provider_names()
    assert "left-behind/m-1" in betterai.ALL_MODELS
    end(None)
    assert "left-behind" not in provider_names()
    assert "left-behind/m-1" not in betterai.ALL_MODELS
