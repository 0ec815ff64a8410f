"""`betterai models update`, from tiny wheels: what is read, merged, refused and written."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from betterai.catalogue.table import ModelTable
from betterai.catalogue.update import genai_prices, litellm
from betterai.catalogue.update.overlay import Correction, Overlay, read_overlay
from betterai.catalogue.update.run import Outcome, prepare, read_dev, read_wheels, write
from betterai.catalogue.update.source import tidy
from betterai.catalogue.update.vendors import Vendor, read_vendors
from betterai.catalogue.update.write import compact, write_all
from betterai.cli import main
from betterai.core.exceptions import ConfigurationError
from betterai.core.model import ModelConfig
from betterai.core.price import Price
from betterai.providers import FOLDER

TODAY = "2026-11-23"
VENDORS = {
    "acme": Vendor(litellm=("acme_ai",), prefixes=("acme_ai/",), skip=("ft:*",), genai=("acme",), take=("extra-*",), owns=("big*",), models_dev="acme", zero=("gift",)),
    "hub": Vendor(genai=("hub", "hub_*"), take=("*",), qualify="hub/models/"),
}  # fmt: skip

ROWS: dict[str, dict[str, Any]] = {
    "acme_ai/big": {
        "litellm_provider": "acme_ai", "mode": "chat", "max_input_tokens": 1000, "max_output_tokens": 100, "source": "https://acme.example",
        "input_cost_per_token": 3e-07, "output_cost_per_token": 1.2e-06, "cache_read_input_token_cost": 3e-08,
        "cache_creation_input_token_cost_above_1hr": 6e-07, "input_cost_per_token_above_200k_tokens": 6e-07,
        "input_cost_per_token_batches": 1.5e-07, "input_cost_per_token_above_200k_tokens_batches": 3e-07,
        "output_cost_per_token_priority": 2.4e-06, "input_cost_per_token_priority": 6e-07, "supports_vision": True,
        "supports_function_calling": True, "deprecation_date": "2027-01-01",
        "search_context_cost_per_query": {"search_context_size_low": 0.01, "search_context_size_high": 0.01},
    },
    "acme_ai/gift": {"litellm_provider": "acme_ai", "mode": "chat", "input_cost_per_token": 0, "output_cost_per_token": 0},
    "acme_ai/zero": {"litellm_provider": "acme_ai", "mode": "chat", "input_cost_per_token": 0, "output_cost_per_token": 0},
    "acme_ai/film": {"litellm_provider": "acme_ai", "mode": "video_generation", "output_cost_per_second_1080p": 0.25},
    "acme_ai/speak": {"litellm_provider": "acme_ai", "mode": "audio_speech", "input_cost_per_character": 1.5e-05},
    "acme_ai/vector": {"litellm_provider": "acme_ai", "mode": "embedding", "input_cost_per_token": 2e-08, "output_cost_per_token": 0.0},
    "acme_ai/ft:big": {"litellm_provider": "acme_ai", "mode": "chat"},
    "acme_ai/odd": {"litellm_provider": "acme_ai", "mode": "guardrail"},
    "stranger": {"litellm_provider": "elsewhere", "mode": "chat"},
}  # fmt: skip

PRICES = '''
import datetime
from decimal import Decimal
from .types import *
providers: list[Provider] = [
    Provider(id='acme', name='Acme', pricing_urls=['https://acme.example/pricing'], models=[
        ModelInfo(id='big', match=ClauseOr(or_=[ClauseEquals(equals='big'), ClauseStartsWith(starts_with='big-')]), name='Big One',
            prices=ModelPrice(input_mtok=TieredPrices(base=Decimal('0.3'), tiers=[Tier(start=200000, price=Decimal('0.6'))]),
                output_mtok=Decimal('1.3'), cache_write_mtok=Decimal('0.375'), web_searches_kcount=Decimal('10'))),
        ModelInfo(id='zero', match=ClauseEquals(equals='zero'), context_window=50, prices=[
            ConditionalPrice(prices=ModelPrice(input_mtok=Decimal('1'), output_mtok=Decimal('2'))),
            ConditionalPrice(constraint=StartDateConstraint(start_date=datetime.date(2026, 11, 1)),
                prices=ModelPrice(input_mtok=Decimal('3'), output_mtok=Decimal('4'))),
            ConditionalPrice(constraint=StartDateConstraint(start_date=datetime.date(2027, 1, 1)),
                prices=ModelPrice(input_mtok=Decimal('5'), output_mtok=Decimal('6'))),
            ConditionalPrice(constraint=TimeOfDateConstraint(start_time=datetime.time(1, tzinfo=datetime.UTC)),
                prices=ModelPrice(input_mtok=Decimal('0.1'), output_mtok=Decimal('0.1'))),
        ]),
        ModelInfo(id='extra-1', match=ClauseEquals(equals='extra-1'), prices=ModelPrice(input_mtok=Decimal('1'), output_mtok=Decimal('1')),
            price_variants=[PriceVariant(when={'processing': 'batch'}, prices=ModelPrice(input_mtok=Decimal('0.5'), output_mtok=Decimal('0.5')))]),
        ModelInfo(id='extra-old', match=ClauseEquals(equals='extra-old'), deprecated=True, prices=ModelPrice(input_mtok=Decimal('1'))),
        ModelInfo(id='other', match=ClauseEquals(equals='other'), prices=ModelPrice(input_mtok=Decimal('1'))),
    ]),
    Provider(id='hub_fast', name='Hub (fast)', pricing_urls=[], models=[
        ModelInfo(id='open/model', match=ClauseEquals(equals='open/model'), prices=ModelPrice(input_mtok=Decimal('1'), output_mtok=Decimal('1')))]),
    Provider(id='hub', name='Hub', models=[
        ModelInfo(id='plain', match=ClauseEquals(equals='plain'), prices=ModelPrice(input_mtok=Decimal('-1') if False else Decimal('1')))]),
]
'''.replace("Decimal('-1') if False else ", "")  # fmt: skip


def make_wheels(folder: Path, rows: Mapping[str, Any] = ROWS, prices: str = PRICES) -> Path:
    """Two wheels that hold nothing but their data, in a folder."""
    folder.mkdir(exist_ok=True)
    for name, member, text in (
        ("litellm-1.0.0-py3-none-any.whl", litellm.MEMBER, json.dumps(rows)),
        ("genai_prices-2.0.0-py3-none-any.whl", genai_prices.MEMBER, prices),
    ):
        with zipfile.ZipFile(folder / name, "w") as archive:
            archive.writestr(member, text)
    return folder


@pytest.fixture
def vendors(tmp_path: Path) -> Path:
    """A folder with the vendors' folders."""
    for name in VENDORS:
        (tmp_path / "vendors" / name).mkdir(parents=True)
    return tmp_path / "vendors"


