"""Fields and headers of a request that only its own protocol understands, on the way to another."""

from __future__ import annotations

import pytest

from betterai.core.exceptions import UnsupportedParam
from betterai.wire.adoption import leave_extras
from wire.chats import make_call


def test_what_only_the_protocol_of_the_request_has_is_left_and_reported() -> None:
    call = leave_extras(make_call(extra_body={"brandNew": 1}, extra_headers={"beta": "x"}, temperature=0))
    assert call.settings.given() == {"temperature": 0}
    assert [warning.field for warning in call.warnings] == ["brandNew", "extra_headers.beta"]


def test_a_field_that_changes_the_meaning_is_refused() -> None:
    with pytest.raises(UnsupportedParam, match="tool_choice"):
        leave_extras(make_call(extra_body={"tool_choice": {"type": "newer"}}))
