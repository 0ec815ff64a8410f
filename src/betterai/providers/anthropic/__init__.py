"""Anthropic (https://platform.claude.com/docs), whose own protocol Messages is.

A key is sent as `x-api-key`; in its place a token in ANTHROPIC_AUTH_TOKEN is sent as a bearer.
"""

from betterai.core.provider import HeaderAuth, Provider, Setting
from betterai.providers.anthropic.batches import AnthropicBatches
from betterai.providers.anthropic.files import AnthropicFiles
from betterai.providers.anthropic.messages import ClaudeMessages
from betterai.providers.anthropic.models import PROVIDER_MODELS
from betterai.wire.anthropic_messages import AnthropicCount

MESSAGES = ClaudeMessages()

PROVIDER = Provider(
    name="anthropic",
    title="Anthropic",
    docs="https://platform.claude.com/settings/keys",
    base_url="{base_url}",
    settings=(
        Setting(
            name="auth_token", env=("ANTHROPIC_AUTH_TOKEN",), secret=True, required=False, about="sent as a bearer"
        ),
        Setting(name="api_key", env=("ANTHROPIC_API_KEY",), secret=True, instead="auth_token"),
        Setting(name="base_url", env=("ANTHROPIC_BASE_URL",), default="https://api.anthropic.com"),
        Setting(name="version", required=False, about="the anthropic-version to ask for in every call"),
    ),
    auth=HeaderAuth(header="x-api-key"),
    headers={"Authorization": "Bearer {auth_token}", "anthropic-version": MESSAGES.version},
    models=lambda: PROVIDER_MODELS,
    protocols={
        "text": {"anthropic_messages": MESSAGES},
        "count": {"anthropic_messages": AnthropicCount(MESSAGES)},
        "files": {"files": AnthropicFiles()},
        "batch": {"message_batches": AnthropicBatches()},
    },
    defaults={"text": "claude-sonnet-5-5"},
    codec_settings=("version",),
    list_models_path="/v1/models?limit=1000",
)
"""The version in its headers is for what is no call of a codec: the list of models."""
