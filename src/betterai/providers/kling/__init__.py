"""Kling AI (https://klingai.com/document-api): films, over both generations of its API.

A key opens all of it; an access key and its secret the older generation only.
"""

from betterai.core.provider import JwtAuth, Provider, Setting
from betterai.providers.kling.models import PROVIDER_MODELS
from betterai.providers.kling.older import OlderKlingFilms
from betterai.providers.kling.tasks import KlingFilms
from betterai.providers.kling.webhooks import KlingWebhooks

PROVIDER = Provider(
    name="kling",
    title="Kling AI",
    docs="https://klingai.com/document-api",
    base_url="{base_url}",
    settings=(
        Setting(
            name="access_key",
            env=("KLINGAI_ACCESS_KEY",),
            secret=True,
            required=False,
            about="with secret_key in place of api_key, for models of the older generation",
        ),
        Setting(name="secret_key", env=("KLINGAI_SECRET_KEY",), secret=True, required=False),
        Setting(name="api_key", env=("KLINGAI_API_KEY",), secret=True, instead="access_key"),
        Setting(
            name="base_url",
            env=("KLINGAI_BASE_URL",),
            default="https://api-singapore.klingai.com",
            about="https://api-beijing.klingai.com in China",
        ),
    ),
    auth=JwtAuth(),
    models=lambda: PROVIDER_MODELS,
    protocols={"video": {"kling_tasks": KlingFilms(), "kling_v1": OlderKlingFilms()}},
    defaults={"video": "kling-3.0-turbo"},
    webhooks=KlingWebhooks(),
)
