"""What OpenRouter's usage says beside its tokens: the bill, and the searches that were made."""

from __future__ import annotations

from decimal import Decimal

import msgspec
from msgspec import Struct

from betterai.core.usage import Usage


class CostDetails(Struct, gc=False):
    upstream_inference_cost: Decimal | None = None


class ServerTools(Struct, gc=False):
    web_search_requests: int | None = None


def add_cost(
    usage: Usage, cost: Decimal | None, details: CostDetails | None, is_byok: bool | None, tools: ServerTools | None
) -> Usage:
    """With a key of one's own at the maker, its bill comes on top of OpenRouter's."""
    if cost is not None and is_byok and details is not None:
        cost += details.upstream_inference_cost or 0
    searches = tools and tools.web_search_requests
    units = {"search": float(searches)} if searches else {}
    return msgspec.structs.replace(usage, stated_cost=cost, units=units)
