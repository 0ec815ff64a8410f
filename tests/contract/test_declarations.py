"""Every declaration is whole: names, variables, addresses, models, and codecs with all their parts."""

from __future__ import annotations

import re
from importlib import import_module
from string import Formatter
from typing import Any, get_args
from urllib.parse import urlsplit

import pytest

from betterai.config.environment import fill_template
from betterai.core.exceptions import ConfigurationError, ModelNotFoundError
from betterai.core.model import Category
from betterai.core.provider import NoAuth, Provider
from betterai.providers import built_in_names
from betterai.runtime.registry import BASES, choose_protocol, resolve_model
from contract.cases import CASES, CODECS, PROVIDERS, Case, over
from together import each

FORMS = frozenset({"bytes", "url", "file_id", "path"})
SHAPES = {
    "exchange": ("build_request", "parse_response", "parse_error", "open_stream"),
    "steps": ("run", "parse_error", "cancel"),
    "duplex": ("connect", "parse_error", "open"),
}
EACH = each("provider", PROVIDERS.values(), ids=list(PROVIDERS))


def test_every_folder_is_declared_under_its_name() -> None:
    assert set(built_in_names()) <= set(PROVIDERS)
    assert all(name == provider.name for name, provider in PROVIDERS.items())


@EACH
def test_it_says_who_it_is_and_where_keys_are_made(provider: Provider) -> None:
    assert provider.title
    assert re.fullmatch(r"[a-z][a-z0-9_]*", provider.name)
    if not provider.embedded:
        assert provider.docs.startswith("https://")


@EACH
def test_it_offers_something(provider: Provider) -> None:
    """A vendor whose protocol is not spoken yet is there for its models."""
    assert provider.protocols or provider.models()
    assert all(provider.protocols.values())


@EACH
def test_settings_can_be_set(provider: Provider) -> None:
    names = [setting.name for setting in provider.settings]
    assert len(names) == len(set(names))
    for setting in provider.settings:
        assert all(re.fullmatch(r"[A-Z][A-Z0-9_]*", variable) for variable in setting.env)
        if setting.secret or setting.required:
            assert setting.env or setting.default, f"{setting.name} has no variable"
        if setting.secret:
            assert setting.default is None, "a secret has no default"
        assert re.search("key|token|secret|password", setting.name) is None or setting.secret


@EACH
def test_the_key_it_signs_with_is_one_of_its_settings(provider: Provider) -> None:
    if not isinstance(provider.auth, NoAuth):
        signed = provider.setting(provider.auth.setting)
        assert signed is not None
        assert signed.secret


@EACH
def test_its_address_is_https_or_this_machine_with_its_defaults_in_place(provider: Provider) -> None:
    if provider.embedded or all(case.is_class for case in CASES if case.provider is provider):
        return
    filled = {"base_url": "https://filled-in.example"}
    values = {item.name: item.default or filled.get(item.name, "filled-in") for item in provider.settings}
    parts = urlsplit(fill_template(provider.base_url, values))
    assert parts.hostname
    assert parts.scheme == ("http" if parts.hostname == "localhost" else "https")
    assert not parts.query
    assert not parts.fragment
    assert all("/" not in host and host == host.lower() for host in provider.hosts)
    assert not provider.list_models_path or provider.list_models_path.startswith("/")


@EACH
def test_templates_name_settings_that_there_are(provider: Provider) -> None:
    names = {setting.name for setting in provider.settings}
    for template in (provider.base_url, *provider.headers.values()):
        assert {field for _, field, _, _ in Formatter().parse(template) if field is not None} <= names


@EACH
def test_its_models_are_its_own_and_can_be_asked(provider: Provider) -> None:
    for id, model in provider.models().items():
        assert (model.id, model.provider) == (id, provider.name)
        assert model.name
        assert model.category in get_args(Category)
        for low, high in model.config.values():
            assert low < high
        spoken = provider.protocols.get(model.category, {})
        assert not spoken or not model.traits.protocol or model.traits.protocol in spoken
        if spoken and model.protocol and model.protocol not in spoken:
            with pytest.raises(ConfigurationError, match=model.protocol):
                choose_protocol(provider, model.category, model)
        if model.price is not None:
            assert model.price.source


@EACH
def test_its_defaults_are_models_of_that_category(provider: Provider) -> None:
    models = provider.models()
    for category, id in provider.defaults.items():
        assert category in provider.protocols
        if models:
            assert models[id].category == category


@EACH
def test_its_name_alone_means_its_default_or_says_what_to_write(provider: Provider) -> None:
    if "text" in provider.defaults:
        assert resolve_model(provider.name).key == f"{provider.name}/{provider.defaults['text']}"
    else:
        with pytest.raises(ModelNotFoundError, match=f"write {provider.name}/MODEL"):
            resolve_model(provider.name)


@each("name", [name for name in built_in_names() if PROVIDERS[name].models()])
def test_the_handbooks_list_of_models_is_in_its_place(name: str) -> None:
    module = import_module(f"betterai.providers.{name}.models")
    assert dict(module.PROVIDER_MODELS) == dict(PROVIDERS[name].models())


@over(CASES)
def test_a_class_is_one_of_its_category(case: Case) -> None:
    if case.is_class:
        assert issubclass(case.codec, BASES[case.category])  # type: ignore[index]


@over(CODECS)
def test_a_codec_has_all_the_parts_of_its_shape(case: Case) -> None:
    whole = [
        shape for shape, methods in SHAPES.items() if all(callable(getattr(case.codec, name, None)) for name in methods)
    ]
    assert whole, f"{type(case.codec).__name__} has no whole shape: completely or not at all"
    assert not callable(case.codec)


@over(CODECS)
def test_a_codec_says_its_protocol_and_what_media_it_takes(case: Case) -> None:
    accepts: Any = getattr(case.codec, "accepts", {})
    assert set(accepts) <= {"image", "audio", "video", "document"}
    assert all(frozenset(forms) <= FORMS and forms for forms in accepts.values())
    if hasattr(case.codec, "build_request"):
        assert case.codec.protocol == case.protocol
        assert hasattr(case.codec, "accepts")
