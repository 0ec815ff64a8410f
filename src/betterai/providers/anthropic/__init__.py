"""Anthropic (https://platform.claude.com/docs): its models are in the catalogue; calls come with its protocol."""

from betterai.core.provider import HeaderAuth, Provider, Setting
from betterai.providers.anthropic.files import AnthropicFiles
from betterai.providers.anthropic.models import PROVIDER_MODELS

PROVIDER = Provider(
    name="anthropic",
    title="Anthropic",
    docs="https://platform.claude.com/settings/keys",
    base_url="{base_url}",
    settings=(
        Setting(name="api_key", env=("ANTHROPIC_API_KEY",), secret=True),
        Setting(name="base_url", env=("ANTHROPIC_BASE_URL",), default="https://api.anthropic.com"),
    ),
    auth=HeaderAuth(header="x-api-key"),
    headers={"anthropic-version": "2023-06-01"},
    models=lambda: PROVIDER_MODELS,
    protocols={"files": {"files": AnthropicFiles()}},
    list_models_path="/v1/models?limit=1000",
)
