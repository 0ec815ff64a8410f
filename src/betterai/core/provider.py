"""The declaration of a provider: who, where, which key, which codecs. One folder's `__init__.py` holds one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from betterai.core.data import Data
from betterai.core.model import ModelConfig
from betterai.core.webhooks import Webhooks


class Setting(Data, frozen=True, kw_only=True):
    """One value that a provider needs. `env` are the variables that set it, the first one set wins.

    `derive` makes the value of those declared before it, where none is given. `required` ones without a value raise
    `ConfigurationError` at first use, naming the variable. `read` makes the value of what is written in a variable, or
    given, where that is not the same.
    """

    name: str
    env: tuple[str, ...] = ()
    secret: bool = False
    default: str | None = None
    required: bool = True
    about: str = ""
    read: Callable[[str], str] | None = None
    derive: Callable[[Mapping[str, str]], str] | None = None
    instead: str = ""
    """Another setting, declared before it, that does as well: a token in place of a key."""


class NoAuth(Data, frozen=True, kw_only=True, tag=True):
    """Nothing is signed."""


class BearerAuth(Data, frozen=True, kw_only=True, tag=True):
    """`Authorization: Bearer …` with the value of a setting; left out where the setting is optional and empty."""

    setting: str = "api_key"


class HeaderAuth(Data, frozen=True, kw_only=True, tag=True):
    """A header of its own, such as `api-key: …`; `prefix` stands before the value ("Token ")."""

    header: str
    setting: str = "api_key"
    prefix: str = ""


class QueryAuth(Data, frozen=True, kw_only=True, tag=True):
    """A query parameter, such as `?key=…`. Prefer a header where the vendor takes one: URLs end up in logs."""

    parameter: str
    setting: str = "api_key"


class SigV4Auth(Data, frozen=True, kw_only=True, tag=True):
    """AWS Signature Version 4 (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html) for `service`.

    A bearer key in `setting` wins. Else the access key and its secret sign, with a session token where they are of a
    role; else what botocore finds: a profile, single sign-on, the role of a container or a machine.
    """

    service: str
    setting: str = "api_key"
    region_setting: str = "region"
    key_id_setting: str = "access_key_id"
    secret_setting: str = "secret_access_key"
    token_setting: str = "session_token"
    profile_setting: str = "profile"


class GoogleAuth(Data, frozen=True, kw_only=True, tag=True):
    """A token of Google Cloud for `scopes`. An access token in `setting` wins.

    Else one is fetched, and fetched again before it ends, with the credentials in `credentials_setting` (a path, or the
    JSON itself), else with those that are found where Google's own tools keep them, or with the machine's. Where the
    setting named in `instead` has a value, nothing is fetched: a key is sent in a header of its own.
    """

    scopes: tuple[str, ...]
    setting: str = "access_token"
    credentials_setting: str = "credentials"
    instead: str = ""


class JwtAuth(Data, frozen=True, kw_only=True, tag=True):
    """A token of our own making (RFC 7519, HS256): issued by an access key, signed with its secret, good for `seconds`.

    A key in `setting` wins, and is sent as it is.
    """

    setting: str = "api_key"
    key_id_setting: str = "access_key"
    secret_setting: str = "secret_key"
    seconds: int = 1800


Auth: TypeAlias = NoAuth | BearerAuth | HeaderAuth | QueryAuth | SigV4Auth | GoogleAuth | JwtAuth


def _no_models() -> Mapping[str, ModelConfig]:
    return {}


class Provider(Data, frozen=True, kw_only=True):
    """Who, where, which key, which codecs.

    `base_url` is a template over `settings`: "https://{resource}.example.com/v1". `hosts` are further https hosts that
    may get the key (where reply URLs point). `protocols` maps category → protocol → codec or class; the first of a
    category is its default. `defaults` names the model to take where only the provider is given. `embedded` marks the
    provider that needs neither key nor network. `codec_settings` are settings, none secret, that its codecs find in
    `Call.provider_settings`; "base_url" is the address as it was made out.
    `otel_name` is what OpenTelemetry's conventions call it, where that is not its name. `webhooks` reads what it tells
    by itself, where it does.
    """

    name: str
    title: str = ""
    base_url: str = ""
    settings: tuple[Setting, ...] = ()
    auth: Auth = NoAuth()
    headers: Mapping[str, str] = {}
    hosts: tuple[str, ...] = ()
    models: Callable[[], Mapping[str, ModelConfig]] = _no_models
    protocols: Mapping[str, Mapping[str, Any]] = {}
    defaults: Mapping[str, str] = {}
    embedded: bool = False
    docs: str = ""
    codec_settings: tuple[str, ...] = ()
    list_models_path: str = ""
    otel_name: str = ""
    webhooks: Webhooks | None = None

    def setting(self, name: str) -> Setting | None:
        return next((setting for setting in self.settings if setting.name == name), None)