def update(
    vendors: Path,
    rows: Mapping[str, Any] = ROWS,
    *,
    prices: str = PRICES,
    today: str = TODAY,
    overlay: Overlay | None = None,
    force: bool = False,
) -> Outcome:
    sources = read_wheels(VENDORS, today, make_wheels(vendors.parent / "wheels", rows, prices))
    return prepare(sources, vendors, today, overlay=overlay or Overlay(), vendors=VENDORS, force=force)


def price(outcome: Outcome, id: str) -> Price:
    found = outcome.models["acme"][id].price
    assert found is not None
    return found


def test_a_row_becomes_a_model_with_exact_prices(vendors: Path) -> None:
    model = update(vendors).models["acme"]["big"]
    assert (model.name, model.category, model.owner, model.shutdown) == ("Big One", "text", True, "2027-01-01")
    claims = model.capabilities
    assert (claims.supports_vision, claims.supports_tools, claims.supports_audio_input) == (True, True, None)
    assert (claims.context_window, claims.max_tokens, claims.supports_batch_api) == (1000, 100, True)
    found = model.price
    assert found is not None
    assert found.rates.tokens["text_in"] == Decimal("0.3")
    assert found.rates.tokens["cached"] == Decimal("0.03")
    assert found.rates.tokens["cache_write_1h"] == Decimal("0.6")
    assert found.rates.units == {"search": Decimal("0.01")}
    assert [(tier.above, tier.rates.tokens) for tier in found.tiers] == [(200_000, {"text_in": Decimal("0.6")})]
    assert found.variants["batch"].tiers[0].rates.tokens == {"text_in": Decimal("0.3")}
    assert found.variants["priority"].rates.tokens == {"text_in": Decimal("0.6"), "text_out": Decimal("2.4")}
    assert (found.source, found.as_of) == ("litellm (https://acme.example)", TODAY)


