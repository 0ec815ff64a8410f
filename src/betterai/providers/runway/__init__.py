"""Runway (https://docs.dev.runwayml.com): films of its own models, and of others that it serves."""

from betterai.core.provider import BearerAuth, Provider, Setting
from betterai.providers.runway.models import PROVIDER_MODELS
from betterai.providers.runway.tasks import RunwayFilms

PROVIDER = Provider(
    name="runway",
    title="Runway",
    docs="https://dev.runwayml.com",
    base_url="{base_url}",
    settings=(
        Setting(name="api_key", env=("RUNWAYML_API_SECRET",), secret=True),
        Setting(name="base_url", env=("RUNWAYML_BASE_URL",), default="https://api.dev.runwayml.com"),
        Setting(name="api_version", env=("RUNWAYML_API_VERSION",), default="2024-11-06"),
    ),
    auth=BearerAuth(),
    headers={"X-Runway-Version": "{api_version}"},
    models=lambda: PROVIDER_MODELS,
    protocols={"video": {"runway_tasks": RunwayFilms()}},
    defaults={"video": "gen4.5"},
)
