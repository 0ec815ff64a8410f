"""`ALL_MODELS`: how models are found, added, replaced and taken out."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from betterai.config.providers import ModelCatalogue, unlisted_model
from betterai.core.exceptions import ModelNotFoundError, ValidationError
from betterai.core.model import ModelCapabilities, ModelConfig, ModelTraits
from betterai.core.provider import Provider
from betterai.providers import declared_providers, load_provider


@pytest.fixture
def models() -> ModelCatalogue:
    """A catalogue of the test's own, with all that is built in."""
    return ModelCatalogue()


def model(id: str, provider: str = "acme", **fields: Any) -> ModelConfig:
    return ModelConfig(id=id, provider=provider, **fields)


def test_all_models_of_all_vendors_are_there_under_their_own_keys(models: ModelCatalogue) -> None:
    declared = [item for provider in declared_providers() for item in provider.models().values()]
    assert {item.key for item in declared} == set(models)
    assert len(models) == len(list(models)) > 2
    for key, found in models.items():
        assert key == found.key == f"{found.provider}/{found.id}"


def test_nothing_is_loaded_before_it_is_asked_for() -> None:
    fresh = ModelCatalogue()
    assert repr(fresh) == "<ALL_MODELS: not loaded yet>"
    assert len(fresh) > 0
    assert repr(fresh) == f"<ALL_MODELS: {len(fresh)} models>"


def test_update_takes_both_shapes_of_the_handbook(models: ModelCatalogue) -> None:
    models.update({"acme/one": model("one")})
    models.update({"named": {"provider": "acme", "config": model("two", provider="elsewhere")}})
    models.update({"short": model("org/three")}, keyword=model("four"))
    assert models["acme/one"].id == "one"
    assert models["named"].key == models["acme/two"].key == "acme/two"
    assert models["short"].key == "acme/org/three"
    assert models["keyword"].id == "four"
    assert "named" in models
    assert "named" not in list(models)


@pytest.mark.parametrize("entry", [None, "m", {}, {"provider": "acme"}, {"config": {"id": "m"}}, 5])
def test_an_entry_of_another_shape_is_refused(models: ModelCatalogue, entry: Any) -> None:
    with pytest.raises(ValidationError, match="must be a ModelConfig"):
        models["x"] = entry
    assert "x" not in models


def test_what_was_set_is_what_is_read(models: ModelCatalogue) -> None:
    known = next(iter(models))
    models[known] = model("other")
    assert models[known].key == "acme/other"
    assert models.resolve(known).key == "acme/other"
    assert known not in list(models)


@pytest.mark.parametrize("name", ["acme/m", "acme/short", "m", "short", "alias"])
def test_a_model_is_found_by_key_alias_and_bare_id(models: ModelCatalogue, name: str) -> None:
    models.update({"alias": model("m", aliases=("short",))})
    assert models.resolve(name).key == models[name].key == "acme/m"


def test_taking_a_model_out_takes_its_names_too(models: ModelCatalogue) -> None:
    models.update({"alias": model("m", aliases=("short",))})
    del models["alias"]
    for name in ("acme/m", "acme/short", "m", "short", "alias"):
        assert name not in models
        assert models.find(name) is None
    with pytest.raises(KeyError):
        models["m"]
    with pytest.raises(KeyError):
        del models["m"]


def test_an_alias_of_a_model_that_was_replaced_finds_nothing_and_does_not_crash(models: ModelCatalogue) -> None:
    models.update({"acme/m": model("m", aliases=("short",))})
    models["acme/m"] = model("other", provider="local")
    with pytest.raises(ModelNotFoundError):
        models.resolve("short")


def test_what_was_found_before_changes_nothing(models: ModelCatalogue) -> None:
    models.update({"acme/local/hosted": model("local/hosted")})
    assert models.find("local/hosted") == models["acme/local/hosted"]
    assert models.resolve("local/hosted").key == "local/hosted", "a provider's name comes first"


