"""What a caller sets is looked at where it is said: a wrong type is a clear error of ours before any call."""

from __future__ import annotations

from typing import Any

import pytest

from betterai.core.config import CoreConfig
from betterai.core.exceptions import ValidationError
from betterai.core.settings import GenerationSettings


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"timeout": "soon"}, "CoreConfig: timeout must be int or float or Timeout, not str"),
        ({"retries": 1.5}, "CoreConfig: retries must be int or Retries, not float"),
        ({"unsupported": "rase"}, "CoreConfig: unsupported must be 'warn' or 'raise', not 'rase'"),
        ({"model": 5}, "CoreConfig: model must be str, not int"),
        ({"api_key": b"sk-canary"}, "CoreConfig: api_key must be str, not bytes"),
    ],
)
def test_a_config_of_the_wrong_type_is_refused_when_it_is_made(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        CoreConfig(**given)
    assert said in str(caught.value)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"tools": [{"type": "function"}]}, "tools[0] must be Tool or CustomTool or ServerTool, not dict"),
        ({"options": {"documents": "on"}}, "options['documents'] must be Mapping, not str"),
    ],
)
def test_what_a_setting_may_not_hold_is_named_with_its_place(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        GenerationSettings(**given)
    assert said in str(caught.value)
