"""X3: a key goes where it was meant to go, whatever a server says."""

from __future__ import annotations

import pytest

from betterai.core.exceptions import BadRequestError, ProviderError
from betterai.runtime.stream import TextStream
from betterai.transport.http import HTTPTransport
from faults.dialects import DIALECTS
from faults.server import STOLEN, FaultServer
from faults.targets import HELLO, KEY, target


@pytest.mark.parametrize("protocol", DIALECTS)
async def test_x3_no_redirect_is_followed_with_a_key(
    faults: FaultServer, transport: HTTPTransport, protocol: str
) -> None:
    """Neither to a private address, nor to a host that would answer."""
    for fault in ("redirect", "redirect-here"):
        provider = target(faults, fault, "a", protocol=protocol, transport=transport)
        for asked in (provider.generate(HELLO), TextStream(provider.generate_stream(HELLO)).collect()):
            with pytest.raises(ProviderError) as caught:
                await asked
            assert type(caught.value) is BadRequestError
            assert "redirect" in str(caught.value)
            assert KEY not in repr(vars(caught.value))
    assert len(faults.cells["a"].requests) == 4
    assert faults.cells[STOLEN].requests == []