def test_kinds_have_their_units(vendors: Path) -> None:
    outcome = update(vendors)
    kinds = {id: model.category for id, model in outcome.models["acme"].items()}
    assert (kinds["film"], kinds["speak"], kinds["vector"]) == ("video", "tts", "embeddings")
    assert price(outcome, "film").rates.units == {"second_1080p": Decimal("0.25")}
    assert price(outcome, "speak").rates.units == {"character": Decimal("0.000015")}
    assert price(outcome, "vector").rates.tokens == {"text_in": Decimal("0.02")}


def test_what_is_no_model_of_ours_is_left_out_and_said(vendors: Path) -> None:
    outcome = update(vendors)
    assert set(outcome.models["acme"]) == {"big", "gift", "zero", "film", "speak", "vector", "extra-1"}
    assert any("guardrail" in remark for remark in outcome.remarks)
    assert "guardrail" in outcome.report()


def test_a_price_of_nothing_is_believed_where_it_is_meant_only(vendors: Path) -> None:
    outcome = update(
        vendors, prices=PRICES.replace("equals='zero'", "equals='something-else'").replace("id='zero'", "id='else'")
    )
    assert price(outcome, "gift").rates.tokens == {"text_in": Decimal(0), "text_out": Decimal(0)}
    assert outcome.models["acme"]["zero"].price is None
    assert any("zero" in remark and "not believed" in remark for remark in outcome.remarks)


def test_the_second_source_fills_in_what_the_first_lacks_as_of_the_day(vendors: Path) -> None:
    outcome = update(vendors)
    found = price(outcome, "zero")
    assert found.rates.tokens == {"text_in": Decimal(3), "text_out": Decimal(4)}
    assert (found.source, found.note) == (
        "genai-prices (https://acme.example/pricing)",
        "cheaper at some hours of the day",
    )
    assert outcome.models["acme"]["zero"].capabilities.context_window == 50
    assert price(outcome, "extra-1").variants["batch"].rates.tokens["text_in"] == Decimal("0.5")
    later = price(update(vendors, today="2027-02-01"), "zero")
    assert later.rates.tokens["text_in"] == Decimal(5)


def test_where_they_disagree_the_first_wins_and_it_is_listed(vendors: Path) -> None:
    outcome = update(vendors)
    assert price(outcome, "big").rates.tokens["text_out"] == Decimal("1.2")
    assert "cache_write" not in price(outcome, "big").rates.tokens, "rates of a price that is another are not mixed in"
    (item,) = [item for item in outcome.disagreements if item.what == "text_out"]
    assert (item.key, item.taken, item.other) == ("acme/big", "1.2 (litellm)", "1.3 (genai-prices)")
    assert "| acme/big | text_out | 1.2 (litellm) | 1.3 (genai-prices) |" in outcome.report()


def test_where_they_agree_missing_rates_are_filled_in(vendors: Path) -> None:
    found = price(update(vendors, prices=PRICES.replace("Decimal('1.3')", "Decimal('1.2')")), "big")
    assert found.rates.tokens["cache_write"] == Decimal("0.375")
    assert found.source == "litellm (https://acme.example), genai-prices (https://acme.example/pricing)"


def test_a_router_has_its_hosts_as_endings_and_a_prefix_has_aliases(vendors: Path) -> None:
    models = update(vendors).models["hub"]
    assert set(models) == {"open/model", "open/model:fast", "hub/models/plain"}
    assert models["open/model"].price is None
    assert models["open/model:fast"].price is not None
    assert models["hub/models/plain"].aliases == ("plain",)