def test_any_id_of_a_known_provider_is_asked_for_as_it_is(models: ModelCatalogue) -> None:
    found = models.resolve("local/not/listed")
    assert (found.provider, found.id, found.known) == ("local", "not/listed", False)
    mine = models.resolve("acme/anything", ["acme"])
    assert (mine.provider, mine.id, mine.known) == ("acme", "anything", True), "it lists no models, so none is unknown"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("locale/eliza", "local/eliza"), ("elisa", "eliza"), ("local/", "local"), ("xyzzy", "with one of the providers"),
        ("", "with one of the providers"), ("acne/x", "acme/x"),
    ],
)  # fmt: skip
def test_a_name_that_is_not_found_says_what_may_be_meant(models: ModelCatalogue, name: str, hint: str) -> None:
    with pytest.raises(ModelNotFoundError, match="there is no model") as caught:
        models.resolve(name, ["acme"])
    assert hint in caught.value.hint
    assert caught.value.model == name


def test_a_models_own_traits_are_laid_over_its_familys(models: ModelCatalogue) -> None:
    own = ModelTraits(prefill=True, sampling="never")
    models.update(
        {"acme/a": model("gpt-6-x", provider="openai", traits=own), "acme/b": model("gpt-6-y", provider="openai")}
    )
    family = unlisted_model("openai", "gpt-6-x").traits
    assert models["openai/gpt-6-x"].traits == msgspec.structs.replace(family, prefill=True, sampling="never")
    assert models["openai/gpt-6-y"].traits == unlisted_model("openai", "gpt-6-y").traits != ModelTraits()


def test_the_first_of_a_bare_id_keeps_it(models: ModelCatalogue) -> None:
    models.update({"a/same": model("same", "a"), "b/same": model("same", "b")})
    assert models["same"].provider == "a"


class Slow(ModelCatalogue):
    """A catalogue that takes its time to load."""

    def __init__(self) -> None:
        super().__init__()
        self.loading, self.go_on = threading.Event(), threading.Event()

    def _load_declared(self) -> Mapping[str, ModelConfig]:
        self.loading.set()
        assert self.go_on.wait(10)
        return super()._load_declared()


def test_threads_never_see_half_a_catalogue() -> None:
    slow = Slow()
    seen: list[int] = []
    threads = [threading.Thread(target=lambda: seen.append(len(slow))) for _ in range(4)]
    threads[0].start()
    assert slow.loading.wait(10)
    for thread in threads[1:]:
        thread.start()
    threads[1].join(0.05)
    assert seen == [], "nobody is answered before all models are there"
    slow.go_on.set()
    for thread in threads:
        thread.join()
    assert seen == [len(ModelCatalogue())] * 4


def test_models_of_a_declaration_bear_its_name() -> None:
    for provider in declared_providers():
        assert isinstance(provider, Provider)
        for id, item in provider.models().items():
            assert (item.id, item.provider) == (id, provider.name)


def test_capabilities_are_claims_and_unknown_by_default() -> None:
    assert all(
        value is None for value in (getattr(ModelCapabilities(), name) for name in ModelCapabilities.__struct_fields__)
    )


def test_a_name_that_is_none_is_a_key_error_with_near_names(models: ModelCatalogue) -> None:
    gpt = load_provider("openai").models()
    embedded = load_provider("local").models()
    for table, name, said in (
        (models, "openai/gpt-4o-minni", "there is no model 'openai/gpt-4o-minni' – did you mean openai/gpt-4o-mini"),
        (models, "gpt-4o-minni", "there is no model 'gpt-4o-minni' – did you mean"),
        (models, "xyzzy", "there is no model 'xyzzy' – write provider/model"),
        (models, "openai/xyzzy", "there is no model 'openai/xyzzy' – `betterai models --provider openai` lists those"),
        (models, 5, "a model's name is a text, not 5"),
        (gpt, "gpt-4o-minni", "openai: there is no model 'gpt-4o-minni' – did you mean gpt-4o-mini"),
        (gpt, "xyzzy", "openai: there is no model 'xyzzy' – `betterai models --provider openai` lists those"),
        (embedded, "elisa", "local: there is no embedded model 'elisa' – did you mean eliza"),
    ):
        with pytest.raises(KeyError) as caught:
            table[name]  # type: ignore[index]
        assert isinstance(caught.value, ModelNotFoundError)
        assert said in str(caught.value)
        assert name not in table
        assert table.get(name) is None  # type: ignore[call-overload]
        assert table.get(name, "other") == "other"  # type: ignore[call-overload]
    with pytest.raises(ModelNotFoundError):
        del models["xyzzy"]
    assert models.pop("xyzzy", None) is None
    assert models.pop("openai/gpt-4o-mini", None) is not None
