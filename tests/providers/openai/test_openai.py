"""OpenAI: who it is, and how its model families want to be asked."""

from __future__ import annotations

import re

from betterai.catalogue.families import Family, find_traits, load_families
from betterai.core.provider import BearerAuth
from betterai.providers.openai import PROVIDER
from betterai.providers.openai.models import PROVIDER_MODELS
from together import each


def test_the_declaration() -> None:
    assert PROVIDER.auth == BearerAuth()
    key = PROVIDER.setting("api_key")
    assert key is not None
    assert (key.env, key.secret) == (("OPENAI_API_KEY",), True)
    assert PROVIDER.defaults["text"] in PROVIDER_MODELS
    assert list(PROVIDER.protocols["text"]) == ["openai_responses", "openai_chat"]


def test_the_models_are_keyed_by_their_ids_and_priced() -> None:
    for id, model in PROVIDER_MODELS.items():
        assert (model.id, model.provider) == (id, "openai")
        if model.category == "text" and model.price is not None:
            assert {"text_in", "text_out"} <= set(model.price.rates.tokens)
            assert model.price.source


@each(
    ("id", "reasons", "efforts", "sampling", "tools", "field"),
    [
        ("gpt-6.2-sol", "always", "low medium high xhigh max", "never", False, "max_completion_tokens"),
        ("gpt-6-astra-2026-05-01", "always", "low medium high xhigh max", "never", False, "max_completion_tokens"),
        ("gpt-6-luna", "default", "none low medium high xhigh max", "not_reasoning", False, "max_completion_tokens"),
        ("gpt-6.1-terra", "default", "none low medium high xhigh max", "not_reasoning", False, "max_completion_tokens"),
        ("gpt-5.6-terra", "default", "none low medium high xhigh", "not_reasoning", False, "max_completion_tokens"),
        ("gpt-5.5", "default", None, "not_reasoning", False, "max_completion_tokens"),
        ("gpt-5.4-mini", "optional", None, "not_reasoning", False, "max_completion_tokens"),
        ("gpt-5.4-pro", "always", "medium high xhigh", "never", True, "max_completion_tokens"),
        ("gpt-5.2", "optional", None, "not_reasoning", True, "max_completion_tokens"),
        ("gpt-5.1-chat-latest", "always", "medium", "never", True, "max_completion_tokens"),
        ("gpt-5-mini", "always", "minimal low medium high", "never", True, "max_completion_tokens"),
        ("gpt-5-chat", "never", None, "always", True, ""),
        ("o3-mini", "always", "low medium high", "never", True, "max_completion_tokens"),
        ("gpt-4o-mini", "never", None, "always", True, ""),
        ("gpt-4.1", "never", None, "always", True, ""),
        ("somebody/gpt-5-mini", "always", "minimal low medium high", "never", True, "max_completion_tokens"),
        ("a-new-model", None, None, "always", True, ""),
    ],
)
def test_families(id: str, reasons: str, efforts: str | None, sampling: str, tools: bool, field: str) -> None:
    traits = find_traits("openai", id)
    assert (traits.reasons, traits.sampling, traits.tools_while_reasoning) == (reasons, sampling, tools)
    assert traits.efforts == (tuple(efforts.split()) if efforts else None)
    assert traits.max_tokens_fields == ((field,) if field else ())


def test_facts_hold_for_those_only_who_serve_the_family_so() -> None:
    assert find_traits("groq", "gpt-5").reasons is None
    assert find_traits("groq", "deepseek-r1").reasons is None
    assert find_traits("anyone", "openai/gpt-oss-120b").reasons == "always"


def test_every_family_can_be_met_and_says_where_it_is_from() -> None:
    families = load_families()
    for index, family in enumerate(families):
        assert family.source
        assert family.as_of
        example = re.sub(r"\[(.)[^]]*\]", r"\1", family.pattern).replace("*", "x").replace("?", "9")
        provider = family.providers[0] if family.providers else "anyone"
        assert is_first(families, index, provider, example), family.pattern


def is_first(families: tuple[Family, ...], index: int, provider: str, example: str) -> bool:
    return find_traits(provider, example) == families[index].traits