def test_the_overlay_wins_adds_and_drops(vendors: Path) -> None:
    said: dict[str, Any] = {"source": "https://acme.example/news", "as_of": "2026-11-01", "vendors": ("acme",)}
    overlay = Overlay(
        correction=(
            Correction(ids=("big*",), capabilities={"supports_vision": False}, fields={"aliases": ["large"]}, **said),
            Correction(ids=("new",), add=True, price={"rates": {"units": {"image": "0.04"}}}, fields={"category": "image"}, **said),
            Correction(ids=("film",), drop=True, **said),
        )
    )  # fmt: skip
    outcome = update(vendors, overlay=overlay)
    big = outcome.models["acme"]["big"]
    assert (big.capabilities.supports_vision, big.capabilities.supports_tools, big.aliases) == (False, True, ("large",))
    assert outcome.models["acme"]["new"].category == "image"
    new = price(outcome, "new")
    assert (new.source, new.as_of, new.rates.units["image"]) == (
        "https://acme.example/news",
        "2026-11-01",
        Decimal("0.04"),
    )
    assert "film" not in outcome.models["acme"]
    write(outcome.texts)
    table = ModelTable(vendors / "acme" / "models.json")
    assert table.read().aliases == {"large": "big"}


def test_what_is_written_is_what_is_read(vendors: Path) -> None:
    outcome = update(vendors)
    assert set(write({path: text for path, text in outcome.texts.items() if vendors in path.parents}))
    table = ModelTable(vendors / "acme" / "models.json")
    assert dict(table) == outcome.models["acme"]
    assert table.read().sources == {"litellm": "1.0.0", "genai-prices": "2.0.0"}


def test_the_same_sources_give_the_same_text_and_an_unchanged_price_keeps_its_day(vendors: Path) -> None:
    first = update(vendors)
    write(first.texts)
    again = update(vendors, today="2026-12-24")
    assert again.texts == first.texts
    assert write(again.texts) == []
    dearer = {**ROWS, "acme_ai/speak": {**ROWS["acme_ai/speak"], "input_cost_per_character": 2e-05}}
    changed = update(vendors, dearer, today="2026-12-24")
    assert price(changed, "speak").as_of == "2026-12-24"
    assert price(changed, "big").as_of == TODAY


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"input_cost_per_token": 1.0}, "acme/big: text_in costs 1000000 a million"),
        ({"input_cost_per_token": -1e-06}, "acme/big: text_in costs -1 a million"),
        ({"deprecation_date": "soon"}, "acme/big: shutdown 'soon' is no day"),
        ({"max_input_tokens": -5}, "acme/big: context_window is -5"),
    ],
)  # fmt: skip
def test_what_cannot_be_right_is_refused_by_name(vendors: Path, change: dict[str, Any], problem: str) -> None:
    rows = {**ROWS, "acme_ai/big": {**ROWS["acme_ai/big"], **change}}
    with pytest.raises(ConfigurationError, match="refused") as caught:
        update(vendors, rows, force=True)
    assert problem in caught.value.message
    assert list(vendors.rglob("*.json")) == []


def test_an_update_that_loses_too_many_is_refused_unless_forced(vendors: Path) -> None:
    write(update(vendors).texts)
    few = {name: row for name, row in ROWS.items() if name in ("acme_ai/big", "stranger")}
    with pytest.raises(ConfigurationError, match=r"acme would lose 5 of 7 models \(film, gift, speak …\)"):
        update(vendors, few)
    assert set(update(vendors, few, force=True).models["acme"]) == {"big", "extra-1"}
    almost = {name: row for name, row in ROWS.items() if name != "acme_ai/film"}
    assert "film" not in update(vendors, almost).models["acme"]


def test_all_files_are_written_or_none(tmp_path: Path) -> None:
    old, new, blocked = tmp_path / "old", tmp_path / "new", tmp_path / "blocked"
    old.write_bytes(b"as it was")
    blocked.mkdir()
    with pytest.raises(OSError, match="blocked"):
        write_all({old: b"changed", new: b"changed", blocked: b"changed"})
    assert old.read_bytes() == b"as it was"
    assert sorted(tmp_path.iterdir()) == [blocked, old], "nothing more than before is there"
    with pytest.raises(ConfigurationError, match="cannot be written"):
        write({old: b"changed", tmp_path / "missing" / "file": b"changed"})
    assert old.read_bytes() == b"as it was"
    assert write_all({old: b"changed", new: b"new"}) == [old, new]


