"""The built-in tables: read without importing their vendors, decoded one by one, and right."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from betterai.catalogue.families import COMPILED, TOML, compile_families, find_traits, load_families, parse_families
from betterai.catalogue.table import ModelTable, read_tables
from betterai.catalogue.update.check import check_models
from betterai.catalogue.update.vendors import read_vendors
from betterai.config.providers import ALL_MODELS, ModelCatalogue
from betterai.core.exceptions import ConfigurationError, ModelNotFoundError
from betterai.core.model import ModelConfig
from betterai.core.provider import Provider, Setting
from betterai.providers import FOLDER, built_in_names
from betterai.runtime.factory import get_text_provider
from betterai.runtime.registry import provider_within
from runtime.subprocesses import check_python
from together import each

TABLES = read_tables(FOLDER, built_in_names())

LOOK_UP = """
import sys
from betterai.config.providers import ALL_MODELS
name = "gpt-6-luna"
assert ALL_MODELS.find(name).provider == "openai"
vendors = [module for module in sys.modules if module.startswith("betterai.providers.")]
assert vendors == [], vendors
assert not [module for module in sys.modules if module.startswith("betterai.catalogue.update")]
assert {id for table in ALL_MODELS._load().values() for id in table._models} == {name}, "no other model is decoded"
len(ALL_MODELS)
imported = {module.split(".")[2] for module in sys.modules if module.startswith("betterai.providers.")}
print(*sorted(imported))
"""


def test_a_bare_id_imports_no_vendor_and_decodes_one_model() -> None:
    assert check_python(LOOK_UP) == "local\n", "counting all imports those without a table only"


def test_importing_the_package_reads_no_table() -> None:
    code = "import betterai, sys\nprint('betterai.catalogue.table' in sys.modules)"
    assert check_python(code) == "False\n"


@each("vendor", list(TABLES))
def test_a_table_holds_what_an_update_would_accept(vendor: str) -> None:
    models = dict(TABLES[vendor])
    assert list(check_models({vendor: models})) == []
    assert all(model.provider == vendor and model.name for model in models.values())
    assert not TABLES[vendor].read().aliases.keys() & models.keys(), "an id is no alias of another"
    assert set(TABLES[vendor].read().aliases.values()) <= models.keys()


@each("vendor", list(TABLES))
def test_one_model_a_line_in_order(vendor: str) -> None:
    lines = (FOLDER / vendor / "models.json").read_text().splitlines()
    ids = [json.loads(f"[{line.split(':{', 1)[0]}]")[0] for line in lines if line.startswith('"') and '"id":' in line]
    assert ids == sorted(TABLES[vendor])


def test_every_vendor_but_the_embedded_one_has_a_table() -> None:
    assert set(built_in_names()) - set(TABLES) == {"local"}
    assert set(read_vendors()) == set(TABLES)


def test_all_tables_were_made_of_the_same_versions_of_the_sources() -> None:
    """One that was committed alone, of a newer version, changes back when all are made anew: bedrock's and cohere's did."""
    versions: dict[str, set[str]] = {}
    for vendor in read_vendors():
        for source, version in json.loads((FOLDER / vendor / "models.json").read_bytes())["sources"].items():
            versions.setdefault(source, set()).add(version)
    assert {source: len(found) for source, found in versions.items()} == dict.fromkeys(versions, 1)
    assert len(versions) >= 2


def test_there_are_hundreds_of_all_kinds() -> None:
    models = list(ALL_MODELS.values())
    assert len(models) > 1_500
    kinds = {"text", "image", "video", "audio", "tts", "realtime", "embeddings", "rerank", "moderation"}
    assert kinds <= {model.category for model in models}
    assert sum(1 for model in models if model.price is not None) > 0.8 * len(models)
    assert any(model.shutdown for model in models)
    for vendor in ("openai", "anthropic", "google", "xai", "groq", "perplexity", "deepseek", "mistral"):
        priced = [model for model in TABLES[vendor].values() if model.category == "text" and model.price]
        assert len(priced) >= 5, vendor


@each(
    ("id", "owner"),
    [
        ("gpt-4o", "openai"), ("gpt-5.4", "openai"), ("o3", "openai"), ("whisper-1", "openai"), ("claude-opus-4-6", "anthropic"),
        ("gemini-2.5-pro", "google"), ("grok-4.7", "xai"), ("mistral-large-latest", "mistral"), ("codestral-latest", "mistral"),
        ("deepseek-v4-pro", "deepseek"), ("sonar-pro", "perplexity"), ("kimi-k3", "moonshot"), ("glm-5.3", "zai"),
        ("canopylabs/orpheus-v1-english", "groq"), ("eliza", "local"),
    ],
)  # fmt: skip
def test_a_bare_id_means_its_makers_model(id: str, owner: str) -> None:
    assert ALL_MODELS.resolve(id).key == f"{owner}/{id}"


def test_a_bare_id_that_several_serve_and_none_made_is_asked_back() -> None:
    assert ALL_MODELS.find("gpt-oss-120b") is None
    with pytest.raises(ModelNotFoundError, match="none of them is its maker") as caught:
        ALL_MODELS.resolve("gpt-oss-120b")
    assert "cerebras/gpt-oss-120b" in caught.value.hint


def test_one_that_was_added_is_meant_where_several_serve_it() -> None:
    models = ModelCatalogue()
    models.update({"mine/gpt-oss-120b": ModelConfig(id="gpt-oss-120b", provider="mine")})
    models.update({"mine/gpt-4o": ModelConfig(id="gpt-4o", provider="mine")})
    assert models["gpt-oss-120b"].provider == "mine"
    assert models["gpt-4o"].provider == "openai", "its maker's comes first"


def test_an_alias_leads_to_its_model() -> None:
    full = "accounts/fireworks/models/kimi-k3"
    assert ALL_MODELS.resolve("fireworks/kimi-k3").id == ALL_MODELS.resolve(f"fireworks/{full}").id == full


def test_a_model_has_the_traits_of_its_family() -> None:
    model = TABLES["openai"]["gpt-5-mini"]
    assert model.traits == find_traits("openai", "gpt-5-mini")
    assert model.traits.reasons == "always"


def test_models_of_a_maker_who_cannot_be_called_yet_are_listed() -> None:
    for key in ("anthropic/claude-opus-4-6", "google/gemini-2.5-pro"):
        price = ALL_MODELS[key].price
        assert price is not None
        assert price.source


def test_a_table_without_a_file_is_empty(tmp_path: Path) -> None:
    table = ModelTable(tmp_path / "models.json")
    assert (len(table), list(table), "x" in table, table.get("x")) == (0, [], False, None)


def test_the_families_json_is_made_from_the_toml() -> None:
    assert COMPILED.read_bytes() == compile_families(TOML.read_bytes()), "run: betterai models update --families"


def test_the_families_are_the_same_either_way() -> None:
    assert load_families() == parse_families(TOML.read_bytes())


def test_calling_one_that_cannot_be_called_yet_says_so_before_any_key_is_asked_for() -> None:
    listed = {"m": ModelConfig(id="m", name="M", provider="maker")}
    key = Setting(name="api_key", env=("MAKER_API_KEY",), secret=True)
    maker = Provider(name="maker", title="Maker", settings=(key,), models=lambda: listed)
    said = pytest.raises(ConfigurationError, match="in the catalogue, but Maker cannot be called yet")
    with provider_within("text", "maker", maker), said:
        get_text_provider("maker/m")
