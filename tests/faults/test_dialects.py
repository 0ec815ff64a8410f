"""The fault server in good health: a service that every client of ours understands."""

from __future__ import annotations

import pytest

from faults.cells import WAYS, Cell, Way
from faults.dialects import DIALECTS
from faults.matrix import matrix
from faults.server import FaultServer
from faults.table import FAULTS


@pytest.mark.parametrize("protocol", DIALECTS)
async def test_a_server_in_good_health_is_understood(protocol: str) -> None:
    ways: tuple[Way, ...] = tuple(WAYS)
    with FaultServer() as server:
        async with matrix(server, threads=1) as cells:
            outcomes = [await cells.run(Cell(FAULTS["well"], protocol, way)) for way in ways]
        assert await server.until(lambda: not server.connections)
    assert [(outcome.said, outcome.wrong) for outcome in outcomes] == [("answer", [])] * len(ways)