def test_the_code_of_a_source_is_read_and_never_run(vendors: Path) -> None:
    evil = "import os\nos.environ['EVIL'] = '1'\n" + PRICES
    update(vendors, prices=evil)
    with pytest.raises(ValueError, match="is no literal"):
        update(vendors, prices=PRICES.replace("Decimal('1.3')", "open('/etc/passwd').read() + 1"))


def test_a_wheel_of_another_layout_says_so(tmp_path: Path) -> None:
    folder = make_wheels(tmp_path / "wheels")
    with zipfile.ZipFile(folder / "litellm-1.0.0-py3-none-any.whl", "w") as archive:
        archive.writestr("elsewhere.json", "{}")
    with pytest.raises(ConfigurationError, match=r"litellm-1\.0\.0-py3-none-any\.whl has no litellm/model_prices"):
        read_wheels(VENDORS, TODAY, folder)
    with pytest.raises(ConfigurationError, match="has no wheel of litellm"):
        read_wheels(VENDORS, TODAY, tmp_path)


DEV = {
    "acme": {
        "id": "acme",
        "models": {
            "big": {
                "id": "big", "name": "Big", "reasoning": True, "tool_call": True, "attachment": True,
                "modalities": {"input": ["text", "image", "pdf"], "output": ["text"]},
                "cost": {"input": 0.3, "output": 1.2, "cache_read": 0.03, "context_over_200k": {"input": 0.6, "output": 2.4}},
                "limit": {"context": 1000, "output": 100},
            },
            "painter": {"id": "painter", "name": "Painter", "modalities": {"input": ["text"], "output": ["image"]}, "cost": {"input": 0, "output": 0}},
        },
    }
}  # fmt: skip


def test_models_dev_is_a_source_of_its_own(vendors: Path) -> None:
    file = vendors.parent / "api.json"
    file.write_text(json.dumps(DEV))
    outcome = prepare(read_dev(VENDORS, TODAY, file), vendors, TODAY, overlay=Overlay(), vendors=VENDORS)
    big, painter = outcome.models["acme"]["big"], outcome.models["acme"]["painter"]
    claims = big.capabilities
    assert (claims.supports_vision, claims.supports_audio_input, claims.supports_documents) == (True, False, True)
    assert price(outcome, "big").rates.tokens["cached"] == Decimal("0.03")
    assert price(outcome, "big").tiers[0].rates.tokens == {"text_in": Decimal("0.6"), "text_out": Decimal("2.4")}
    assert (painter.category, painter.price) == ("image", None)


def test_a_file_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    file = tmp_path / "api.json"
    with pytest.raises(ConfigurationError, match=r"cannot read .*api\.json: No such file"):
        read_dev(VENDORS, TODAY, file)
    file.write_text("{")
    with pytest.raises(ConfigurationError, match=r"api\.json is not what models\.dev gives"):
        read_dev(VENDORS, TODAY, file)


def test_of_several_wheels_none_is_guessed(tmp_path: Path) -> None:
    folder = make_wheels(tmp_path / "wheels")
    (folder / "litellm-1.10.0-py3-none-any.whl").touch()
    with pytest.raises(ConfigurationError, match=r"several wheels of litellm: litellm-1\.0\.0.*litellm-1\.10\.0"):
        read_wheels(VENDORS, TODAY, folder)


@pytest.mark.parametrize(
    ("amount", "text"),
    [("1e-7", "0.0000001"), ("0.30", "0.3"), ("1E+2", "100"), ("0.1000000000000000055", "0.1"), ("0", "0")],
)
def test_amounts_are_written_plainly(amount: str, text: str) -> None:
    assert compact(tidy(Decimal(amount))) == text


def test_every_correction_says_where_it_is_from_and_meets_something() -> None:
    models = {name: dict(ModelTable(FOLDER / name / "models.json")) for name in read_vendors()}
    for item in read_overlay().correction:
        assert item.source
        assert item.as_of
        names = item.vendors or tuple(models)
        stub = {name: {id: ModelConfig(id=id, provider=name) for id in models[name]} for name in names}
        touched = [name for name in names if Overlay(correction=(item,)).apply(name, stub[name]) != stub[name]]
        assert touched, f"{item.ids} meets no model"


def test_the_command_checks_without_writing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["models", "update", "--check", "--families", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert (code, found) == (0, {"changed": [], "update": None})
