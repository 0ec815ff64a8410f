"""Stability AI (https://platform.stability.ai): pictures made, edited and enlarged."""

from betterai.core.provider import BearerAuth, Provider, Setting
from betterai.providers.stability.images import StabilityImages
from betterai.providers.stability.jobs import StabilityJobs
from betterai.providers.stability.models import PROVIDER_MODELS

PROVIDER = Provider(
    name="stability",
    title="Stability AI",
    docs="https://platform.stability.ai",
    base_url="{base_url}",
    settings=(
        Setting(name="api_key", env=("STABILITY_API_KEY",), secret=True),
        Setting(name="base_url", env=("STABILITY_BASE_URL",), default="https://api.stability.ai"),
    ),
    auth=BearerAuth(),
    models=lambda: PROVIDER_MODELS,
    protocols={"image": {"stability_images": StabilityImages(), "stability_jobs": StabilityJobs()}},
    defaults={"image": "stable-image-core"},
)
