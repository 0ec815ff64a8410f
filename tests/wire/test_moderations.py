"""Moderation: what is judged, and that all of it is."""

from __future__ import annotations

import pytest

import betterai
from betterai import CoreConfig, Media
from betterai.core.exceptions import ProviderError, UnsupportedParam
from runtime.upstream import Upstream, reply

CAT = Media(kind="image", mime_type="image/png", data=b"\x89PNG\r\n\x1a\n")
FINE = {"categories": {"violence": False}, "category_scores": {"violence": 0.0}}


async def test_mistral_judges_texts_alone() -> None:
    with Upstream(reply(200, {"results": [FINE]})) as upstream:
        config = CoreConfig(base_url=upstream.url, api_key="k", retries=0)
        with pytest.raises(UnsupportedParam, match="image"):
            await betterai.moderate("mistral/mistral-moderation-2603", ["Hm.", CAT], config=config)
        judged = await betterai.moderate("mistral/mistral-moderation-2603", "Hm.", config=config)
    assert ([verdict.flagged for verdict in judged.verdicts], len(upstream.requests)) == ([False], 1)


@pytest.mark.parametrize("results", [[], [FINE], [FINE] * 3])
async def test_each_text_has_its_verdict_or_it_is_an_error(results: list[object]) -> None:
    with Upstream(reply(200, {"results": results})) as upstream:
        config = CoreConfig(base_url=upstream.url, api_key="k", retries=0)
        with pytest.raises(ProviderError, match="2 were asked"):
            await betterai.moderate("openai/omni-moderation-latest", ["Hm.", "Ah."], config=config)
